#include "pake/base/reader.h"

#include "pake/internal/try.h"

namespace pake {
namespace {

template <class Integer>
Result<Integer> big_endian(Result<Bytes> bytes) noexcept {
  if (!bytes) return fail(bytes.error());
  Integer value = 0;
  for (const auto byte : *bytes) value = static_cast<Integer>((value << 8U) | byte);
  return value;
}

}  // namespace

Result<Bytes> Reader::take(std::size_t size) noexcept {
  if (size > rest_.size()) return fail(Errc::malformed);
  const auto taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

Result<Bytes> Reader::take_lp1() noexcept {
  PAKE_TRY(const auto size, u8());
  return take(size);
}

Result<Bytes> Reader::take_lp2() noexcept {
  PAKE_TRY(const auto size, u16());
  return take(size);
}

Result<std::uint8_t> Reader::u8() noexcept {
  PAKE_TRY(const auto byte, take(1));
  return byte[0];
}
Result<std::uint16_t> Reader::u16() noexcept { return big_endian<std::uint16_t>(take(2)); }
Result<std::uint32_t> Reader::u32() noexcept { return big_endian<std::uint32_t>(take(4)); }
Result<std::uint64_t> Reader::u64() noexcept { return big_endian<std::uint64_t>(take(8)); }

Status Reader::finish() const noexcept {
  if (!rest_.empty()) return fail(Errc::malformed);
  return {};
}

}  // namespace pake
