// A stream in front of another one, to which it hands every call: what is not to be handed on is overridden.
#pragma once

#include "pake/net/coroutine.h"
#include "pake/net/stream.h"

namespace pake::server {

/// It adds no frame to an await. `stream` outlives every call.
class ForwardingStream : public net::Stream {
 public:
  explicit ForwardingStream(net::Stream& stream) : to_(stream) {}

  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline deadline) override {
    return to_.read_some(into, deadline);
  }
  net::Awaitable<net::Outcome<void>> write_all(Bytes bytes, net::Deadline deadline) override {
    return to_.write_all(bytes, deadline);
  }
  net::Awaitable<net::Outcome<std::size_t>> write_some(Bytes bytes, net::Deadline deadline) override {
    return to_.write_some(bytes, deadline);
  }
  net::Awaitable<net::Outcome<void>> wait_acknowledged(net::Deadline deadline) override {
    return to_.wait_acknowledged(deadline);
  }
  void shutdown_write() noexcept override { to_.shutdown_write(); }
  void reset(channel::ResetCode code) override { to_.reset(code); }
  [[nodiscard]] bool has_peer_ended() noexcept override { return to_.has_peer_ended(); }
  void interrupt() override { to_.interrupt(); }
  [[nodiscard]] const net::Address& peer() const noexcept override { return to_.peer(); }

 private:
  net::Stream& to_;
};

}  // namespace pake::server
