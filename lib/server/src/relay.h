// Bytes both ways between two streams: a client's and a backend's.
#pragma once

#include <cstdint>
#include <memory>

#include "pake/net/awaitable.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"

namespace pake::server {

struct RelayEnd {
  bool complete = false;  // both sides have ended in order and everything has passed
  std::uint64_t from_client = 0;
  std::uint64_t from_backend = 0;
};

/// Carries bytes until both sides have ended. An end passes on as an end (half-close); what is cut at one side is reset
/// at the other, never ended in order: the client reads ResetCode::backend_failed, the backend a RST. A side that takes
/// nothing stops the other one; nothing but one chunk a direction is held.
[[nodiscard]] net::Awaitable<RelayEnd> relay(net::Loop& loop, std::unique_ptr<net::Stream> client,
                                             std::unique_ptr<net::Stream> backend);

}  // namespace pake::server
