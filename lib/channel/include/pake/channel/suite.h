// What a handshake of the channel is by, and in which suite: docs/wire.md, sections 3.1 and 3.5.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

inline constexpr std::size_t kMaxNameSize = 255;
inline constexpr std::size_t kMaxTicketSize = 1024;

/// How the two sides recognise each other.
enum class HandshakeKind : std::uint8_t {  // on the wire: never renumber
  login = 1,                               // OPAQUE: the client has a password, the server a record of it
  code = 2,                                // CPace: both have a code
  resume = 3,                              // a ticket of an earlier login
};

/// docs/wire.md, section 3.5.
enum class Suite : std::uint8_t {  // on the wire: never renumber
  opaque_ristretto255 = 0x01,
  opaque_p256 = 0x02,
  cpace_ristretto255 = 0x11,
  x25519 = 0x21,
};

}  // namespace pake::channel

PAKE_EXPORT_END
