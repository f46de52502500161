// What the connections of a server share.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "meetings.h"
#include "pake/base/rng.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/server/accounts.h"
#include "pake/server/config.h"
#include "pake/server/counters.h"
#include "pake/server/generations.h"
#include "pake/server/guesses.h"
#include "pake/server/log.h"
#include "pake/server/sessions.h"
#include "publications.h"

namespace pake::server {

[[nodiscard]] inline store::Time wall_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
[[nodiscard]] inline std::uint64_t seconds_since_1970(store::Time time) {
  return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

/// Runs a call that blocks elsewhere than on the loop, as net::Workers::run promises it.
using RunBlocking = std::function<net::Awaitable<net::Outcome<void>>(net::Loop&, std::function<void()>, net::Deadline)>;

/// Any thread. Configuration and log change with a reload: whoever uses them takes them once.
class State {
 public:
  /// @param rng  any thread may use it
  State(Config config, std::shared_ptr<Accounts> accounts, std::shared_ptr<Log> log, RunBlocking run_blocking,
        std::shared_ptr<Rng> rng)
      : accounts(std::move(accounts)),
        run_blocking(std::move(run_blocking)),
        rng(std::move(rng)),
        config_(std::make_shared<const Config>(std::move(config))),
        log_(std::move(log)) {}

  [[nodiscard]] std::shared_ptr<const Config> config() const {
    const std::scoped_lock lock(mutex_);
    return config_;
  }
  [[nodiscard]] std::shared_ptr<Log> log() const {
    const std::scoped_lock lock(mutex_);
    return log_;
  }
  void set_config(Config config) {
    auto shared = std::make_shared<const Config>(std::move(config));
    const std::scoped_lock lock(mutex_);
    config_ = std::move(shared);
  }
  void set_log(std::shared_ptr<Log> log) {
    const std::scoped_lock lock(mutex_);
    log_ = std::move(log);
  }

  /// Runs a blocking call on a worker.
  /// @return what it returned; nothing when no worker took it in time, or the loops are cancelled
  template <class Call, class T = std::invoke_result_t<Call&>>
  [[nodiscard]] net::Awaitable<std::optional<T>> blocking(net::Loop& loop, Call call) {
    std::optional<T> result;
    static_cast<void>(co_await run_blocking(loop, [&] { result.emplace(call()); }, net::after(kWorkerPatience)));
    co_return result;
  }

  /// Says that the store fails, at most once in ten seconds.
  void report(const store::StoreError& error);

  const std::shared_ptr<Accounts> accounts;
  const RunBlocking run_blocking;
  const std::shared_ptr<Rng> rng;
  Generations generations;
  OpenGuesses guesses;
  Sessions sessions;
  Publications publications;
  Meetings meetings;
  Counters counters;
  std::atomic<bool> is_draining = false;

 private:
  static constexpr std::chrono::seconds kWorkerPatience{4};  // a decision has five

  mutable std::mutex mutex_;
  std::shared_ptr<const Config> config_;
  std::shared_ptr<Log> log_;
  std::chrono::steady_clock::time_point reported_at_ = std::chrono::steady_clock::time_point::min();
};

}  // namespace pake::server
