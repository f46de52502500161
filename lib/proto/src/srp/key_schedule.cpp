#include "key_schedule.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "octets.h"
#include "pake/internal/try.h"

namespace pake::srp {
namespace {

using crypto::HashId;

// Mode            k      u      g in M1  shares  sent   name   SRP-3
constexpr std::array<Convention, 6> kConventions = {{
    {true, true, true, false, true, true, false},      // rfc5054
    {false, false, false, false, false, true, false},  // pysrp
    {true, true, true, false, false, true, false},     // pysrp_rfc5054
    {true, true, false, true, true, true, false},      // homekit
    {true, true, true, false, false, false, false},    // no_username
    {false, false, false, false, false, true, true},   // rfc2945_insecure
}};

struct GroupParameters {
  crypto::Prime prime;
  std::uint8_t generator;
};
constexpr std::array<GroupParameters, 7> kGroups = {{{crypto::Prime::srp_1024, 2},
                                                     {crypto::Prime::srp_1536, 2},
                                                     {crypto::Prime::srp_2048, 2},
                                                     {crypto::Prime::ike_3072, 5},
                                                     {crypto::Prime::ike_4096, 5},
                                                     {crypto::Prime::ike_6144, 5},
                                                     {crypto::Prime::ike_8192, 19}}};

const GroupParameters& of(Group group) noexcept { return kGroups.at(std::to_underlying(group) - 1U); }

/// A number as a mode hashes it.
SecretBuffer as_hashed(bool pads, Bytes number, std::size_t size) {
  return pads ? PAD(number, size) : SecretBuffer::copy_of(MIN(number));
}

}  // namespace

bool is_valid(const Parameters& parameters) noexcept {
  const auto in = [](auto value, std::size_t count) {
    return std::to_underlying(value) >= 1 && std::to_underlying(value) <= count;
  };
  return in(parameters.mode, kConventions.size()) && in(parameters.group, kGroups.size()) &&
         std::to_underlying(parameters.hash) < crypto::kHashSizes.size() &&
         (parameters.mode != Mode::rfc2945_insecure || parameters.hash == HashId::sha1);
}

std::size_t group_size(Group group) noexcept { return modular(group).size(); }

const Convention& convention(Mode mode) noexcept { return kConventions.at(std::to_underlying(mode) - 1U); }

Bytes MIN(Bytes number) noexcept {
  while (!number.empty() && declassify_value(number.front()) == 0) number = number.subspan(1);
  return number;
}

SecretBuffer PAD(Bytes number, std::size_t size) {
  if (number.size() > size) number = number.last(size);
  return SecretBuffer::make(size, [&](MutableBytes out) {
    std::ranges::copy(number, out.end() - static_cast<std::ptrdiff_t>(number.size()));
  });
}

const crypto::ModularGroup& modular(Group group) { return crypto::modular_group(of(group).prime); }
Residue generator(Group group) {
  const std::array<std::uint8_t, 1> g = {of(group).generator};
  return modular(group).reduce(g);
}

Digest compute_k(const Parameters& parameters) {
  const auto& N = modular(parameters.group);
  const auto g = as_hashed(convention(parameters.mode).pads_k, generator(parameters.group).reveal(), N.size());
  return crypto::hash(parameters.hash, {N.modulus(), g.reveal()});
}

Digest compute_x(const Parameters& parameters, Bytes I, Bytes P, Bytes s) {
  if (!convention(parameters.mode).has_name_in_x) I = {};
  const auto inner = crypto::hash(parameters.hash, {I, as_bytes(":"), P});
  return crypto::hash(parameters.hash, {s, inner.reveal()});
}

Digest compute_u(const Parameters& parameters, Bytes A, Bytes B) {
  const auto& rule = convention(parameters.mode);
  if (rule.is_srp3) return Digest::copy_of(crypto::hash(parameters.hash, {MIN(B)}).reveal().first(4));
  const auto size = group_size(parameters.group);
  return crypto::hash(parameters.hash,
                      {as_hashed(rule.pads_u, A, size).reveal(), as_hashed(rule.pads_u, B, size).reveal()});
}

Residue compute_A(const Parameters& parameters, Bytes a) {
  return modular(parameters.group).power(generator(parameters.group), a);
}

Residue compute_B(const Parameters& parameters, const Residue& v, Bytes b) {
  const auto& N = modular(parameters.group);
  const auto g_b = N.power(generator(parameters.group), b);
  if (convention(parameters.mode).is_srp3) return N.add(v, g_b);
  return N.add(N.multiply(N.reduce(compute_k(parameters).reveal()), v), g_b);
}

Residue client_S(const Parameters& parameters, const Residue& B, Bytes x, Bytes a, Bytes u) {
  const auto& N = modular(parameters.group);
  auto v = N.power(generator(parameters.group), x);
  if (!convention(parameters.mode).is_srp3) v = N.multiply(N.reduce(compute_k(parameters).reveal()), v);
  return N.power(N.subtract(B, v), crypto::multiply_add(u, x, a).reveal());
}

Residue server_S(const Parameters& parameters, const Residue& A, const Residue& v, Bytes u, Bytes b) {
  const auto& N = modular(parameters.group);
  return N.power(N.multiply(A, N.power(v, u)), b);
}

// RFC 2945, Section 3.1.
//   T = MIN(S), without its first octet where that makes its length even;  E, F its octets in turn
//   G = SHA1(E), H = SHA1(F);  result = G[0] | H[0] | G[1] | H[1] | ...
SessionKeyK sha_interleave(Bytes S) {
  auto T = MIN(S);
  if (T.size() % 2 != 0) T = T.subspan(1);
  const auto every_other = [&](std::size_t first) {
    return SecretBuffer::make(T.size() / 2, [&](MutableBytes out) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = T[2 * i + first];
    });
  };
  const auto G = crypto::hash(HashId::sha1, {every_other(0).reveal()});
  const auto H = crypto::hash(HashId::sha1, {every_other(1).reveal()});
  return SessionKeyK::make(2 * G.size(), [&](MutableBytes out) {
    for (std::size_t i = 0; i < G.size(); ++i) {
      out[2 * i] = G.reveal()[i];
      out[2 * i + 1] = H.reveal()[i];
    }
  });
}

