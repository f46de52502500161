// How a program behind a stream has ended: docs/wire.md, section 17.
//
//   client                                   server
//     -- OPEN name, "pake:status" || tag ----->
//     <= bytes both ways =====================>
//     <- OPEN "pake:status", tag || status ----
//     <- FIN of the first stream --------------
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// The service under which a server opens the stream that says how a program has ended; its argument is a
/// ProgramStatus, and nothing is said on it.
inline constexpr std::string_view kStatusService = "pake:status";

/// Chosen by the client, to tell the programs of one channel apart.
using StatusTag = std::array<std::uint8_t, 4>;

/// The argument of an OPEN by which a client asks to be told.
[[nodiscard]] Buffer encode_status_request(StatusTag tag);
/// Nothing for an argument that does not ask.
[[nodiscard]] std::optional<StatusTag> find_status_request(Bytes argument) noexcept;

/// tag (4) || how (1) || value (1)
struct ProgramStatus {
  static constexpr std::size_t kSize = 6;

  enum class How : std::uint8_t {  // on the wire: never renumber
    exited = 0,                    // `value` is its status
    killed = 1,                    // `value` is the signal's number
  };

  StatusTag tag{};
  How how{};
  std::uint8_t value = 0;

  [[nodiscard]] Buffer encode() const;
  [[nodiscard]] static Result<ProgramStatus> decode(Bytes argument) noexcept;
  friend bool operator==(const ProgramStatus&, const ProgramStatus&) = default;
};

}  // namespace pake::channel

PAKE_EXPORT_END
