// Total decoding of fixed layouts: any input gives a value or Errc::malformed. Integers are big-endian.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/base/result.h"

namespace pake {

/// Walks over bytes it does not own; the views it hands out live as long as those bytes do.
class Reader {
 public:
  explicit Reader(Bytes bytes) noexcept : rest_(bytes) {}

  /// The next `size` bytes, or Errc::malformed when fewer remain.
  [[nodiscard]] Result<Bytes> take(std::size_t size) noexcept;
  /// The next bytes behind a length of one byte or of two (the sheets' `lp1`, `lp2`), or Errc::malformed.
  [[nodiscard]] Result<Bytes> take_lp1() noexcept;
  [[nodiscard]] Result<Bytes> take_lp2() noexcept;
  [[nodiscard]] Result<std::uint8_t> u8() noexcept;
  [[nodiscard]] Result<std::uint16_t> u16() noexcept;
  [[nodiscard]] Result<std::uint32_t> u32() noexcept;
  [[nodiscard]] Result<std::uint64_t> u64() noexcept;
  [[nodiscard]] Bytes rest() const noexcept { return rest_; }
  /// Errc::malformed when anything is left: trailing bytes are no message.
  [[nodiscard]] Status finish() const noexcept;

 private:
  Bytes rest_;
};

}  // namespace pake