SessionKeyK compute_K(const Parameters& parameters, Bytes S) {
  if (convention(parameters.mode).is_srp3) return sha_interleave(S);
  return SessionKeyK::copy_of(crypto::hash(parameters.hash, {MIN(S)}).reveal());
}

Digest compute_M1(const Parameters& parameters, Bytes I, Bytes s, Bytes A, Bytes B, Bytes K) {
  const auto& rule = convention(parameters.mode);
  const auto& N = modular(parameters.group);
  const auto H_N = crypto::hash(parameters.hash, {N.modulus()});
  const auto g = as_hashed(rule.pads_g_in_M1, generator(parameters.group).reveal(), N.size());
  const auto H_g = crypto::hash(parameters.hash, {g.reveal()});
  const auto mixed = Digest::make(H_N.size(), [&](MutableBytes out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(H_N.reveal()[i] ^ H_g.reveal()[i]);
  });
  return crypto::hash(parameters.hash, {mixed.reveal(), crypto::hash(parameters.hash, {I}).reveal(), s,
                                        as_hashed(rule.pads_shares, A, N.size()).reveal(),
                                        as_hashed(rule.pads_shares, B, N.size()).reveal(), K});
}

Digest compute_M2(const Parameters& parameters, Bytes A, Bytes M1, Bytes K) {
  const auto size = group_size(parameters.group);
  return crypto::hash(parameters.hash, {as_hashed(convention(parameters.mode).pads_shares, A, size).reveal(), M1, K});
}

Buffer to_send(const Parameters& parameters, const Residue& share) {
  declassify(share.reveal());
  return to_buffer(convention(parameters.mode).sends_padded ? share.reveal() : MIN(share.reveal()));
}

Result<Residue> decode_share(const Parameters& parameters, Bytes bytes) {
  PAKE_TRY(auto share, modular(parameters.group).decode(bytes));
  if (share.is_zero()) return fail(Errc::malformed);
  return share;
}

}  // namespace pake::srp
