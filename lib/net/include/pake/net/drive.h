// The loop that drives any PAKE's state machine over a stream.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/net/awaitable.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pake/proto/machine.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// How long a peer may take.
struct Timeouts {
  std::chrono::milliseconds step{10'000};  // until a whole message has come, or has been taken off our hands
  std::chrono::milliseconds silence{200};  // the pause that ends a message if Incoming::silence_ends
};

/// Why a run ended without a key, and how far it had come.
struct DriveError {
  Error error;  // Error::run_failed when the machine knows more
  std::size_t messages_sent = 0;
  std::size_t messages_received = 0;
};

/// Answers Want::decision: calls provide_record() of the machine, in its own time, for it may ask a store. An error
/// ends the run.
using ProvideRecord = std::function<Awaitable<Status>(Machine& machine)>;

/// Runs `machine` to its end. A job (key stretching, a question to the holder of the keys) runs on the pool that all
/// loops share; cancelling waits for its end. Buffers at most Incoming::at_most bytes and one read. If a silence ends a
/// message, so does the end of the peer's side. Afterwards the stream is where it was: closing it is the caller's.
/// @param provide  null if the machine looks nobody up: one that does ends with Error::run_failed then
/// @return what had arrived behind the last message, once the machine is done; else why it is not
[[nodiscard]] Awaitable<std::expected<Buffer, DriveError>> drive(Loop& loop, Machine& machine, Stream& stream,
                                                                 Timeouts timeouts, ProvideRecord provide = {});

}  // namespace pake::net

PAKE_EXPORT_END
