// How CPace's messages travel if the application has no framing of its own (the draft gives none):
//
//   share message = lv_cat(Y, AD)      exactly what enters the transcript
//   tag message   = the tag            tag_size(suite) bytes
#pragma once

#include <cstddef>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/proto/cpace/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::cpace {

/// What one side contributes: its share, and associated data that is authenticated and not hidden.
struct Share {
  OwnedBytes Y;        // parameters(suite).share_size bytes
  OwnedBytes AD = {};  // 0 to kMaxADSize bytes
};

inline constexpr std::size_t kMaxADSize = 64 * 1024;
inline constexpr std::size_t kMaxADPrefixSize = 3;  // LEB128(kMaxADSize)

/// The shortest and the longest share message of `suite` whose AD has at most `max_AD` bytes.
[[nodiscard]] std::size_t min_message_size(Suite suite) noexcept;
[[nodiscard]] std::size_t max_message_size(Suite suite, std::size_t max_AD = kMaxADSize) noexcept;

/// lv_cat(share.Y, share.AD)
[[nodiscard]] Buffer encode(const Share& share);

/// The share in `message`; Y is not yet known to be a group element.
/// Errc::malformed unless the bytes are lv_cat(Y, AD) with minimal lengths, Y of the suite's size, and nothing behind.
[[nodiscard]] Result<Share> decode(Suite suite, Bytes message);

/// A share message at the start of longer bytes.
struct LeadingShare {
  Share share;
  std::size_t size;  // bytes of the message
};
/// The share message with which `bytes` begin; nothing while it is not whole. Errc::malformed as soon as it cannot
/// become one whose AD has at most `max_AD` bytes.
[[nodiscard]] Result<std::optional<LeadingShare>> decode_leading(Suite suite, Bytes bytes,
                                                                 std::size_t max_AD = kMaxADSize);

}  // namespace pake::cpace

PAKE_EXPORT_END
