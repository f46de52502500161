// A stream that tells what passes: for traces, and for people who study the protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

enum class Direction : std::uint8_t { sent, received };

/// Is told every whole frame of docs/wire.md as it passes, header included: what an observer on the way sees.
using OnFrame = std::function<void(Direction, Bytes frame)>;

/// `stream`, tapped. Bytes of a frame not yet whole are kept until it is; a peer's frames of more than the largest
/// record are not followed any further.
[[nodiscard]] std::unique_ptr<Stream> tap_frames(std::unique_ptr<Stream> stream, OnFrame on_frame);

}  // namespace pake::net

PAKE_EXPORT_END
