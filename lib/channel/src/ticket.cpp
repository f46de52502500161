#include "pake/channel/ticket.h"

#include <algorithm>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/channel/messages.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

constexpr std::uint8_t kTicketVersion = 2;
constexpr std::size_t kKeyIdSize = 4;

// additional data = "pake/1 ticket" || key_id
Buffer associated_data(Bytes key_id) { return Writer(32).put(as_bytes("pake/1 ticket")).put(key_id).take(); }

// All but the resumption secret, which ends it, is public.
Result<OpenedTicket> decode(Bytes plaintext) {
  if (plaintext.size() < ResumptionSecret::kSize) return fail(Errc::malformed);
  declassify(plaintext.first(plaintext.size() - ResumptionSecret::kSize));
  Reader reader(plaintext);
  PAKE_TRY(const auto version, reader.u8());
  if (version != kTicketVersion) return fail(Errc::malformed);
  OpenedTicket opened;
  PAKE_TRY(const auto name, reader.take_lp1());
  opened.facts.name = to_buffer(name);
  PAKE_TRY(const auto server_name, reader.take_lp1());
  opened.facts.server_name = to_buffer(server_name);
  PAKE_TRY(const auto device, reader.take(opened.facts.device.size()));
  std::ranges::copy(device, opened.facts.device.begin());
  PAKE_TRY(opened.facts.generation, reader.u64());
  PAKE_TRY(opened.facts.login_time, reader.u64());
  PAKE_TRY(opened.facts.expiry, reader.u64());
  PAKE_TRY(const auto secret, reader.take(ResumptionSecret::kSize));
  PAKE_TRYV(reader.finish());
  opened.secret = ResumptionSecret::copy_of(secret.first<ResumptionSecret::kSize>());
  return opened;
}

}  // namespace

const TicketKey* TicketKeys::find(Bytes id) const noexcept {
  const auto found = std::ranges::find_if(keys_, [&](const TicketKey& key) { return std::ranges::equal(key.id, id); });
  return found == keys_.end() ? nullptr : &*found;
}

//   ticket    = key_id (4) || nonce (24) || XChaCha20-Poly1305(key, nonce, "pake/1 ticket" || key_id, plaintext)
//   plaintext = version (u8 = 2) || lp1(user name) || lp1(server name) || device (16) || generation (u64)
//               || login time (u64) || expiry (u64) || resumption_secret (64)
Result<Buffer> seal_ticket(const TicketKeys& keys, const TicketFacts& facts, const ResumptionSecret& secret, Rng& rng) {
  const auto* newest = keys.newest();
  if (newest == nullptr || std::max(facts.name.size(), facts.server_name.size()) > kMaxNameSize)
    return fail(Errc::misuse);
  Writer head(64 + facts.name.size() + facts.server_name.size());
  head.u8(kTicketVersion).put_lp1(facts.name).put_lp1(facts.server_name).put(facts.device);
  head.u64(facts.generation).u64(facts.login_time).u64(facts.expiry);
  const auto plaintext = SecretBuffer::make(head.bytes().size() + secret.kSize, [&](MutableBytes out) {
    std::ranges::copy(secret.reveal(), std::ranges::copy(head.bytes(), out.begin()).out);
  });
  const auto sealed = crypto::seal(newest->key, associated_data(newest->id), plaintext.reveal(), rng);
  return Writer(kKeyIdSize + sealed.size()).put(newest->id).put(sealed).take();
}

Result<OpenedTicket> open_ticket(const TicketKeys& keys, Bytes ticket) {
  if (ticket.size() < kKeyIdSize) return fail(Errc::auth_failed);
  const auto id = ticket.first(kKeyIdSize);
  const auto* key = keys.find(id);
  if (key == nullptr) return fail(Errc::auth_failed);
  PAKE_TRY(const auto plaintext, crypto::open_sealed(key->key, associated_data(id), ticket.subspan(kKeyIdSize)));
  auto opened = decode(plaintext.reveal());
  if (!opened) return fail(Errc::auth_failed);  // sealed by another version of this program
  return opened;
}

}  // namespace pake::channel
