#include "pake/proto/cpace/strings.h"

#include <algorithm>

#include "pake/base/writer.h"
#include "secret_strings.h"

namespace pake::cpace {
namespace {

std::size_t prefix_size(std::size_t length) noexcept {
  std::size_t size = 1;
  for (; length >= 0x80; length >>= 7U) ++size;
  return size;
}

std::size_t prepended_size(Bytes string) noexcept { return prefix_size(string.size()) + string.size(); }

std::size_t lv_cat_size(std::initializer_list<Bytes> strings) noexcept {
  std::size_t size = 0;
  for (const auto string : strings) size += prepended_size(string);
  return size;
}

void write_lv_cat(std::initializer_list<Bytes> strings, MutableBytes out) {
  auto next = out.begin();
  for (const auto string : strings) {
    auto length = string.size();
    for (; length >= 0x80; length >>= 7U) *next++ = static_cast<std::uint8_t>(length | 0x80U);
    *next++ = static_cast<std::uint8_t>(length);
    next = std::ranges::copy(string, next).out;
  }
}

}  // namespace

Buffer prepend_len(Bytes string) { return lv_cat({string}); }

Buffer lv_cat(std::initializer_list<Bytes> strings) {
  Buffer out(lv_cat_size(strings));
  write_lv_cat(strings, out);
  return out;
}

SecretBuffer secret_lv_cat(std::initializer_list<Bytes> strings) {
  return SecretBuffer::make(lv_cat_size(strings), [&](MutableBytes out) { write_lv_cat(strings, out); });
}

//   if lexicographically_larger(x, y): return "oc" || x || y, else "oc" || y || x
Buffer o_cat(Bytes x, Bytes y) {
  if (std::ranges::lexicographical_compare(x, y)) std::swap(x, y);
  return Writer().put(as_bytes("oc")).put(x).put(y).take();
}

//   len_zpad = max(0, s_in_bytes - 1 - len(prepend_len(PRS)) - len(prepend_len(DSI)))
std::size_t padding_size(Bytes DSI, Bytes PRS, std::size_t s_in_bytes) noexcept {
  const auto used = 1 + prepended_size(PRS) + prepended_size(DSI);
  return used < s_in_bytes ? s_in_bytes - used : 0;
}

//   lv_cat(DSI, PRS, zero_bytes(len_zpad), CI, sid)
SecretBuffer generator_string(std::string_view DSI, Bytes PRS, Bytes CI, Bytes sid, std::size_t s_in_bytes) {
  const Buffer padding(padding_size(as_bytes(DSI), PRS, s_in_bytes));
  return secret_lv_cat({as_bytes(DSI), PRS, padding, CI, sid});
}

}  // namespace pake::cpace
