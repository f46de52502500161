#include "cipher.h"

#include <algorithm>

#include "pake/internal/try.h"

namespace pake::eke {
namespace {

using CipherKey = Secret<16, struct CipherKeyTag>;

CipherKey cipher_key(Bytes secret) {
  return CipherKey::make([&](std::span<std::uint8_t, CipherKey::kSize> key) {
    std::ranges::copy(secret.first(std::min(secret.size(), key.size())), key.begin());
  });
}

bool is_digit(std::uint8_t c) noexcept { return '0' <= c && c <= '9'; }

}  // namespace

// Choice: one byte at a time, rejecting 250 and above, where the seed takes a generator that can be predicted.
// 32 refusals in a row (2^-171 from a source that works) end the run.
Result<Digits> random_digits(Rng& rng) {
  bool found_all = true;
  auto random = Digits::make([&](std::span<std::uint8_t, kDigits> digits) {
    for (auto& digit : digits) {
      rng.fill({&digit, 1});
      for (int refused = 1; digit >= 250 && refused < 32; ++refused) rng.fill({&digit, 1});
      found_all = found_all && digit < 250;
      digit = static_cast<std::uint8_t>('0' + digit % 10);
    }
  });
  if (!found_all) return fail(Errc::unavailable);
  return random;
}

bool all_digits(Bytes text) noexcept { return std::ranges::all_of(text, is_digit); }

Result<Digits> read_digits(Bytes text) {
  if (text.size() != kDigits || !all_digits(text)) return fail(Errc::malformed);
  return Digits::copy_of(text.first<kDigits>());
}

Buffer encrypt(CipherMode mode, Bytes secret, Bytes text) {
  const auto key = cipher_key(secret);
  const auto blocks = (text.size() + crypto::kAesBlockSize - 1) / crypto::kAesBlockSize;
  Buffer bytes(blocks * crypto::kAesBlockSize);
  std::ranges::copy(text, bytes.begin());
  if (mode == CipherMode::gcm)
    crypto::aes128_gcm_xor_key_stream(key.reveal(), key.reveal(), bytes);
  else
    crypto::aes128_cbc_encrypt_unpadded(key.reveal(), key.reveal(), bytes);
  return crypto::base64_encode(bytes);
}

Result<SecretBuffer> decrypt(CipherMode mode, Bytes secret, Bytes message) {
  PAKE_TRY(const auto bytes, crypto::base64_decode(message));
  if (bytes.size() % crypto::kAesBlockSize != 0) return fail(Errc::malformed);
  const auto key = cipher_key(secret);
  const auto padded = SecretBuffer::make(bytes.size(), [&](MutableBytes text) {
    std::ranges::copy(bytes, text.begin());
    if (mode == CipherMode::gcm)
      crypto::aes128_gcm_xor_key_stream(key.reveal(), key.reveal(), text);
    else
      crypto::aes128_cbc_decrypt_unpadded(key.reveal(), key.reveal(), text);
  });
  auto text = padded.reveal();
  while (!text.empty() && text.back() == 0) text = text.first(text.size() - 1);
  return SecretBuffer::copy_of(text);
}

}  // namespace pake::eke
