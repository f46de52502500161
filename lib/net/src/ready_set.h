// Which descriptors of a loop have become ready: an epoll set of our own in Asio's. Each descriptor is put into it once
// and waits without a system call; Asio's `async_wait` makes one for every wait.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <cstdint>
#include <vector>

#include "pake/net/error.h"

namespace pake::net {

class Descriptor;

/// Touched by its loop's thread alone. Edge-triggered: who waits has seen EAGAIN, or has taken all that there was.
class ReadySet {
 public:
  /// A place in the set. Of a descriptor that has gone, whatever is still told is told to nobody.
  struct Place {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;  // 0: not in the set
  };

  /// Throws std::system_error if the system has no descriptor for it, as Asio does for its own set.
  explicit ReadySet(asio::io_context& io);

  /// @param events  of epoll_ctl(2)
  Outcome<Place> add(Descriptor& descriptor, std::uint32_t events);
  Outcome<void> change(Place place, std::uint32_t events);
  void remove(Place place) noexcept;

 private:
  struct Entry {
    Descriptor* descriptor = nullptr;
    std::uint32_t generation = 1;
  };

  void listen();
  void tell();

  asio::posix::basic_stream_descriptor<asio::io_context::executor_type> set_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
};

}  // namespace pake::net
