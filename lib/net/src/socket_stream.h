// Stream over a TCP or unix socket.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "descriptor.h"
#include "pake/net/stream.h"

namespace pake::net {

enum class Transport : std::uint8_t { tcp, other };

/// Small writes go at once. What a listening socket is given, those that it accepts inherit.
Transport prepare(int socket) noexcept;

class SocketStream final : public Stream {
 public:
  /// Owns the non-blocking `socket` from here on.
  /// @param transport  what `prepare` said of it, or of the one that accepted it
  SocketStream(Loop& loop, int socket, Transport transport, Address peer);

  /// Connects a fresh socket.
  Awaitable<Outcome<void>> connect(const sockaddr* where, socklen_t size, Deadline deadline);
  /// Makes that return Error::interrupted.
  void abandon() { descriptor_.abandon(); }

  Awaitable<Outcome<std::size_t>> read_some(MutableBytes into, Deadline deadline) override;
  Awaitable<Outcome<std::size_t>> write_some(Bytes bytes, Deadline deadline) override;
  Awaitable<Outcome<void>> write_all(Bytes bytes, Deadline deadline) override;
  Awaitable<Outcome<void>> wait_acknowledged(Deadline deadline) override;
  void shutdown_write() noexcept override;
  void reset(channel::ResetCode code) override;

  [[nodiscard]] bool has_peer_ended() noexcept override;
  void interrupt() override { descriptor_.interrupt(); }
  [[nodiscard]] const Address& peer() const noexcept override { return peer_; }

 private:
  // True now and then, so that a peer that never lets us wait cannot keep the loop to itself.
  bool is_due() noexcept;
  Awaitable<Outcome<void>> let_others_go_on();

  Loop& loop_;
  Descriptor descriptor_;
  Transport transport_;
  Address peer_;
  std::size_t calls_ = 0;
  bool is_reset_ = false;
  bool is_drained_ = false;  // the last read has taken everything
};

}  // namespace pake::net
