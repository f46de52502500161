#include "pake/net/workers.h"

#include <sys/resource.h>

#include <atomic>
#include <latch>
#include <thread>

#include "support.h"

namespace pake::net {
namespace {

Awaitable<void> run_one(Workers& workers, Loop& loop, std::atomic<int>& ran, std::atomic<int>& done) {
  const auto outcome = co_await workers.run(loop, [&] { ++ran; }, patient());
  if (outcome) ++done;
}

Awaitable<void> run_many(Workers& workers, Loops& loops, std::atomic<int>& ran, std::atomic<int>& done) {
  for (int i = 0; i < 200; ++i) {
    Loop& loop = loops.next();
    loop.spawn(run_one(workers, loop, ran, done));
  }
  co_return;
}

TEST(Workers, RunWhatSeveralLoopsAskFor) {
  const auto workers = Workers::start(3, 1000);
  ASSERT_TRUE(workers);
  std::atomic<int> ran = 0, done = 0;
  Loops loops(3);
  loops.run(run_many(**workers, loops, ran, done));
  EXPECT_EQ(ran, 200);
  EXPECT_EQ(done, 200);
}

/// Holds the only thread until `free`.
Awaitable<void> hold(Workers& workers, Loop& loop, std::latch& free) {
  EXPECT_TRUE(co_await workers.run(loop, [&] { free.wait(); }));
}

Awaitable<void> fill(Workers& workers, Loop& loop, std::latch& free) {
  loop.spawn(hold(workers, loop, free));
  co_await loop.yield();
  bool has_run = false;
  const auto late = co_await workers.run(loop, [&] { has_run = true; }, soon());
  EXPECT_EQ(late.error(), Error::Kind::timed_out);
  std::atomic<int> ran = 0, done = 0;
  loop.spawn(run_one(workers, loop, ran, done));
  co_await loop.yield();
  EXPECT_EQ((co_await workers.run(loop, [&] { has_run = true; })).error(), Error::Kind::exhausted);
  free.count_down();
  while (done == 0) EXPECT_TRUE(co_await loop.sleep_until(after(1ms)));
  EXPECT_FALSE(has_run);
}

TEST(Workers, HaveABoundedQueueWithDeadlines) {
  const auto workers = Workers::start(1, 1);
  ASSERT_TRUE(workers);
  std::latch free(1);
  Loops loops(1);
  loops.run(fill(**workers, loops.main(), free));
}

Awaitable<void> cancel_while_running(Workers& workers, Loops& loops, std::atomic<int>& ran) {
  const auto outcome = co_await workers.run(loops.main(), [&] {
    loops.cancel();
    std::this_thread::sleep_for(30ms);
    ++ran;
  });
  EXPECT_TRUE(outcome);
  EXPECT_EQ(ran, 1) << "the end of what runs is waited for";
  const auto later = co_await workers.run(loops.main(), [&] { std::this_thread::sleep_for(1ms); });
  if (!later) EXPECT_EQ(later.error(), Error::Kind::cancelled);
}

TEST(Workers, AreNotLeftWhileTheyWork) {
  const auto workers = Workers::start(1, 1);
  std::atomic<int> ran = 0;
  Loops loops(1);
  loops.run(cancel_while_running(**workers, loops, ran));
}

Awaitable<void> use_shared(Loop& loop, bool& ran) {
  EXPECT_TRUE(co_await loop.on_worker([&] { ran = true; }));
}

TEST(Workers, OfTheLoopsStartWhenTheyAreNeeded) {
  bool ran = false;
  Loops loops(1);
  loops.run(use_shared(loops.main(), ran));
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace pake::net
