#include "lab/no_pem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lab/plot.h"
#include "lab/text_file.h"
#include "pake/crypto/base64.h"
#include "pake/crypto/rng.h"
#include "pake/crypto/rsa.h"

namespace pake::cli::lab {
namespace {

std::vector<std::uint32_t> odd_primes() {
  std::vector<std::uint32_t> primes;
  for (std::uint32_t n = 3; n < kSmallFactors; n += 2)
    if (std::ranges::all_of(primes, [n](std::uint32_t p) { return n % p != 0; })) primes.push_back(n);
  return primes;
}

const std::vector<std::uint32_t>& primes() {
  static const auto all = odd_primes();
  return all;
}

std::uint32_t modulo(Bytes number, std::uint32_t divisor) noexcept {
  std::uint64_t rest = 0;
  for (const auto byte : number) rest = (rest << 8U | byte) % divisor;
  return static_cast<std::uint32_t>(rest);
}

/// The products of as many neighbouring primes as fit 32 bits: one division serves several of them.
const std::vector<std::uint32_t>& products() {
  static const auto all = [] {
    std::vector<std::uint32_t> products;
    std::uint64_t product = 1;
    for (const auto prime : primes()) {
      if (product * prime > 0xffffffffU) {
        products.push_back(static_cast<std::uint32_t>(product));
        product = 1;
      }
      product *= prime;
    }
    products.push_back(static_cast<std::uint32_t>(product));
    return products;
  }();
  return all;
}

// The DER of our own keys of 1,024 bits with the exponent 65537 has 162 bytes, the modulus from the 29th on (RFC 3279,
// Section 2.3.1, behind the headers).
constexpr std::size_t kDerSize = 162;
constexpr std::size_t kModulusAt = 29;

Result<Buffer> fresh_bare_key(Rng& rng) {
  const auto pair = crypto::RsaKeyPair::generate(crypto::kRsaMinBits);
  if (!pair) return fail(pair.error());
  std::string base64;
  std::string_view pem = pair->public_pem();
  pem.remove_prefix(kPemBegins.size());
  for (const char c : pem.substr(0, pem.find('-')))
    if (c != '\n') base64 += c;
  const auto der = crypto::base64_decode(as_bytes(base64));
  if (!der || der->size() != kDerSize) return fail(Errc::malformed);
  Buffer key(kBareKey);
  std::ranges::copy(Bytes(*der).subspan(kModulusAt, kBareModulus), key.begin());
  // Choice: any odd exponent. An honest side takes one without a common factor with phi(n), which nobody sees.
  rng.fill(MutableBytes(key).subspan(kBareModulus));
  key.back() |= 1U;
  return key;
}

Buffer encrypt(CipherMode mode, Bytes secret, Bytes text) {
  const auto key = cipher_key(secret);
  auto blocks = to_buffer(text);
  if (mode == CipherMode::gcm)
    crypto::aes128_gcm_xor_key_stream(key, key, blocks);
  else
    crypto::aes128_cbc_encrypt_unpadded(key, key, blocks);
  return blocks;
}

}  // namespace

bool has_odd_exponent(Bytes bare_key) noexcept { return (bare_key[kBareKey - 1] & 1U) != 0; }

bool has_fitting_modulus(Bytes bare_key) noexcept {
  const auto n = bare_key.first(kBareModulus);
  if ((n.front() & 0x80U) == 0 || (n.back() & 1U) == 0) return false;
  return std::ranges::all_of(products(),
                             [n](std::uint32_t product) { return std::gcd(modulo(n, product), product) == 1; });
}

double share_without_small_factors() noexcept {
  double share = 1;
  for (const auto prime : primes()) share *= 1 - 1.0 / prime;
  return share;
}

Expected<std::vector<Left>> partition_without_pem(const Words& words, std::string_view word, CipherMode mode,
                                                  std::size_t runs) {
  crypto::SystemRng rng;
  std::vector<bool> odd(words.size(), true);
  std::vector<bool> both(words.size(), true);
  const auto wrong = static_cast<double>(words.size() - 1);
  const auto share = share_without_small_factors();
  std::vector<Left> partition = {
      {.odd = words.size(), .expected_odd = wrong + 1, .both = words.size(), .expected_both = wrong + 1}};
  for (std::size_t run = 1; run <= runs; ++run) {
    const auto key = fresh_bare_key(rng);
    if (!key) return std::unexpected(Problem{.error = "a fresh key could not be made"});
    const auto message = encrypt(mode, as_bytes(word), *key);
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (!odd[i]) continue;
      const auto guess = decrypt(mode, as_bytes(words[i]), message);
      odd[i] = has_odd_exponent(guess);
      both[i] = both[i] && odd[i] && has_fitting_modulus(guess);
    }
    // In gcm the three bits are wrong in every run or in none; small factors come and go.
    const auto times = static_cast<double>(run);
    const auto bits = mode == CipherMode::gcm ? 1 : times;
    partition.push_back({.odd = static_cast<std::size_t>(std::ranges::count(odd, true)),
                         .expected_odd = 1 + wrong * std::pow(0.5, bits),
                         .both = static_cast<std::size_t>(std::ranges::count(both, true)),
                         .expected_both = 1 + wrong * std::pow(0.125, bits) * std::pow(share, times)});
  }
  return partition;
}

Expected<void> write_plot(const std::string& path, const std::vector<Left>& partition, CipherMode mode) {
  std::vector<Curve> curves = {{.name = "odd exponent, measured", .left = {}, .is_computed = false},
                               {.name = "odd exponent and modulus, measured", .left = {}, .is_computed = false},
                               {.name = "odd exponent, computed", .left = {}, .is_computed = true},
                               {.name = "odd exponent and modulus, computed", .left = {}, .is_computed = true}};
  for (const auto& left : partition) {
    curves[0].left.push_back(static_cast<double>(left.odd));
    curves[1].left.push_back(static_cast<double>(left.both));
    curves[2].left.push_back(left.expected_odd);
    curves[3].left.push_back(left.expected_both);
  }
  return replace_file(path, plot_words_left(fmt::format("A key without PEM: words left against runs ({})",
                                                        mode == CipherMode::gcm ? "gcm" : "cbc"),
                                            curves));
}

}  // namespace pake::cli::lab
