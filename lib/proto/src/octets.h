// Private to the room: octet strings as the documents write them, where they may be secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "pake/base/bytes.h"
#include "pake/base/secret.h"

namespace pake {

/// I2OSP(value, 1) and I2OSP(value, 2): the value fits (the caller checks).
[[nodiscard]] std::array<std::uint8_t, 1> i2osp_1(std::size_t value) noexcept;
[[nodiscard]] std::array<std::uint8_t, 2> i2osp_2(std::size_t value) noexcept;

/// part || part || ..., reserved once.
[[nodiscard]] SecretBuffer concat(std::initializer_list<Bytes> parts);

}  // namespace pake
