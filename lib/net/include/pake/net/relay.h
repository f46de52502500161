// Bytes both ways between two streams.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "pake/base/export.h"
#include "pake/net/awaitable.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

struct RelayEnd {
  bool complete = false;  // both sides have ended in order and everything has passed
  std::uint64_t from_first = 0;
  std::uint64_t from_second = 0;
  std::optional<Error> second_error;  // if `second` was the one that was cut
};

/// Carries bytes until both sides have ended. An end passes on as an end (half-close); what is cut at one side is reset
/// at the other, never ended in order (of a socket: RST, not FIN): `first`, which asked for this, reads
/// ResetCode::backend_failed, or the code by which `second` was reset, and `second` reads cancelled. A side that takes
/// nothing stops the other one; nothing but one chunk a direction is held.
[[nodiscard]] Awaitable<RelayEnd> relay(Loop& loop, std::unique_ptr<Stream> first, std::unique_ptr<Stream> second);

}  // namespace pake::net

PAKE_EXPORT_END
