#include "pake/net/acceptor.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <vector>

#include "pake/net/signal.h"
#include "support.h"

namespace pake::net {
namespace {

/// A stream from anywhere, which notes its interruption.
class FakeStream final : public Stream {
 public:
  FakeStream(std::string host, bool& evicted)
      : peer_(TcpAddress{.host = std::move(host), .port = 1}), evicted_(evicted) {}
  Awaitable<Outcome<std::size_t>> read_some(MutableBytes, Deadline) override { co_return fail(Error::Kind::closed); }
  Awaitable<Outcome<void>> write_all(Bytes, Deadline) override { co_return fail(Error::Kind::closed); }
  Awaitable<Outcome<void>> wait_acknowledged(Deadline) override { co_return fail(Error::Kind::closed); }
  void shutdown_write() noexcept override {}
  void reset(channel::ResetCode) override {}
  void interrupt() override { evicted_ = true; }
  [[nodiscard]] const Address& peer() const noexcept override { return peer_; }

 private:
  Address peer_;
  bool& evicted_;
};

/// Callers by name, and who of them has been evicted.
class Pool {
 public:
  Pool(Loop& loop, CallerLimits limits) : loop_(loop), callers_(limits) {}

  bool admit(const std::string& name, const std::string& host) {
    auto caller = callers_.admit(std::make_unique<FakeStream>(host, evicted_[name]), loop_);
    if (caller) members_.emplace(name, std::move(*caller));
    return caller.has_value();
  }
  Caller& operator[](const std::string& name) { return members_.at(name); }
  void leave(const std::string& name) { members_.erase(name); }
  Callers& callers() { return callers_; }

  Awaitable<std::string> evicted() {
    co_await loop_.yield();
    std::string names;
    for (const auto& [name, is_evicted] : evicted_)
      if (is_evicted) names += name + " ";
    co_return names;
  }

