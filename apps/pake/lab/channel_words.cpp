#include "lab/channel_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "pake/crypto/hash.h"
#include "pake/proto/cpace/strings.h"
#include "pake/proto/cpace/suite.h"
#include "pake/proto/oprf/oprf.h"

namespace pake::cli::lab {
namespace {

// draft-irtf-cfrg-cpace-21, "CPace for ristretto255": g = element_derivation(H.hash(generator_string, 64)), with
//   generator_string = lv_cat(DSI, PRS, zero_bytes(len_zpad), CI, sid)
//   len_zpad         = max(0, s_in_bytes - 1 - len(prepend_len(PRS)) - len(prepend_len(DSI)))
bool has_generator(Bytes PRS, Bytes CI, Bytes sid) {
  const auto& suite = cpace::parameters(cpace::Suite::ristretto255_sha512);
  const auto DSI = as_bytes(suite.DSI);
  const auto used = 1 + cpace::prepend_len(PRS).size() + cpace::prepend_len(DSI).size();
  const auto s_in_bytes = crypto::block_size(suite.hash);
  const Buffer padding(used < s_in_bytes ? s_in_bytes - used : 0);
  const auto hash = crypto::hash(suite.hash, {cpace::lv_cat({DSI, PRS, padding, CI, sid})});
  return crypto::ristretto255_from_uniform(hash.reveal().first<64>()).has_value();
}

// RFC 9497, Section 3.3.1: blindedElement = blind * HashToGroup(input).
bool has_input_element(crypto::GroupId group, Bytes input) {
  return crypto::Group::get(group)
      .hash_to_group({input}, {as_bytes("HashToGroup-"), oprf::context_string(group)})
      .has_value();
}

}  // namespace

std::expected<ChannelGuess, std::string> ChannelGuess::of(const ChannelRun& run) {
  if (run.kind == channel::HandshakeKind::resume)
    return std::unexpected("this run resumes an earlier login: no password is in it, only a ticket");
  const auto hello = channel::ClientHello::decode(run.hello);
  if (!hello) return std::unexpected("its client hello is malformed");
  ChannelGuess guess;
  guess.kind_ = run.kind;
  guess.group_ = hello->suite() == channel::Suite::opaque_p256 ? crypto::GroupId::p256 : crypto::GroupId::ristretto255;
  const auto& group = crypto::Group::get(guess.group_);
  const auto element = hello->pake.first(std::min(group.element_size(), hello->pake.size()));
  if (!group.decode(element)) return std::unexpected("what it sends first is no element of the group");
  guess.element_ = fmt::format("{:02x}", fmt::join(element, ""));
  const auto kind = static_cast<std::uint8_t>(run.kind);
  guess.CI_ = cpace::lv_cat({as_bytes("pake/1"), {&kind, 1}, hello->server_name, hello->name});
  guess.sid_ = to_buffer(hello->random);
  return guess;
}

bool ChannelGuess::fits(std::string_view word) const {
  return is_code() ? has_generator(as_bytes(word), CI_, sid_) : has_input_element(group_, as_bytes(word));
}

}  // namespace pake::cli::lab
