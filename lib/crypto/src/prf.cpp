#include "pake/crypto/prf.h"

#include <array>

#include "pake/crypto/hash.h"

namespace pake::crypto {

Secret<32> prf(std::span<const std::uint8_t, 32> key, std::string_view label, Bytes input) noexcept {
  const std::array<std::uint8_t, 1> size = {static_cast<std::uint8_t>(label.size())};
  const auto mac = hmac(HashId::sha256, key, {size, as_bytes(label), input});
  return Secret<32>::copy_of(mac.reveal().first<32>());
}

}  // namespace pake::crypto
