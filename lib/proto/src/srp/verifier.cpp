#include <algorithm>
#include <array>

#include "key_schedule.h"
#include "octets.h"
#include "pake/base/reader.h"
#include "pake/internal/try.h"
#include "pake/proto/srp/srp.h"
#include "stored_header.h"

namespace pake::srp {
namespace {

constexpr std::size_t kMinServerSecret = 32;

Status check(const Parameters& parameters, Bytes I) {
  if (!is_valid(parameters) || I.size() > kMaxNameSize || std::ranges::find(I, ':') != I.end())
    return fail(Errc::misuse);
  return {};
}

bool is_proton(const Parameters& parameters) noexcept { return convention(parameters.mode).scheme == Scheme::proton; }

/// v = g^x % N, in the mode's order.
SecretBuffer as_stored(const Parameters& parameters, const Residue& v) {
  return octets(is_proton(parameters) ? Form::reversed : Form::PAD, v.reveal(), v.reveal().size());
}
SecretBuffer make_v(const Parameters& parameters, Bytes x) {
  return as_stored(parameters, modular(parameters).power(generator(parameters), x));
}

/// Old peers take a salt for a number, and lose its leading zeros.
void make_first_octet_nonzero(MutableBytes salt) {
  if (salt[0] == 0) salt[0] = 1;
}

}  // namespace

Result<Verifier> Verifier::make(const Parameters& parameters, Bytes I, Bytes P, Bytes s) {
  PAKE_TRYV(check(parameters, I));
  if (P.empty() || s.size() > kMaxSaltSize) return fail(Errc::misuse);
  const auto x = compute_x(parameters, I, P, s);
  return Verifier(parameters, s, make_v(parameters, x.reveal()));
}

Result<Verifier> Verifier::make(const Parameters& parameters, Bytes I, Bytes P, Rng& rng) {
  if (!is_valid(parameters) || is_proton(parameters)) return fail(Errc::misuse);
  std::array<std::uint8_t, kSaltSize> s{};
  rng.fill(s);
  make_first_octet_nonzero(s);
  return make(parameters, I, P, s);
}

Result<Verifier> Verifier::import(const Parameters& parameters, Bytes s, Bytes v) {
  if (!is_valid(parameters) || s.size() > kMaxSaltSize) return fail(Errc::misuse);
  PAKE_TRY(const auto number, decode_share(parameters, v));
  return Verifier(parameters, s, as_stored(parameters, number));
}

//   s = HMAC(secret, "salt" | I), cut;  v = g^HMAC(secret, "verifier" | I)
Result<Verifier> Verifier::fake(const Parameters& parameters, Bytes server_secret, Bytes I) {
  PAKE_TRYV(check(parameters, I));
  if (server_secret.size() < kMinServerSecret) return fail(Errc::misuse);
  const auto salt = crypto::hmac(crypto::HashId::sha256, server_secret, {as_bytes("salt"), I});
  auto s = to_buffer(salt.reveal().first(is_proton(parameters) ? kProtonSaltSize : kSaltSize));
  declassify(s);
  make_first_octet_nonzero(s);
  const auto x = crypto::hmac(crypto::HashId::sha256, server_secret, {as_bytes("verifier"), I});
  return Verifier(parameters, s, make_v(parameters, x.reveal()));
}

SecretBuffer Verifier::encode(std::uint32_t epoch) const {
  const std::array<std::uint8_t, 3> numbers = {static_cast<std::uint8_t>(parameters_.group),
                                               static_cast<std::uint8_t>(parameters_.hash),
                                               static_cast<std::uint8_t>(s_.size())};
  return concat({encode_stored_header({.kind = StoredKind::srp_verifier,
                                       .suite = static_cast<std::uint8_t>(parameters_.mode),
                                       .ksf = 0,
                                       .epoch = epoch}),
                 numbers, s_, v_.reveal()});
}

Result<Verifier> Verifier::decode(Bytes bytes, const Modulus* modulus) {
  Reader reader(bytes);
  PAKE_TRY(const auto header, take_stored_header(reader, StoredKind::srp_verifier));
  PAKE_TRY(const auto group, reader.u8());
  PAKE_TRY(const auto hash, reader.u8());
  PAKE_TRY(const auto s, reader.take_lp1());
  const Parameters parameters = {.mode = static_cast<Mode>(header.suite),
                                 .group = static_cast<Group>(group),
                                 .hash = static_cast<crypto::HashId>(hash),
                                 .modulus = static_cast<Group>(group) == Group::proton ? modulus : nullptr};
  if (header.ksf != 0 || !is_valid(parameters) || reader.rest().size() != group_size(parameters.group))
    return fail(Errc::malformed);
  return import(parameters, s, reader.rest());
}

}  // namespace pake::srp
