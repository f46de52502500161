// What the other side is told of a run that failed: docs/wire.md, section 3.8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// Why a run ends, as the other side is told. It is not authenticated.
enum class AlertCode : std::uint8_t {  // on the wire: never renumber
  refused = 1,                         // the proof is wrong, or any failure that is not one of the others
  throttled = 2,                       // no guess is left; `retry_after` says for how long
  unavailable = 3,                     // the store cannot answer
  unknown_server = 4,                  // not a name of this server, or a kind it does not offer
  unsupported = 5,                     // version, suite, KSF profile, must-understand extension
  malformed = 6,                       // not a frame of this protocol at this step
};

/// The enumerator's name, for logs.
[[nodiscard]] std::string_view to_string(AlertCode code) noexcept;

/// A decoder's answer: the message, or what to tell the peer that sent the bytes. Any bytes give one or the other.
template <class T>
using Decoded = std::expected<T, AlertCode>;

struct Alert {
  static constexpr std::size_t kSize = 5;

  AlertCode code = AlertCode::refused;
  std::uint32_t retry_after = 0;  // seconds; 0 unless the code is `throttled`

  /// The whole frame, 9 bytes.
  [[nodiscard]] Buffer encode() const;
  [[nodiscard]] static Decoded<Alert> decode(Bytes body) noexcept;
  friend bool operator==(const Alert&, const Alert&) = default;
};

}  // namespace pake::channel

PAKE_EXPORT_END