 private:
  Loop& loop_;
  Callers callers_;
  std::map<std::string, bool> evicted_;
  std::map<std::string, Caller> members_;
};

template <class Test>
void on_loop(Test test) {
  Loops loops(1);
  loops.run(test(loops.main()));
}

TEST(Callers, TheOldestOfTheSourceThatHoldsMostIsEvicted) {
  on_loop([](Loop& loop) -> Awaitable<void> {
    Pool pool(loop, {.silent = 4});
    pool.admit("honest", "192.0.2.1");
    pool.admit("a", "192.0.2.9");
    pool.admit("b", "192.0.2.9");
    pool.admit("c", "192.0.2.9");
    EXPECT_EQ(co_await pool.evicted(), "");
    pool.admit("d", "192.0.2.9");
    EXPECT_EQ(co_await pool.evicted(), "a ");
    pool.admit("other", "192.0.2.2");
    EXPECT_EQ(co_await pool.evicted(), "a b ");
    EXPECT_EQ(pool.callers().silent(), 4U);
    EXPECT_EQ(pool.callers().all(), 4U) << "an evicted one has gone at once";
  });
}

TEST(Callers, OfEqualsTheOldestIsEvicted) {
  on_loop([](Loop& loop) -> Awaitable<void> {
    Pool pool(loop, {.silent = 3});
    pool.admit("a", "192.0.2.1");
    pool.admit("b", "192.0.2.2");
    pool.admit("c", "2001:db8::1");
    pool.leave("a");
    pool.admit("d", "192.0.2.4");
    pool.admit("e", "2001:db8::2");
    EXPECT_EQ(co_await pool.evicted(), "b ") << "c and e are one only when e is in";
    pool.admit("f", "192.0.2.4");
    EXPECT_EQ(co_await pool.evicted(), "b c ");
  });
}

TEST(Callers, WhoWaitsIsNotEvicted) {
  on_loop([](Loop& loop) -> Awaitable<void> {
    Pool pool(loop, {.silent = 2, .waiting = 1});
    pool.admit("a", "192.0.2.1");
    EXPECT_TRUE(pool["a"].begin_waiting());
    for (const auto* name : {"b", "c", "d"}) pool.admit(name, "192.0.2.1");
    EXPECT_EQ(co_await pool.evicted(), "b ");
    EXPECT_FALSE(pool["c"].begin_waiting()) << "no place";
    EXPECT_EQ(pool.callers().waiting(), 1U);
    EXPECT_FALSE(pool["b"].begin_waiting()) << "it has been evicted";
    pool["a"].end_waiting();
    EXPECT_TRUE(pool["d"].begin_waiting());
    EXPECT_EQ(pool.callers().all(), 3U);
  });
}

TEST(Callers, WhenAllPlacesAreTakenSilentOnesMakeRoomAndOthersDoNot) {
  on_loop([](Loop& loop) -> Awaitable<void> {
    Pool pool(loop, {.silent = 9, .waiting = 9, .all = 2});
    pool.admit("a", "192.0.2.1");
    EXPECT_TRUE(pool["a"].begin_waiting());
    EXPECT_NE(pool["a"].take_stream(), nullptr);
    pool.admit("b", "192.0.2.1");
    EXPECT_TRUE(pool.admit("c", "192.0.2.1"));
    EXPECT_EQ(co_await pool.evicted(), "b ");
    EXPECT_TRUE(pool["c"].begin_waiting());
    EXPECT_FALSE(pool.admit("d", "192.0.2.1"));
    EXPECT_FALSE(pool.callers().evict());
    pool.leave("a");
    EXPECT_TRUE(pool.admit("e", "192.0.2.1"));
  });
}

TEST(Callers, AProxySaysWhereACallerComesFrom) {
  on_loop([](Loop& loop) -> Awaitable<void> {
    Pool pool(loop, {.silent = 3});
    for (const auto* name : {"a", "b", "c"}) pool.admit(name, "10.0.0.1");
    pool["b"].comes_from(Source(TcpAddress{.host = "192.0.2.7", .port = 1}));
    pool["c"].comes_from(Source(TcpAddress{.host = "192.0.2.7", .port = 2}));
    pool.admit("d", "10.0.0.2");
    EXPECT_EQ(co_await pool.evicted(), "b ");
  });
}

Awaitable<void> read_hello(Caller caller, int& served, int& interrupted) {
  std::array<std::uint8_t, 8> hello{};
  const auto count = co_await caller.stream().read_some(hello, patient());
  if (count) ++served;
  if (!count && count.error() == Error::Kind::interrupted) ++interrupted;
}

std::shared_ptr<Listener> open(Loop& loop) {
  auto listener = Listener::open(loop, TcpAddress{.port = 0});
  EXPECT_TRUE(listener);
  return std::make_shared<Listener>(std::move(*listener));
}

/// Lets this process have `more` files than it has now.
class Limit {
 public:
  explicit Limit(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDERR_FILENO);
    ::close(next);
    const rlimit now{.rlim_cur = static_cast<rlim_t>(next) + more, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;
  ~Limit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// Many who connect and say nothing, and behind them one with a hello: that one is served.
struct Flood {
  CallerLimits limits;
  std::optional<rlim_t> files = std::nullopt;  // so many are left when accepting begins
  std::size_t strangers = 100;
  int served = 0, interrupted = 0, told = 0;
  std::size_t most = 0;  // silent at once

  Awaitable<void> run(Loop& loop) {
    const auto listener = open(loop);
    std::vector<std::unique_ptr<Stream>> silent;
    for (std::size_t i = 0; i < strangers; ++i) {
      auto stranger = co_await connect(loop, listener->address(), patient());
      if (!stranger) co_return ADD_FAILURE() << stranger.error().explain();
      silent.push_back(std::move(*stranger));
    }
    auto honest = co_await connect(loop, listener->address(), patient());
    EXPECT_TRUE(co_await (*honest)->write_all(Buffer({1}), patient()));
    Callers callers(limits);
    Signal over(loop);
    {
      const auto limit = files ? std::make_unique<Limit>(*files) : nullptr;
      loop.spawn(accept(loop, listener, callers, over));
      const auto deadline = patient();
      while (served == 0 && Clock::now() < deadline) {
        static_cast<void>(co_await loop.sleep_until(after(1ms)));
        most = std::max(most, callers.silent());
      }
    }
    EXPECT_EQ(served, 1);
    EXPECT_LE(most, limits.silent);
    listener->interrupt();
    silent.clear();
    EXPECT_TRUE(co_await over.wait(patient()));
  }

 private:
  Awaitable<void> accept(Loop& loop, std::shared_ptr<Listener> listener, Callers callers, Signal& over) {
    co_await accept_loop(loop, listener, callers,
                         {.serve = [this](Caller caller) { return read_hello(std::move(caller), served, interrupted); },
                          .home = [&loop]() -> Loop& { return loop; },
                          .is_full = [this](const Error&, const Address*) { ++told; }});
    over.notify();
  }
};

TEST(AcceptLoop, KeepsItsCapAndServesWhoComesLast) {
  on_loop([](Loop& loop) -> Awaitable<void> {
    Flood flood{.limits = {.silent = 8}};
    co_await flood.run(loop);
    EXPECT_GE(flood.interrupted, 90);
    EXPECT_EQ(flood.told, 0);
  });
}

TEST(AcceptLoop, EvictsWhenNoDescriptorIsLeft) {
  on_loop([](Loop& loop) -> Awaitable<void> {
    Flood flood{.limits = {.silent = 1000}, .files = 10};
    co_await flood.run(loop);
    EXPECT_GE(flood.interrupted, 80);
    EXPECT_EQ(flood.told, 1);
  });
}

Awaitable<void> serve_for_ever(Caller caller, Loop& loop) {
  EXPECT_TRUE(caller.begin_waiting());
  EXPECT_FALSE(co_await loop.sleep_until(kNever));
}

TEST(AcceptLoop, SaysOnceThatItIsFullAndLetsOthersGoOn) {
  Loops loops(1);
  auto& loop = loops.main();
  int told = 0;
  loops.run([](Loops& all, Loop& at, int& said) -> Awaitable<void> {
    const auto listener = open(at);
    Callers callers({.all = 1});
    Signal over(at);
    at.spawn([](Loop& on, std::shared_ptr<Listener> from, Callers in, int& full, Signal& done) -> Awaitable<void> {
      co_await accept_loop(on, from, in,
                           {.serve = [&on](Caller caller) { return serve_for_ever(std::move(caller), on); },
                            .home = [&on]() -> Loop& { return on; },
                            .is_full = [&full](const Error&, const Address*) { ++full; }});
      done.notify();
    }(at, listener, callers, said, over));
    for (int i = 0; i < 20; ++i) {
      auto stranger = co_await connect(at, listener->address(), patient());
      std::array<std::uint8_t, 1> byte{};
      if (i > 0) EXPECT_FALSE(co_await (*stranger)->read_some(byte, patient())) << "closed as it comes";
    }
    EXPECT_EQ(said, 1);
    listener->interrupt();
    EXPECT_TRUE(co_await over.wait(patient()));
    all.cancel();
  }(loops, loop, told));
}

}  // namespace
}  // namespace pake::net
