// What the tests of this room share: a loop to run on, and connected streams.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>

#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"

namespace pake::net {

using namespace std::chrono_literals;

/// Long enough never to pass where it should not; a test that waits so long has failed.
inline Deadline patient() { return after(60s); }
/// For a wait that is meant to end by its deadline.
inline Deadline soon() { return after(30ms); }

/// Two ends of one unix connection on the same loop.
struct Pair {
  explicit Pair(Loop& loop) {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
    left = adopt(loop, fds[0], UnixAddress{.path = "pair"});
    right = adopt(loop, fds[1], UnixAddress{.path = "pair"});
  }
  std::unique_ptr<Stream> left, right;
};

}  // namespace pake::net
