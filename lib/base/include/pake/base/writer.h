// Encoding of fixed layouts into public bytes. Integers are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "pake/base/bytes.h"

namespace pake {

/// Appends to a buffer of its own: `Writer(96).put(a).u16(n).take()`. Not for secrets: the buffer may grow by copying.
class Writer {
 public:
  explicit Writer(std::size_t expected_size = 0) { bytes_.reserve(expected_size); }

  Writer& put(Bytes bytes);
  /// I2OSP(len(bytes), 1) || bytes. `bytes` has at most 255 bytes; more aborts (the caller checks).
  Writer& put_lp1(Bytes bytes);
  /// I2OSP(len(bytes), 2) || bytes. `bytes` has at most 65,535 bytes; more aborts (the caller checks).
  Writer& put_lp2(Bytes bytes);
  Writer& u8(std::uint8_t value);
  Writer& u16(std::uint16_t value);
  Writer& u32(std::uint32_t value);
  Writer& u64(std::uint64_t value);

  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }
  /// The bytes; the writer is empty afterwards.
  [[nodiscard]] Buffer take() noexcept { return std::exchange(bytes_, {}); }

 private:
  Buffer bytes_;
};

}  // namespace pake
