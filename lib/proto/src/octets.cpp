#include "octets.h"

#include <algorithm>

namespace pake {

std::array<std::uint8_t, 1> i2osp_1(std::size_t value) noexcept { return {static_cast<std::uint8_t>(value)}; }

std::array<std::uint8_t, 2> i2osp_2(std::size_t value) noexcept {
  return {static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
}

SecretBuffer concat(std::initializer_list<Bytes> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  return SecretBuffer::make(size, [&](MutableBytes out) {
    auto next = out.begin();
    for (const auto part : parts) next = std::ranges::copy(part, next).out;
  });
}

}  // namespace pake
