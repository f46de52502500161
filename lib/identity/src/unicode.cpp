#include "unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "pake/internal/try.h"

namespace pake::identity {
namespace {

constexpr std::size_t kMaxUtf8 = 4;  // bytes a code point

/// Code points in a buffer of a fixed size that is wiped.
class CodePoints {
 public:
  explicit CodePoints(std::size_t capacity) : values_(capacity) {}
  CodePoints(const CodePoints&) = delete;
  CodePoints& operator=(const CodePoints&) = delete;
  ~CodePoints() { wipe({reinterpret_cast<std::uint8_t*>(values_.data()), values_.size() * sizeof values_[0]}); }

  std::int32_t* data() noexcept { return values_.data(); }
  std::size_t capacity() const noexcept { return values_.size(); }

 private:
  std::vector<std::int32_t> values_;
};

SecretBuffer encode(std::span<const std::int32_t> code_points) {
  std::array<std::uint8_t, kMaxUtf8> encoded{};
  std::size_t size = 0;
  for (const auto code_point : code_points)
    size += static_cast<std::size_t>(utf8proc_encode_char(code_point, encoded.data()));
  auto text = SecretBuffer::make(size, [&](MutableBytes out) {
    auto at = out.begin();
    for (const auto code_point : code_points) {
      const auto written = utf8proc_encode_char(code_point, encoded.data());
      at = std::copy_n(encoded.begin(), written, at);
    }
  });
  wipe(encoded);
  return text;
}

}  // namespace

CodePointClass class_of(std::int32_t code_point) noexcept {
  switch (utf8proc_category(code_point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CodePointClass::letter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return CodePointClass::mark;
    case UTF8PROC_CATEGORY_ND:
      return CodePointClass::decimal_digit;
    case UTF8PROC_CATEGORY_ZS:
      return CodePointClass::space;
    case UTF8PROC_CATEGORY_CC:
      return CodePointClass::control;
    case UTF8PROC_CATEGORY_CN:
      return CodePointClass::unassigned;
    default:
      return CodePointClass::other;
  }
}

std::int32_t to_lower(std::int32_t code_point) noexcept { return utf8proc_tolower(code_point); }

Result<SecretBuffer> map_code_points(Bytes text, std::int32_t (*map)(std::int32_t)) {
  CodePoints mapped(text.size());  // each code point has a byte at least
  std::size_t count = 0;
  while (!text.empty()) {
    std::int32_t code_point = 0;
    const auto read = utf8proc_iterate(text.data(), static_cast<utf8proc_ssize_t>(text.size()), &code_point);
    if (read <= 0) return fail(Errc::malformed);
    const auto to = map(code_point);
    if (to < 0) return fail(Errc::malformed);
    mapped.data()[count++] = to;
    text = text.subspan(static_cast<std::size_t>(read));
  }
  return encode(std::span(mapped.data(), count));
}

Result<SecretBuffer> to_nfc(Bytes text) {
  if (text.empty()) return SecretBuffer();
  constexpr auto kOptions = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  const auto needed = utf8proc_decompose(text.data(), size, nullptr, 0, kOptions);
  if (needed <= 0) return fail(Errc::malformed);
  CodePoints decomposed(static_cast<std::size_t>(needed));
  if (utf8proc_decompose(text.data(), size, decomposed.data(), needed, kOptions) != needed)
    return fail(Errc::malformed);
  const auto composed = utf8proc_normalize_utf32(decomposed.data(), needed, kOptions);
  if (composed < 0) return fail(Errc::malformed);
  return encode(std::span(decomposed.data(), static_cast<std::size_t>(composed)));
}

}  // namespace pake::identity
