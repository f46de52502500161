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

Awaitable<void> read_to_end(ChannelLink& link) {
  auto accepted = co_await link.accept(patient());
  Buffer piece(64 * 1024);
  while (co_await accepted->stream->read_some(piece, patient())) continue;
  accepted->stream->shutdown_write();
  link.delivered();
}

Awaitable<void> be_busy_once(Loop& loop, Both& both, std::size_t& busy, std::size_t& idle) {
  loop.spawn(carry(both.client));
  loop.spawn(carry(both.server));
  loop.spawn(read_to_end(both.server));
  {
    const Buffer much(3'000'000);
    auto stream = both.client.open("discard");
    EXPECT_TRUE(co_await (*stream)->write_all(much, patient()));
    (*stream)->shutdown_write();
    Buffer nothing(1);
    EXPECT_EQ((co_await (*stream)->read_some(nothing, patient())).error(), Error::Kind::closed);
  }
  busy = allocations().bytes;
  EXPECT_TRUE(co_await loop.sleep_until(after(1500ms)));
  idle = allocations().bytes;
  both.client.close(channel::CloseCode::done);
}

TEST(Allocation, WhatHasBeenSentLeavesNoBuffer) {
  constexpr std::size_t kOutput = 200 * 1024;  // at least
  Loops loops(1);
  channel::KeyCache cache;
  Both both(loops.main(), cache);
  std::size_t busy = 0, idle = 0;
  loops.run(be_busy_once(loops.main(), both, busy, idle));
  EXPECT_LE(idle + kOutput, busy);
}

}  // namespace
}  // namespace pake::net
