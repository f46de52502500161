// A connection of which the server has its end: when what comes and goes arrives is the simulation's matter.
#pragma once

#include <functional>
#include <memory>

#include "pake/base/bytes.h"
#include "pake/net/signal.h"
#include "pake/net/stream.h"

namespace pake::server::simulation {

/// What the two ends share. Of one loop.
struct Wire {
  explicit Wire(net::Loop& loop) : arrived(loop) {}

  std::function<void(Bytes)> sent;  // by the server
  std::function<void()> dropped;    // the server has let go of it

  Buffer inbox;            // has arrived at the server
  bool has_ended = false;  // and nothing more will come
  bool is_interrupted = false;
  net::Signal arrived;
};

class SimulatedStream final : public net::Stream {
 public:
  SimulatedStream(std::shared_ptr<Wire> wire, net::Address peer) : wire_(std::move(wire)), peer_(std::move(peer)) {}
  ~SimulatedStream() override;

  [[nodiscard]] const std::shared_ptr<Wire>& wire() const noexcept { return wire_; }

  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline deadline) override;
  net::Awaitable<net::Outcome<void>> write_all(Bytes bytes, net::Deadline deadline) override;
  net::Awaitable<net::Outcome<void>> wait_acknowledged(net::Deadline deadline) override;
  void shutdown_write() noexcept override {}
  void reset(channel::ResetCode code) override;
  [[nodiscard]] bool has_peer_ended() noexcept override { return wire_->has_ended; }
  void interrupt() override;
  [[nodiscard]] const net::Address& peer() const noexcept override { return peer_; }

 private:
  std::shared_ptr<Wire> wire_;
  net::Address peer_;
};

}  // namespace pake::server::simulation
