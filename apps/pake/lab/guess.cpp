#include "lab/guess.h"

#include <algorithm>

namespace pake::cli::lab {

crypto::AesBlock cipher_key(Bytes secret) noexcept {
  crypto::AesBlock key{};
  std::ranges::copy(secret.first(std::min(secret.size(), key.size())), key.begin());
  return key;
}

Buffer decrypt(CipherMode mode, Bytes secret, Bytes blocks) {
  const auto key = cipher_key(secret);
  auto text = to_buffer(blocks.first(blocks.size() / crypto::kAesBlockSize * crypto::kAesBlockSize));
  if (mode == CipherMode::gcm)
    crypto::aes128_gcm_xor_key_stream(key, key, text);
  else
    crypto::aes128_cbc_decrypt_unpadded(key, key, text);
  return text;
}

void decrypt_first_blocks(CipherMode mode, const crypto::EightKeys& keys, const crypto::AesBlock& block,
                          crypto::EightTexts& texts) {
  if (mode == CipherMode::gcm)
    crypto::aes128_gcm_first_blocks(keys, block, texts);
  else
    crypto::aes128_cbc_first_blocks(keys, block, texts);
}

std::size_t agrees_with_pem(Bytes text) noexcept {
  const auto pem = as_bytes(kPemBegins);
  return static_cast<std::size_t>(std::ranges::mismatch(text, pem).in1 - text.begin());
}

Bytes without_padding(Bytes text) noexcept {
  while (!text.empty() && text.back() == 0) text = text.first(text.size() - 1);
  return text;
}

TenDigits ten_digits(std::uint64_t number) noexcept {
  TenDigits digits{};
  for (std::size_t i = kDigits; i-- > 0; number /= 10) digits[i] = static_cast<std::uint8_t>('0' + number % 10);
  return digits;
}

void increment(TenDigits& digits) noexcept {
  for (std::size_t i = kDigits; i-- > 0;) {
    if (digits[i] != '9') {
      ++digits[i];
      return;
    }
    digits[i] = '0';
  }
}

bool is_padded_digits(const crypto::AesBlock& block) noexcept {
  const auto text = Bytes(block);
  return std::ranges::all_of(text.subspan(kDigits), [](std::uint8_t byte) { return byte == 0; }) &&
         std::ranges::all_of(text.first(kDigits), [](std::uint8_t byte) { return '0' <= byte && byte <= '9'; });
}

std::optional<TenDigits> find_Ks(CipherMode mode, const crypto::AesBlock& E_NC, std::uint64_t first,
                                 std::size_t count) {
  crypto::EightKeys keys{};
  crypto::EightTexts texts{};
  auto digits = ten_digits(first);
  for (std::size_t i = 0; i < count; i += keys.size()) {
    for (auto& key : keys) {
      std::ranges::copy(digits, key.begin());
      increment(digits);
    }
    decrypt_first_blocks(mode, keys, E_NC, texts);
    for (std::size_t j = 0; j < texts.size(); ++j) {
      if (!is_padded_digits(texts[j])) continue;
      TenDigits found{};
      std::ranges::copy(Bytes(keys[j]).first<kDigits>(), found.begin());
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace pake::cli::lab
