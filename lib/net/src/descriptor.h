// A non-blocking file descriptor of a loop. Everything above makes its own system calls and waits here until the next
// one would not block.
#pragma once

#include <cstdint>
#include <functional>

#include "loop_impl.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"
#include "ready_set.h"

namespace pake::net {

class Descriptor {
 public:
  enum class Direction : std::uint8_t { read, write };

  /// Owns `fd` from here on. Any thread may make one.
  Descriptor(Loop::Impl& loop, int fd) noexcept : loop_(loop), fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int fd() const noexcept { return fd_; }

  /// Waits until there is something new to read, or room to write: after a call that would have blocked. It may return
  /// too early, never too late.
  [[nodiscard]] Awaitable<Outcome<void>> ready(Direction direction, Deadline deadline);

  /// What `ready` for reading would say before it waits: that it was interrupted, or the loops cancelled.
  [[nodiscard]] Outcome<void> may_go_on();

  /// Ends a wait for reading with Error::interrupted, or the next one.
  void interrupt();

  /// Ends every wait with Error::interrupted.
  void abandon();

  /// Before a call that reads: `ready` tells of what comes from then on.
  void begin_reading() noexcept { has_news_ = false; }

  /// Of a TCP socket: a read that was given less than it asked for has taken everything, and if anything comes `ready`
  /// will tell of it. False once there was an end, an error or urgent data, which may be behind what was read.
  [[nodiscard]] bool has_bytes_alone() const noexcept { return has_bytes_alone_; }

  /// For ReadySet: `events` of epoll_wait(2) have come.
  void has_become(std::uint32_t events);

 private:
  using Waker = std::move_only_function<void()>;
  struct Waiter {
    Wait* wait = nullptr;
    Waker waker;  // of the coroutine that waits, until it is woken
  };

  Outcome<void> watch(Direction direction);
  void wake(Waiter& waiter);
  Waiter& waiter(Direction direction) noexcept { return direction == Direction::read ? reader_ : writer_; }

  Loop::Impl& loop_;
  int fd_;
  Waiter reader_, writer_;
  ReadySet::Place place_;
  std::uint32_t watched_ = 0;
  bool has_news_ = false;  // to read
  bool has_bytes_alone_ = true;
  bool interrupted_ = false;
};

}  // namespace pake::net
