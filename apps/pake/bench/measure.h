// Handshakes and streams in memory, each side's CPU time on this thread.
#pragma once

#include <chrono>

#include "pake/channel/keys.h"
#include "pake/channel/messages.h"

namespace pake::cli::bench {

/// How many of them one core does in a second.
struct HandshakeRates {
  double client;
  double server;
};

/// From the configuration to the channel's keys, wire to wire. A login's key stretching is left out: it costs what its
/// profile costs.
/// @param time  of CPU for both sides, with the stretching
[[nodiscard]] HandshakeRates measure_handshakes(channel::Suite suite, std::chrono::seconds time);

/// Bytes a second of one stream, both sides on one core.
[[nodiscard]] double measure_stream(channel::AeadId aead, std::chrono::seconds time);

}  // namespace pake::cli::bench
