#include "pake/base/writer.h"

#include <cstdlib>

namespace pake {
namespace {

template <class Integer>
void append(Buffer& bytes, Integer value) {
  for (auto shift = 8 * sizeof value; shift != 0; shift -= 8)
    bytes.push_back(static_cast<std::uint8_t>(value >> (shift - 8)));
}

}  // namespace

Writer& Writer::put(Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Writer& Writer::put_lp1(Bytes bytes) {
  if (bytes.size() > UINT8_MAX) std::abort();
  return u8(static_cast<std::uint8_t>(bytes.size())).put(bytes);
}

Writer& Writer::put_lp2(Bytes bytes) {
  if (bytes.size() > UINT16_MAX) std::abort();
  return u16(static_cast<std::uint16_t>(bytes.size())).put(bytes);
}

Writer& Writer::u8(std::uint8_t value) {
  bytes_.push_back(value);
  return *this;
}
Writer& Writer::u16(std::uint16_t value) {
  append(bytes_, value);
  return *this;
}
Writer& Writer::u32(std::uint32_t value) {
  append(bytes_, value);
  return *this;
}
Writer& Writer::u64(std::uint64_t value) {
  append(bytes_, value);
  return *this;
}

}  // namespace pake
