// Private to the room: a login by password that shows a ticket. docs/wire.md, section 7.1.
#pragma once

#include <cstdint>
#include <optional>

#include "pake/base/bytes.h"
#include "transcript.h"

namespace pake::channel {

/// The extension of a login's ClientHello: lp2(ticket) || time (u64) || binder (64).
inline constexpr std::uint16_t kKnownDevice = 0x0001;

/// The extension of a login's ClientHello, without content: the server shall not know this device again.
inline constexpr std::uint16_t kNoDevicePlace = 0x0002;

/// Views of the list in which it stands.
struct KnownDeviceExtension {
  Bytes ticket;  // 1 to 1,024 bytes
  std::uint64_t time = 0;
  Bytes binder;
};

/// @param extensions  well-formed, as ClientHello::decode leaves them
/// @return nothing if there is none, or its content is not of this form: then it is ignored
[[nodiscard]] std::optional<KnownDeviceExtension> find_known_device(Bytes extensions) noexcept;

/// A list of this extension alone. The binder is zeros, and the list's last 64 bytes.
[[nodiscard]] Buffer encode_known_device(Bytes ticket, std::uint64_t time);

/// Whether that extension is among them.
[[nodiscard]] bool says_no_device_place(Bytes extensions) noexcept;

/// The list with that binder, if there is one, as zeros: what a second ClientHello shall not change.
[[nodiscard]] Buffer without_binder(Bytes extensions);

/// `before` and the body of a hello, of which `binder` (a view of `body`) is taken as zeros.
[[nodiscard]] Transcript without_binder(Transcript before, Bytes body, Bytes binder) noexcept;

}  // namespace pake::channel
