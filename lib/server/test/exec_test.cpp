#include "exec.h"

#include <gtest/gtest.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>

#include "pake/net/clock.h"
#include "pake/net/coroutine.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

/// A child that does nothing until it is killed.
class Child {
 public:
  Child() : pid_(::fork()) {
    if (pid_ == 0)
      for (;;) ::pause();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;  // collected
    kill();
    ::waitpid(pid_, nullptr, 0);
  }
  void kill() const { ::kill(pid_, SIGKILL); }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_;
};

// The last way of a program whose end could not be waited for: the loops are cancelled. The child is killed by a task
// that has its turn only if the one that collects gives way.
TEST(Exec, CollectingAKilledProgramLetsOthersHaveTheirTurn) {
  const Child child;
  net::Loops loops(1);
  std::optional<int> status;
  bool had_turn = false;
  loops.run([](net::Loops& all, const Child& of, std::optional<int>& out, bool& turn) -> net::Awaitable<void> {
    all.cancel();
    co_await all.main().yield();
    all.main().spawn([](net::Loop& loop, const Child& killed, bool& had) -> net::Awaitable<void> {
      co_await loop.yield();
      had = true;
      killed.kill();
    }(all.main(), of, turn));
    out = co_await collect_killed(all.main(), of.pid(), net::after(30s));
  }(loops, child, status, had_turn));
  EXPECT_TRUE(had_turn);
  ASSERT_TRUE(status);
  EXPECT_TRUE(WIFSIGNALED(*status));
}

TEST(Exec, AProgramThatTheSystemKeepsIsLeft) {
  const Child child;
  net::Loops loops(1);
  std::optional<int> status = 0;
  loops.run([](net::Loop& loop, const Child& of, std::optional<int>& out) -> net::Awaitable<void> {
    out = co_await collect_killed(loop, of.pid(), net::after(20ms));
  }(loops.main(), child, status));
  EXPECT_EQ(status, std::nullopt);
}

}  // namespace
}  // namespace pake::server
