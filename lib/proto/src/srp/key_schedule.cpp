#include "key_schedule.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "octets.h"
#include "pake/internal/try.h"

namespace pake::srp {
namespace {

using crypto::HashId;

// Scheme, g in k, A and B in u, g in M1, A and B in M1 and M2, sent, S in K, name in x
constexpr std::array<Convention, 10> kConventions = {{
    {Scheme::srp6a, Form::PAD, Form::PAD, Form::PAD, Form::MIN, Form::PAD, Form::MIN, true},   // rfc5054
    {Scheme::srp6a, Form::MIN, Form::MIN, Form::MIN, Form::MIN, Form::MIN, Form::MIN, true},   // pysrp
    {Scheme::srp6a, Form::PAD, Form::PAD, Form::PAD, Form::MIN, Form::MIN, Form::MIN, true},   // pysrp_rfc5054
    {Scheme::srp6a, Form::PAD, Form::PAD, Form::MIN, Form::PAD, Form::PAD, Form::MIN, true},   // homekit
    {Scheme::srp6a, Form::PAD, Form::PAD, Form::PAD, Form::MIN, Form::MIN, Form::MIN, false},  // no_username
    {Scheme::srp3, Form::MIN, Form::MIN, Form::MIN, Form::MIN, Form::MIN, Form::MIN, true},    // rfc2945_insecure
    {Scheme::cognito, Form::signed_MIN, Form::signed_MIN, Form::MIN, Form::MIN, Form::MIN, Form::signed_MIN, true},
    {Scheme::proton, Form::reversed, Form::reversed, Form::reversed, Form::reversed, Form::reversed, Form::reversed,
     false},
    {Scheme::srp6a, Form::PAD, Form::PAD, Form::MIN, Form::PAD, Form::PAD, Form::PAD, true},  // fast_srp_hap
    {Scheme::srp6a, Form::MIN, Form::PAD, Form::MIN, Form::PAD, Form::PAD, Form::PAD, true},  // secure_remote_password
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

constexpr std::size_t kProtonSize = 256;  // of a Modulus

SecretBuffer reversed(Bytes bytes) {
  return SecretBuffer::make(bytes.size(), [&](MutableBytes out) { std::ranges::reverse_copy(bytes, out.begin()); });
}

/// go-srp's: SHA512(data | 00) | SHA512(data | 01) | SHA512(data | 02) | SHA512(data | 03)
SecretBuffer ExpandHash(Bytes data) {
  constexpr std::size_t kPart = crypto::output_size(HashId::sha512);
  return SecretBuffer::make(4 * kPart, [&](MutableBytes out) {
    for (std::uint8_t i = 0; i < 4; ++i) {
      const std::array<std::uint8_t, 1> counter = {i};
      std::ranges::copy(crypto::hash(HashId::sha512, {data, counter}).reveal(), out.begin() + i * kPart);
    }
  });
}

SecretBuffer to_number(const Digest& digest) { return SecretBuffer::copy_of(digest.reveal()); }

bool is_one(Bytes number) noexcept { return MIN(number).size() == 1 && declassify_value(number.back()) == 1; }

}  // namespace

struct ModulusAccess {
  [[nodiscard]] static const crypto::ModularGroup& group(const Modulus& modulus) noexcept { return *modulus.group_; }
};

Modulus::Modulus(std::unique_ptr<const crypto::ModularGroup> group) noexcept : group_(std::move(group)) {}
Modulus::Modulus(Modulus&&) noexcept = default;
Modulus& Modulus::operator=(Modulus&&) noexcept = default;
Modulus::~Modulus() = default;

Result<Modulus> Modulus::decode(Bytes N) {
  if (N.size() != kProtonSize || N.back() < 0x80 || N.front() % 8 != 3) return fail(Errc::malformed);
  const auto number = reversed(N);
  if (!crypto::is_safe_prime(number.reveal())) return fail(Errc::malformed);
  PAKE_TRY(auto group, crypto::ModularGroup::make(number.reveal()));
  return Modulus(std::make_unique<const crypto::ModularGroup>(std::move(group)));
}

bool is_valid(const Parameters& parameters) noexcept {
  const auto in = [](auto value, std::size_t count) {
    return std::to_underlying(value) >= 1 && std::to_underlying(value) <= count;
  };
  const auto& [mode, group, hash, modulus] = parameters;
  if (!in(mode, kConventions.size()) || !in(group, kGroups.size() + 1) ||
      std::to_underlying(hash) >= crypto::kHashSizes.size() || (group == Group::proton) != (modulus != nullptr))
    return false;
  switch (mode) {
    case Mode::rfc2945_insecure:
      return hash == HashId::sha1 && group != Group::proton;
    case Mode::cognito:
      return hash == HashId::sha256 && group == Group::bits_3072;
    case Mode::proton:  // RFC 5054's N of 2048 bits is a modulus of the kind, too
      return hash == HashId::sha512 && (group == Group::proton || group == Group::bits_2048);
    case Mode::secure_remote_password:
      return hash == HashId::sha256 && group == Group::bits_2048;
    default:
      return group != Group::proton;
  }
}

std::size_t group_size(Group group) noexcept { return group == Group::proton ? kProtonSize : modular(group).size(); }

std::size_t proof_size(const Parameters& parameters) noexcept {
  return convention(parameters.mode).scheme == Scheme::proton ? kProtonSize : crypto::output_size(parameters.hash);
}

// bcrypt's base64 has an alphabet of its own, most significant bits first, and no padding.
Result<Buffer> proton_setting(Bytes s) {
  if (s.size() != kProtonSaltSize) return fail(Errc::misuse);
  constexpr std::string_view kAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  auto salt = to_buffer(s);
  for (const char each : std::string_view("proton")) salt.push_back(static_cast<std::uint8_t>(each));
  auto setting = to_buffer(as_bytes("$2y$10$"));
  unsigned bits = 0, count = 0;
  const auto put = [&](unsigned digit) { setting.push_back(static_cast<std::uint8_t>(kAlphabet[digit % 64])); };
  for (const auto octet : salt) {
    bits = bits << 8U | octet;
    for (count += 8; count >= 6; count -= 6) put(bits >> (count - 6));
  }
  put(bits << (6 - count));  // 16 octets: two bits are left
  return setting;
}

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

SecretBuffer octets(Form form, Bytes number, std::size_t size) {
  switch (form) {
    case Form::MIN:
      return SecretBuffer::copy_of(MIN(number));
    case Form::PAD:
      return PAD(number, size);
    case Form::signed_MIN: {
      const auto least = MIN(number);
      const bool has_sign_octet = least.empty() || declassify_value(least.front() >> 7U) != 0;
      return PAD(least, least.size() + (has_sign_octet ? 1 : 0));
    }
    case Form::reversed:
      return reversed(PAD(number, size).reveal());
  }
  std::abort();
}

const crypto::ModularGroup& modular(Group group) { return crypto::modular_group(of(group).prime); }
const crypto::ModularGroup& modular(const Parameters& parameters) {
  if (parameters.group == Group::proton) return ModulusAccess::group(*parameters.modulus);
  return modular(parameters.group);
}
Residue generator(const Parameters& parameters) {
  const auto scheme = convention(parameters.mode).scheme;
  const bool is_two = scheme == Scheme::cognito || scheme == Scheme::proton;
  const std::array<std::uint8_t, 1> g = {is_two ? std::uint8_t{2} : of(parameters.group).generator};
  return modular(parameters).reduce(g);
}

SecretBuffer compute_k(const Parameters& parameters) {
  const auto& rule = convention(parameters.mode);
  const auto& N = modular(parameters);
  const auto g = octets(rule.g_in_k, generator(parameters).reveal(), N.size());
  const auto n = octets(rule.g_in_k == Form::MIN ? Form::PAD : rule.g_in_k, N.modulus(), N.size());
  if (rule.scheme == Scheme::proton) return reversed(ExpandHash(concat({g.reveal(), n.reveal()}).reveal()).reveal());
  return to_number(crypto::hash(parameters.hash, {n.reveal(), g.reveal()}));
}

SecretBuffer compute_x(const Parameters& parameters, Bytes I, Bytes P, Bytes s) {
  const auto& rule = convention(parameters.mode);
  if (rule.scheme == Scheme::proton) {
    const auto& N = modular(parameters);
    const auto n = octets(Form::reversed, N.modulus(), N.size());
    return reversed(ExpandHash(concat({P, n.reveal()}).reveal()).reveal());
  }
  if (!rule.has_name_in_x) I = {};
  const auto inner = crypto::hash(parameters.hash, {I, as_bytes(":"), P});
  if (rule.scheme == Scheme::cognito)
    return to_number(crypto::hash(parameters.hash, {octets(Form::signed_MIN, s, s.size()).reveal(), inner.reveal()}));
  return to_number(crypto::hash(parameters.hash, {s, inner.reveal()}));
}

SecretBuffer compute_u(const Parameters& parameters, Bytes A, Bytes B) {
  const auto& rule = convention(parameters.mode);
  if (rule.scheme == Scheme::srp3)
    return SecretBuffer::copy_of(crypto::hash(parameters.hash, {MIN(B)}).reveal().first(4));
  const auto size = group_size(parameters.group);
  const auto a = octets(rule.shares_in_u, A, size), b = octets(rule.shares_in_u, B, size);
  if (rule.scheme == Scheme::proton) return reversed(ExpandHash(concat({a.reveal(), b.reveal()}).reveal()).reveal());
  return to_number(crypto::hash(parameters.hash, {a.reveal(), b.reveal()}));
}

Residue compute_A(const Parameters& parameters, Bytes a) { return modular(parameters).power(generator(parameters), a); }

Residue compute_B(const Parameters& parameters, const Residue& v, Bytes b) {
  const auto& N = modular(parameters);
  const auto g_b = N.power(generator(parameters), b);
  if (convention(parameters.mode).scheme == Scheme::srp3) return N.add(v, g_b);
  return N.add(N.multiply(N.reduce(compute_k(parameters).reveal()), v), g_b);
}

Residue client_S(const Parameters& parameters, const Residue& B, Bytes x, Bytes a, Bytes u) {
  const auto& N = modular(parameters);
  auto v = N.power(generator(parameters), x);
  if (convention(parameters.mode).scheme != Scheme::srp3) v = N.multiply(N.reduce(compute_k(parameters).reveal()), v);
  return N.power(N.subtract(B, v), crypto::multiply_add(u, x, a).reveal());
}

Residue server_S(const Parameters& parameters, const Residue& A, const Residue& v, Bytes u, Bytes b) {
  const auto& N = modular(parameters);
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

SessionKeyK compute_K(const Parameters& parameters, Bytes S, Bytes u) {
  const auto& rule = convention(parameters.mode);
  if (rule.scheme == Scheme::srp3) return sha_interleave(S);
  const auto size = group_size(parameters.group);
  const auto s = octets(rule.S_in_K, S, size);
  if (rule.scheme == Scheme::cognito) {
    const auto salt = octets(Form::signed_MIN, u, u.size());
    const auto prk = crypto::hkdf_extract(parameters.hash, salt.reveal(), {s.reveal()});
    return SessionKeyK::make(16, [&](MutableBytes out) {
      crypto::hkdf_expand(parameters.hash, prk.reveal(), {as_bytes("Caldera Derived Key")}, out);
    });
  }
  if (parameters.mode == Mode::fast_srp_hap && parameters.hash == HashId::sha1) {
    constexpr std::array<std::uint8_t, 4> kFirst = {0, 0, 0, 0}, kSecond = {0, 0, 0, 1};
    return SessionKeyK::copy_of(concat({crypto::hash(parameters.hash, {s.reveal(), kFirst}).reveal(),
                                        crypto::hash(parameters.hash, {s.reveal(), kSecond}).reveal()})
                                    .reveal());
  }
  return SessionKeyK::copy_of(crypto::hash(parameters.hash, {s.reveal()}).reveal());
}

Keys derive_keys(const Parameters& parameters, const Residue& S, Bytes u) {
  const bool is_proton = convention(parameters.mode).scheme == Scheme::proton;
  return {.K = compute_K(parameters, S.reveal(), u),
          .premaster = octets(is_proton ? Form::reversed : Form::MIN, S.reveal(), S.reveal().size())};
}

Bytes proven(const Parameters& parameters, const Keys& keys) noexcept {
  return convention(parameters.mode).scheme == Scheme::proton ? keys.premaster.reveal() : keys.K.reveal();
}

SecretBuffer compute_M1(const Parameters& parameters, Bytes I, Bytes s, Bytes A, Bytes B, Bytes K) {
  const auto& rule = convention(parameters.mode);
  const auto& N = modular(parameters);
  const auto a = octets(rule.shares_in_M, A, N.size()), b = octets(rule.shares_in_M, B, N.size());
  if (rule.scheme == Scheme::proton) return ExpandHash(concat({a.reveal(), b.reveal(), K}).reveal());
  const auto H_N = crypto::hash(parameters.hash, {N.modulus()});
  const auto g = octets(rule.g_in_M1, generator(parameters).reveal(), N.size());
  const auto H_g = crypto::hash(parameters.hash, {g.reveal()});
  const auto mixed = Digest::make(H_N.size(), [&](MutableBytes out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(H_N.reveal()[i] ^ H_g.reveal()[i]);
  });
  return to_number(crypto::hash(
      parameters.hash, {mixed.reveal(), crypto::hash(parameters.hash, {I}).reveal(), s, a.reveal(), b.reveal(), K}));
}

SecretBuffer compute_M2(const Parameters& parameters, Bytes A, Bytes M1, Bytes K) {
  const auto& rule = convention(parameters.mode);
  const auto a = octets(rule.shares_in_M, A, group_size(parameters.group));
  if (rule.scheme == Scheme::proton) return ExpandHash(concat({a.reveal(), M1, K}).reveal());
  return to_number(crypto::hash(parameters.hash, {a.reveal(), M1, K}));
}

SecretBuffer compute_claim(const Parameters& parameters, Bytes I, const Claim& claim, Bytes K) {
  return to_number(crypto::hmac(parameters.hash, K, {I, claim.SECRET_BLOCK, claim.TIMESTAMP}));
}

SecretBuffer number_of(const Parameters& parameters, Bytes bytes) {
  const bool is_proton = convention(parameters.mode).scheme == Scheme::proton;
  return PAD(is_proton ? reversed(bytes).reveal() : bytes, group_size(parameters.group));
}

Buffer to_send(const Parameters& parameters, const Residue& share) {
  declassify(share.reveal());
  return to_buffer(octets(convention(parameters.mode).sent, share.reveal(), share.reveal().size()).reveal());
}

Result<Residue> decode_share(const Parameters& parameters, Bytes bytes) {
  const auto& N = modular(parameters);
  const bool is_proton = convention(parameters.mode).scheme == Scheme::proton;
  if (is_proton && bytes.size() != N.size()) return fail(Errc::malformed);
  PAKE_TRY(auto share, is_proton ? N.decode(reversed(bytes).reveal()) : N.decode(bytes));
  if (share.is_zero()) return fail(Errc::malformed);
  if (is_proton && (is_one(share.reveal()) || is_one(N.subtract(N.reduce({}), share).reveal())))
    return fail(Errc::malformed);
  return share;
}

}  // namespace pake::srp
