#include "pake/crypto/ksf.h"

#include <argon2.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <exception>
#include <latch>
#include <limits>
#include <thread>
#include <vector>

#include "pake/internal/try.h"
#include "sodium_init.h"

namespace pake::crypto {
namespace {

constexpr std::size_t kMinOutputSize = 16;
constexpr std::size_t kMaxLongOutputSize = 1024;
constexpr std::uint32_t kMaxIterations = 10'000'000;

int strength(KsfProfile profile) noexcept {
  switch (profile) {
    case KsfProfile::small:
      return 1;
    case KsfProfile::scrypt_rfc9807:
      return 2;
    case KsfProfile::rfc9106_2:
      return 3;
    case KsfProfile::rfc9807:
      return 4;
  }
  std::abort();
}

/// A digest of `size` bytes written by `compute(MutableBytes)`, which says whether it could.
template <class Compute>
Result<Digest> digest_of(std::size_t size, Compute&& compute) {
  if (size < kMinOutputSize || size > kMaxHashSize) return fail(Errc::misuse);
  bool computed = false;
  auto digest = Digest::make(size, [&](MutableBytes out) { computed = compute(out); });
  if (!computed) return fail(Errc::unavailable);
  return digest;
}

// RFC 9106, Section 3.1: the bounds of the parameters. Beyond them only memory and threads can be missing.
bool in_bounds(const Argon2id& argon2id) noexcept {
  return argon2id.lanes >= 1 && argon2id.lanes <= ARGON2_MAX_LANES && argon2id.passes >= 1 &&
         argon2id.memory_kib / 8 >= argon2id.lanes && argon2id.salt.size() >= 8;
}

// RFC 7914, Section 2: N a power of two above 1, r * p < 2^30. N is bounded so that 128 * N * r is a size.
bool in_bounds(const Scrypt& scrypt) noexcept {
  return scrypt.N > 1 && std::has_single_bit(scrypt.N) && scrypt.N <= std::numeric_limits<std::uint32_t>::max() &&
         scrypt.r >= 1 && scrypt.p >= 1 && scrypt.r < (1U << 30U) / scrypt.p && scrypt.r < (1U << 20U);
}

// Whether the system gives so many threads at once. It then gives them again: their stacks stay with the process.
bool has_threads(std::uint32_t count) {
  std::latch decided(1);
  std::vector<std::jthread> threads;
  bool has_all = true;
  try {
    threads.reserve(count);
    while (threads.size() < count) threads.emplace_back([&decided] { decided.wait(); });
  } catch (const std::exception&) {
    has_all = false;
  }
  decided.count_down();
  return has_all;
}

// The reference implementation (20171227) frees the memory under its running threads if the system does not give the
// next one. One lane after the other makes the same tag.
std::uint32_t threads_for(std::uint32_t lanes) { return has_threads(lanes) ? lanes : 1; }

// The faster library for each setting: one lane by libsodium, which has no more; several by the reference
// implementation, each in a thread of its own. docs/performance.md has the figures.
bool compute(const Argon2id& argon2id, Bytes input, MutableBytes out) {
  if (argon2id.lanes == 1 && argon2id.salt.size() == crypto_pwhash_argon2id_SALTBYTES) {
    ensure_sodium();
    const auto password = as_text(input);
    return crypto_pwhash_argon2id(out.data(), out.size(), password.data(), password.size(), argon2id.salt.data(),
                                  argon2id.passes, std::size_t{argon2id.memory_kib} * 1024,
                                  crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0;
  }
  argon2_context context{};
  context.out = out.data();
  context.outlen = static_cast<std::uint32_t>(out.size());
  context.pwd = const_cast<std::uint8_t*>(input.data());  // only read
  context.pwdlen = static_cast<std::uint32_t>(input.size());
  context.salt = const_cast<std::uint8_t*>(argon2id.salt.data());
  context.saltlen = static_cast<std::uint32_t>(argon2id.salt.size());
  context.t_cost = argon2id.passes;
  context.m_cost = argon2id.memory_kib;
  context.lanes = argon2id.lanes;
  context.threads = threads_for(argon2id.lanes);
  context.version = ARGON2_VERSION_13;
  context.flags = ARGON2_DEFAULT_FLAGS;
  return argon2id_ctx(&context) == ARGON2_OK;
}

bool compute(const Scrypt& scrypt, Bytes input, MutableBytes out) {
  // What OpenSSL counts against its ceiling, which is 32 MiB unless raised: the blocks B, V and two more.
  const auto memory = std::uint64_t{128} * scrypt.r * (scrypt.N + scrypt.p + 2);
  const auto password = as_text(input);
  return EVP_PBE_scrypt(password.data(), password.size(), scrypt.salt.data(), scrypt.salt.size(), scrypt.N, scrypt.r,
                        scrypt.p, memory, out.data(), out.size()) == 1;
}

/// The same of any size.
template <class Compute>
Result<SecretBuffer> buffer_of(std::size_t size, Compute&& compute) {
  bool computed = false;
  auto buffer = SecretBuffer::make(size, [&](MutableBytes out) { computed = compute(out); });
  if (!computed) return fail(Errc::unavailable);
  return buffer;
}

struct LongStretch {
  Bytes input;
  std::size_t size;

  template <class Parameters>
  Result<SecretBuffer> operator()(const Parameters& parameters) const {
    if (!in_bounds(parameters) || size < kMinOutputSize || size > kMaxLongOutputSize) return fail(Errc::misuse);
    return buffer_of(size, [&](MutableBytes out) { return compute(parameters, input, out); });
  }
  Result<SecretBuffer> operator()(IdentityWithoutAnyProtection) const { return fail(Errc::misuse); }
};

struct Stretch {
  Bytes input;

  Result<Digest> operator()(const Argon2id& argon2id) const {
    if (!in_bounds(argon2id)) return fail(Errc::misuse);
    return digest_of(argon2id.tag_length, [&](MutableBytes out) { return compute(argon2id, input, out); });
  }
  Result<Digest> operator()(const Scrypt& scrypt) const {
    if (!in_bounds(scrypt)) return fail(Errc::misuse);
    return digest_of(scrypt.output_length, [&](MutableBytes out) { return compute(scrypt, input, out); });
  }
  Result<Digest> operator()(IdentityWithoutAnyProtection) const {
    if (input.size() < kMinOutputSize || input.size() > kMaxHashSize) return fail(Errc::misuse);
    return Digest::copy_of(input);
  }
};

}  // namespace

Result<KsfProfile> decode_ksf_profile(std::uint8_t byte) {
  const auto profile = static_cast<KsfProfile>(byte);
  switch (profile) {
    case KsfProfile::rfc9807:
    case KsfProfile::rfc9106_2:
    case KsfProfile::scrypt_rfc9807:
    case KsfProfile::small:
      return profile;
  }
  return fail(Errc::malformed);
}

std::string_view to_string(KsfProfile profile) noexcept {
  switch (profile) {
    case KsfProfile::rfc9807:
      return "rfc9807";
    case KsfProfile::rfc9106_2:
      return "rfc9106-2";
    case KsfProfile::scrypt_rfc9807:
      return "scrypt-rfc9807";
    case KsfProfile::small:
      return "small";
  }
  return "unknown";
}

std::strong_ordering compare_strength(KsfProfile a, KsfProfile b) noexcept { return strength(a) <=> strength(b); }

KsfParameters ksf_parameters(KsfProfile profile, std::size_t output_length) {
  switch (profile) {
    case KsfProfile::rfc9807:
      return Argon2id{.memory_kib = 1U << 21U, .passes = 1, .lanes = 4, .tag_length = output_length};
    case KsfProfile::rfc9106_2:
      return Argon2id{.memory_kib = 1U << 16U, .passes = 3, .lanes = 4, .tag_length = output_length};
    case KsfProfile::scrypt_rfc9807:
      return Scrypt{.N = 32768, .r = 8, .p = 1, .output_length = output_length};
    case KsfProfile::small:
      return Argon2id{.memory_kib = 19 * 1024, .passes = 2, .lanes = 1, .tag_length = output_length};
  }
  std::abort();
}

Result<Digest> stretch(const KsfParameters& parameters, Bytes input) { return std::visit(Stretch{input}, parameters); }

Result<SecretBuffer> stretch(const KsfParameters& parameters, Bytes input, std::size_t size) {
  return std::visit(LongStretch{.input = input, .size = size}, parameters);
}

Result<SecretBuffer> pbkdf2(HashId hash, Bytes password, Bytes salt, std::uint32_t iterations, std::size_t size) {
  if (iterations == 0 || iterations > kMaxIterations || size == 0 || size > kMaxLongOutputSize)
    return fail(Errc::misuse);
  // T_i = U_1 xor ... xor U_c;  U_1 = PRF(P, S || INT(i)), U_j = PRF(P, U_(j-1)). By our own HMAC, keyed once.
  const Hmac keyed(hash, password);
  return SecretBuffer::make(size, [&](MutableBytes out) {
    std::uint8_t block = 0;  // 1,024 bytes are at most 52 blocks
    for (auto rest = out; !rest.empty();) {
      const std::array<std::uint8_t, 4> number = {0, 0, 0, ++block};
      auto U = Hmac(keyed).update(salt).update(number).finish();
      auto T = Digest::copy_of(U.reveal());
      for (std::uint32_t i = 1; i < iterations; ++i) {
        U = Hmac(keyed).update(U.reveal()).finish();
        T = Digest::make(T.size(), [&](MutableBytes sum) {
          for (std::size_t at = 0; at < sum.size(); ++at)
            sum[at] = static_cast<std::uint8_t>(T.reveal()[at] ^ U.reveal()[at]);
        });
      }
      const auto taken = std::min(rest.size(), T.size());
      std::copy_n(T.reveal().begin(), taken, rest.begin());
      rest = rest.subspan(taken);
    }
  });
}

}  // namespace pake::crypto
