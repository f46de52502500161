#include "pake/net/loops.h"

#include <csignal>
#include <thread>

#include "support.h"

namespace pake::net {
namespace {

Awaitable<void> note(int& runs, Loop& loop) {
  ++runs;
  EXPECT_TRUE(co_await loop.sleep_until(soon()));
  ++runs;
}

TEST(Loops, RunTheTaskToItsEnd) {
  Loops loops(1);
  int runs = 0;
  loops.run(note(runs, loops.main()));
  EXPECT_EQ(runs, 2);
}

Awaitable<void> give_way(Loop& loop) {
  const auto went_first = std::make_shared<bool>(false);
  loop.post(went_first, [](bool& went) { went = true; });
  EXPECT_FALSE(*went_first);
  co_await loop.yield();
  EXPECT_TRUE(*went_first);
}

TEST(Loops, WhoYieldsGoesOnBehindTheOthers) {
  Loops loops(1);
  loops.run(give_way(loops.main()));
}

/// What tells a test whether work ran.
struct Target {
  std::shared_ptr<std::string> said;
};

Awaitable<void> post_to_what_goes(Loop& loop, std::shared_ptr<std::string> said) {
  auto target = std::make_shared<Target>(said);
  const auto say = [](Target& to, std::string word) { *to.said += word; };
  loop.post(std::weak_ptr(target), say, std::string("first "));
  co_await loop.yield();
  loop.post(std::weak_ptr(target), say, std::string("to nobody "));
  target.reset();
  co_await loop.yield();
  loop.post(std::make_shared<Target>(said), say, std::string("owned"));
  co_await loop.yield();
}

TEST(Loops, WhatIsPostedToATargetThatHasGoneDoesNotRun) {
  Loops loops(1);
  const auto said = std::make_shared<std::string>();
  loops.run(post_to_what_goes(loops.main(), said));
  EXPECT_EQ(*said, "first owned");
}

template <class Work, class... Arguments>
concept CanPost = requires(Loop loop, std::weak_ptr<Target> target, Work work, Arguments... arguments) {
  loop.post(target, work, arguments...);
};

TEST(Loops, WhatPointsToSomethingIsNotPosted) {
  int here = 0;
  const auto empty = [](Target&) {};
  const auto by_address = [&here](Target&) { ++here; };
  const auto takes = [](Target&, int*) {};
  static_assert(CanPost<decltype(empty)>);
  static_assert(!CanPost<decltype(by_address)>);
  static_assert(!CanPost<decltype(takes), int*>);
  by_address(*std::make_unique<Target>());
  EXPECT_EQ(here, 1);
}

Awaitable<void> count(std::atomic<int>& ended, Loop& loop) {
  EXPECT_TRUE(co_await loop.sleep_until(soon()));
  ++ended;
}

Awaitable<void> spread(Loops& loops, std::atomic<int>& ended) {
  for (int i = 0; i < 100; ++i) {
    Loop& loop = loops.next();
    loop.spawn(count(ended, loop));
  }
  co_return;
}

TEST(Loops, WaitForEverythingThatWasSpawned) {
  Loops loops(4);
  std::atomic<int> ended = 0;
  loops.run(spread(loops, ended));
  EXPECT_EQ(ended, 100);
}

Awaitable<void> sleep_for_ever(Loop& loop, std::atomic<int>& cancelled) {
  const auto first = co_await loop.sleep_until(kNever);
  const auto second = co_await loop.sleep_until(kNever);
  if (!first && first.error() == Error::Kind::cancelled) ++cancelled;
  if (!second && second.error() == Error::Kind::cancelled) ++cancelled;
}

Awaitable<void> sleep_everywhere(Loops& loops, std::atomic<int>& cancelled) {
  for (int i = 0; i < 8; ++i) {
    Loop& loop = loops.next();
    loop.spawn(sleep_for_ever(loop, cancelled));
  }
  EXPECT_TRUE(co_await loops.main().sleep_until(soon()));
  loops.cancel();
  co_await sleep_for_ever(loops.main(), cancelled);
}

TEST(Loops, CancelEndsEveryWaitAndThoseToCome) {
  Loops loops(3);
  std::atomic<int> cancelled = 0;
  loops.run(sleep_everywhere(loops, cancelled));
  EXPECT_EQ(cancelled, 18);
}

TEST(Loops, CancelMayComeFromAnyThread) {
  Loops loops(2);
  std::atomic<int> cancelled = 0;
  std::jthread other([&] { loops.cancel(); });
  loops.run(sleep_for_ever(loops.main(), cancelled));
  EXPECT_EQ(cancelled, 2);
}

Awaitable<void> earlier(Loop& loop, int& order) {
  EXPECT_TRUE(co_await loop.sleep_until(soon()));
  EXPECT_EQ(order++, 0);
}

Awaitable<void> later(Loop& loop, int& order) {
  const auto deadline = after(200ms);
  loop.spawn(earlier(loop, order));
  EXPECT_TRUE(co_await loop.sleep_until(deadline));
  EXPECT_GE(Clock::now(), deadline);
  EXPECT_EQ(order++, 1);
}

TEST(Loops, AnEarlierDeadlineOvertakesALaterOne) {
  Loops loops(1);
  int order = 0;
  loops.run(later(loops.main(), order));
  EXPECT_EQ(order, 2);
}

Awaitable<void> raise_and_wait(Loop& loop) {
  EXPECT_EQ(std::raise(SIGTERM), 0);
  const auto slept = co_await loop.sleep_until(patient());
  EXPECT_FALSE(slept);
}

TEST(Loops, TheFirstSignalIsTold) {
  Loops loops(1);
  int taken = 0;
  loops.on_signal({SIGTERM, SIGINT}, [&](int signal) {
    taken = signal;
    loops.cancel();
  });
  loops.run(raise_and_wait(loops.main()));
  EXPECT_EQ(taken, SIGTERM);
}

Awaitable<void> raise_twice(Loop& loop, int& taken) {
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(std::raise(SIGHUP), 0);
    const auto deadline = patient();
    while (taken < i && Clock::now() < deadline) EXPECT_TRUE(co_await loop.sleep_until(after(1ms)));
  }
  EXPECT_EQ(std::raise(SIGUSR1), 0);
  EXPECT_FALSE(co_await loop.sleep_until(patient()));
}

TEST(Loops, EverySignalIsTold) {
  Loops loops(1);
  int taken = 0;
  loops.on_every_signal({SIGHUP}, [&](int) { ++taken; });
  loops.on_every_signal({SIGUSR1}, [&](int) { loops.cancel(); });
  loops.run(raise_twice(loops.main(), taken));
  EXPECT_EQ(taken, 2);
}

}  // namespace
}  // namespace pake::net
