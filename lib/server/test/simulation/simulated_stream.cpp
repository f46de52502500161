#include "simulated_stream.h"

#include <algorithm>
#include <utility>

#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::server::simulation {

SimulatedStream::~SimulatedStream() {
  wire_->sent = {};
  std::exchange(wire_->dropped, {})();
}

net::Awaitable<net::Outcome<std::size_t>> SimulatedStream::read_some(MutableBytes into, net::Deadline deadline) {
  auto& wire = *wire_;
  while (wire.inbox.empty()) {
    if (wire.has_ended) co_return net::fail(net::Error::Kind::closed);
    if (std::exchange(wire.is_interrupted, false)) co_return net::fail(net::Error::Kind::interrupted);
    PAKE_CO_TRYV(co_await wire.arrived.wait(deadline));
  }
  const auto count = std::min(into.size(), wire.inbox.size());
  const auto end = wire.inbox.begin() + static_cast<std::ptrdiff_t>(count);
  std::copy(wire.inbox.begin(), end, into.begin());
  wire.inbox.erase(wire.inbox.begin(), end);
  co_return count;
}

net::Awaitable<net::Outcome<void>> SimulatedStream::write_all(Bytes bytes, net::Deadline /*deadline*/) {
  wire_->sent(bytes);
  co_return net::Outcome<void>();
}

net::Awaitable<net::Outcome<void>> SimulatedStream::wait_acknowledged(net::Deadline /*deadline*/) {
  co_return net::Outcome<void>();
}

void SimulatedStream::reset(channel::ResetCode /*code*/) {
  wire_->has_ended = true;
  wire_->arrived.notify();
}

void SimulatedStream::interrupt() {
  wire_->is_interrupted = true;
  wire_->arrived.notify();
}

}  // namespace pake::server::simulation
