// What an idle channel over a socket takes from the heap.
#include <iostream>
#include <vector>

#include "pake/net/channel_link.h"
#include "pake/testing/allocations.h"
#include "support.h"

namespace pake::net {
namespace {

using testing::allocations;

channel::ChannelKeys some_keys() {
  const auto key = [] { return channel::TrafficKey::make([](MutableBytes out) { out[0] = 1; }); };
  channel::ChannelKeys keys;
  keys.client = key();
  keys.server = key();
  return keys;
}

struct Both {
  Both(Loop& loop, channel::KeyCache& cache) : Both(loop, cache, Pair(loop)) {}
  Both(Loop& loop, channel::KeyCache& cache, Pair pair)
      : client(loop, std::move(pair.left), some_keys(), channel::Role::client, cache, {}),
        server(loop, std::move(pair.right), some_keys(), channel::Role::server, cache, {}) {}

  ChannelLink client, server;
};

Awaitable<void> carry(ChannelLink& link) { static_cast<void>(co_await link.run()); }

Awaitable<void> measure(Loops& loops, std::size_t& of_a_link) {
  constexpr std::size_t kCount = 200;
  auto& loop = loops.main();
  channel::KeyCache cache;
  std::vector<std::unique_ptr<Both>> all;
  all.reserve(kCount);
  std::size_t before = 0;
  for (std::size_t i = 0; i <= kCount; ++i) {
    if (i == 1) before = allocations().bytes;  // the first one fills what they share
    all.push_back(std::make_unique<Both>(loop, cache));
    loop.spawn(carry(all.back()->client));
    loop.spawn(carry(all.back()->server));
    EXPECT_TRUE(co_await loop.sleep_until(after(1ms)));
  }
  of_a_link = (allocations().bytes - before) / kCount / 2;
  loops.cancel();
}

TEST(Allocation, AnIdleChannelOverASocketTakesThreeKilobytesAtMost) {
  Loops loops(1);
  std::size_t bytes = 0;
  loops.run(measure(loops, bytes));
  std::cout << "an idle channel over a socket takes " << bytes << " bytes with all that drives it\n";
  EXPECT_LE(bytes, 3072);
}

}  // namespace
}  // namespace pake::net
