// A non-blocking file descriptor in a loop's reactor. Everything above makes its own system calls and waits here: one
// asynchronous operation is all that is asked of Asio.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>

#include "loop_impl.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"

namespace pake::net {

class Descriptor {
  using Handle = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

 public:
  using Direction = Handle::wait_type;

  /// Owns `fd` from here on.
  Descriptor(Loop::Impl& loop, int fd) : loop_(loop), descriptor_(loop.io(), fd) {}

  [[nodiscard]] int fd() noexcept { return descriptor_.native_handle(); }

  /// Waits until reading or writing would not block.
  [[nodiscard]] Awaitable<Outcome<void>> ready(Direction direction, Deadline deadline);

  /// What `ready` for reading would say before it waits: that it was interrupted, or the loops cancelled.
  [[nodiscard]] Outcome<void> may_go_on();

  /// Ends a wait for reading with Error::interrupted, or the next one.
  void interrupt();

  /// Ends every wait with Error::interrupted.
  void abandon();

 private:
  Loop::Impl& loop_;
  Handle descriptor_;
  Wait* reading_ = nullptr;
  Wait* writing_ = nullptr;
  bool interrupted_ = false;
};

}  // namespace pake::net
