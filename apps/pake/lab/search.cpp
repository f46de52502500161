#include "lab/search.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "process/output.h"
#include "process/run.h"

namespace pake::cli::lab {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr auto kRedraw = std::chrono::milliseconds(250);
constexpr auto kKeepEvery = std::chrono::seconds(5);
constexpr std::size_t kMostThreads = 256;

volatile std::sig_atomic_t came = 0;

/// The signals that end a command only mark that they came, as long as this lives.
class NotedSignals {
 public:
  NotedSignals() : signals_(ending_signals()), before_(signals_.size()) {
    came = 0;
    struct sigaction action{};
    action.sa_handler = [](int signal) { came = signal; };
    for (std::size_t i = 0; i < signals_.size(); ++i) ::sigaction(signals_[i], &action, &before_[i]);
  }
  NotedSignals(const NotedSignals&) = delete;
  NotedSignals& operator=(const NotedSignals&) = delete;
  ~NotedSignals() {
    for (std::size_t i = 0; i < signals_.size(); ++i) ::sigaction(signals_[i], &before_[i], nullptr);
  }

 private:
  std::vector<int> signals_;
  std::vector<struct sigaction> before_;
};

/// Which pieces are handed out, and which are done.
class Ledger {
 public:
  explicit Ledger(const Pieces& pieces) : next_(pieces.from), count_(pieces.count) {}

  [[nodiscard]] bool take(std::uint64_t& piece) {
    const std::lock_guard lock(mutex_);
    if (is_over_ || next_ >= count_) return false;
    piece = next_++;
    running_.insert(piece);
    return true;
  }
  void give_back(std::uint64_t piece, bool is_it) {
    const std::lock_guard lock(mutex_);
    if (is_it) is_found_ = is_over_ = true;
    if (!is_it) running_.erase(piece);  // what was found is found again by who begins here
    ++done_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    ++left_;
    changed_.notify_all();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  /// True once all threads have left.
  [[nodiscard]] bool wait(std::size_t threads) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kRedraw, [&] { return left_ == threads; });
  }
  [[nodiscard]] std::uint64_t done_before() {
    const std::lock_guard lock(mutex_);
    return running_.empty() ? next_ : *running_.begin();
  }
  [[nodiscard]] std::uint64_t done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  [[nodiscard]] bool is_found() {
    const std::lock_guard lock(mutex_);
    return is_found_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_;
  std::uint64_t count_;
  std::uint64_t done_ = 0;
  std::set<std::uint64_t> running_;
  std::size_t left_ = 0;
  bool is_over_ = false;
  bool is_found_ = false;
};

class ProgressLine {
 public:
  explicit ProgressLine(const Pieces& pieces) : pieces_(pieces), shown_(::isatty(STDERR_FILENO) == 1) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() {
    if (drawn_) write("\r\x1b[K");
  }

  void draw(std::uint64_t units, Seconds since) {
    if (!shown_ || since.count() <= 0 || units == 0) return;
    drawn_ = true;
    const auto rate = static_cast<double>(units) / since.count();
    const auto at = std::min(pieces_.from * pieces_.units + units, pieces_.total);
    const Seconds left(static_cast<double>(pieces_.total - at) / rate);
    auto line = fmt::format("{} of {} {}, {}/s, {} left", grouped(at), grouped(pieces_.total), pieces_.name,
                            about(rate), about_time(left));
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 && line.size() >= size.ws_col)
      line.resize(size.ws_col - 1U);
    write("\r\x1b[K" + line);
  }

 private:
  static void write(std::string_view text) { std::ignore = ::write(STDERR_FILENO, text.data(), text.size()); }
  const Pieces& pieces_;
  bool shown_;
  bool drawn_ = false;
};

}  // namespace

SearchEnd search(const Pieces& pieces, const std::function<bool(std::uint64_t)>& work,
                 const std::function<bool(std::uint64_t)>& keep) {
  const NotedSignals signals;
  const auto begun = Clock::now();
  Ledger ledger(pieces);
  if (keep && !keep(pieces.from)) return {.done_before = pieces.from};  // known before hours of work
  {
    ProgressLine progress(pieces);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < pieces.threads; ++i)
      threads.emplace_back([&] {
        for (std::uint64_t piece = 0; ledger.take(piece);) ledger.give_back(piece, work(piece));
        ledger.leave();
      });
    for (auto kept = begun; !ledger.wait(pieces.threads);) {
      if (came != 0) ledger.end();
      progress.draw(ledger.done() * pieces.units, Clock::now() - begun);
      if (keep && Clock::now() - kept >= kKeepEvery) {
        if (!keep(ledger.done_before())) ledger.end();
        kept = Clock::now();
      }
    }
  }
  if (keep) static_cast<void>(keep(ledger.done_before()));
  return {.is_found = ledger.is_found(),
          .signal = came,
          .done_before = ledger.done_before(),
          .units_tried = std::min(ledger.done() * pieces.units, pieces.total),
          .took = Clock::now() - begun};
}

std::size_t all_cores() noexcept {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
}

std::string grouped(std::uint64_t number) {
  auto digits = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string about(double number) {
  if (number >= 1e9) return fmt::format("{:.3g} billion", number / 1e9);
  if (number >= 1e6) return fmt::format("{:.3g} million", number / 1e6);
  return grouped(static_cast<std::uint64_t>(number));
}

std::string about_time(std::chrono::duration<double> time) {
  const auto seconds = time.count();
  const auto in = [](double count, std::string_view unit) {
    const auto whole = static_cast<std::uint64_t>(count + 0.5);
    return fmt::format("{} {}{}", grouped(whole), unit, whole == 1 ? "" : "s");
  };
  if (seconds < 1) return "below a second";
  if (seconds < 100) return in(seconds, "second");
  if (seconds < 6000) return in(seconds / 60, "minute");
  if (seconds < 48 * 3600) return in(seconds / 3600, "hour");
  return in(seconds / 86400, "day");
}

}  // namespace pake::cli::lab
