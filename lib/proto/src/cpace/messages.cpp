#include "pake/proto/cpace/messages.h"

#include "pake/internal/try.h"
#include "pake/proto/cpace/strings.h"

namespace pake::cpace {
namespace {

/// Takes prepend_len(string) off the front of `rest`; nothing while `rest` ends too early for it.
Result<std::optional<Bytes>> take_prepended(Bytes& rest, std::size_t min_size, std::size_t max_size) {
  std::size_t size = 0;
  std::size_t prefix = 0;
  for (bool more = true; more; ++prefix) {
    if (prefix == kMaxADPrefixSize) return fail(Errc::malformed);
    if (prefix == rest.size()) return std::nullopt;
    const std::size_t byte = rest[prefix];
    size |= (byte & 0x7fU) << (7 * prefix);
    more = (byte & 0x80U) != 0;
    if (byte == 0 && prefix != 0) return fail(Errc::malformed);  // minimal lengths do not end in a zero group
  }
  if (size < min_size || size > max_size) return fail(Errc::malformed);
  if (size > rest.size() - prefix) return std::nullopt;
  const auto string = rest.subspan(prefix, size);
  rest = rest.subspan(prefix + size);
  return string;
}

}  // namespace

std::size_t min_message_size(Suite suite) noexcept {
  const auto share_size = parameters(suite).share_size;
  return (share_size < 0x80 ? 1 : 2) + share_size + 1;
}

std::size_t max_message_size(Suite suite, std::size_t max_AD) noexcept {
  return min_message_size(suite) - 1 + kMaxADPrefixSize + max_AD;
}

Buffer encode(const Share& share) { return lv_cat({share.Y, share.AD}); }

Result<std::optional<LeadingShare>> decode_leading(Suite suite, Bytes bytes, std::size_t max_AD) {
  const auto share_size = parameters(suite).share_size;
  auto rest = bytes;
  PAKE_TRY(const auto Y, take_prepended(rest, share_size, share_size));
  if (!Y) return std::nullopt;
  PAKE_TRY(const auto AD, take_prepended(rest, 0, max_AD));
  if (!AD) return std::nullopt;
  return LeadingShare{.share = {.Y = *Y, .AD = *AD}, .size = bytes.size() - rest.size()};
}

Result<Share> decode(Suite suite, Bytes message) {
  PAKE_TRY(const auto leading, decode_leading(suite, message));
  if (!leading || leading->size != message.size()) return fail(Errc::malformed);
  return leading->share;
}

}  // namespace pake::cpace
