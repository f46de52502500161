#include "exchange.h"

#include <algorithm>
#include <utility>

#include "key_schedule.h"
#include "pake/internal/try.h"
#include "secret_strings.h"

namespace pake::cpace {

Status check(const Inputs& inputs) {
  if (std::to_underlying(inputs.suite) > std::to_underlying(Suite::p521_sha512)) return fail(Errc::misuse);
  return {};
}

Result<PeerShare> PeerShare::decode(Suite suite, const Share& sent) {
  if (sent.AD.size() > kMaxADSize) return fail(Errc::malformed);
  PAKE_TRY(auto point, GroupEnvironment::get(suite).decode(sent.Y));
  return PeerShare{.sent = sent, .point = std::move(point)};
}

Result<OwnShare> OwnShare::make(const Inputs& inputs, Bytes AD, Rng& rng) {
  PAKE_TRYV(check(inputs));
  if (AD.size() > kMaxADSize) return fail(Errc::misuse);
  const auto& [suite, PRS, CI, sid] = inputs;
  const auto& G = GroupEnvironment::get(suite);
  const auto& H = parameters(suite).hash;

  const auto string = generator_string(parameters(suite).DSI, PRS, CI, sid, crypto::block_size(H));
  PAKE_TRY(const auto g, G.calculate_generator(string.reveal()));
  PAKE_TRY(auto y, G.sample_scalar(rng));
  PAKE_TRY(auto Y, G.scalar_mult(y, g));
  return OwnShare{.suite = suite, .sid = to_buffer(sid), .y = std::move(y), .Y = std::move(Y), .AD = to_buffer(AD)};
}

Result<Agreement> Agreement::reach(const OwnShare& own, const PeerShare& peer_share, Side side) {
  const auto& [peer, point] = peer_share;
  // Tags and symmetric transcripts know no roles: our own message sent back to us would confirm itself.
  if (std::ranges::equal(peer.Y, own.Y)) return fail(Errc::malformed);

  const auto& [suite, sid, y, Y, AD] = own;
  const Share us = {.Y = Y, .AD = AD};
  PAKE_TRY(const auto K, GroupEnvironment::get(suite).agree(y, point));
  const auto transcript = side == Side::A   ? transcript_ir(us, peer)
                          : side == Side::B ? transcript_ir(peer, us)
                                            : transcript_oc(us, peer);
  auto isk = compute_ISK(suite, sid, K.reveal(), transcript);
  const auto mac_key = compute_mac_key(suite, sid, isk);
  return Agreement{
      .key = SharedKey(parameters(suite).hash, std::move(isk), peer.AD, compute_sid_output(suite, transcript)),
      .own_tag = compute_tag(suite, mac_key, us),
      .peer_tag = compute_tag(suite, mac_key, peer)};
}

Buffer Agreement::tag_to_send() const {
  auto tag = to_buffer(own_tag.reveal());
  declassify(tag);
  return tag;
}

Status Agreement::verify(Bytes tag) const {
  if (tag.size() != peer_tag.size()) return fail(Errc::malformed);
  if (!ct_equal(tag, peer_tag.reveal())) return fail(Errc::auth_failed);
  return {};
}

UnprovenKey Agreement::unproven(GuessPermit permit) && {
  return {.isk = std::move(key.isk_), .sid_output = std::move(key.sid_output_), .permit = std::move(permit)};
}

}  // namespace pake::cpace
