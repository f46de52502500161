#include "bridge.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <optional>
#include <utility>

#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::server {
namespace {

using channel::ResetCode;

/// What an end's coroutines sleep on. Of its loop.
struct Sleep {
  explicit Sleep(net::Loop& loop) : reader(loop), writer(loop) {}
  net::Signal reader, writer;
};

}  // namespace

/// Any thread; one lock for both ends.
class BridgeState {
 public:
  struct End {
    net::Loop* loop = nullptr;
    std::weak_ptr<Sleep> sleep;
    Buffer inbox;               // what the other end has written
    std::size_t taken = 0;      // of the inbox
    bool has_finished = false;  // its own half
    bool has_gone = false;
    bool is_interrupted = false;
    std::optional<ResetCode> reset;

    [[nodiscard]] std::size_t waiting() const noexcept { return inbox.size() - taken; }
  };

  BridgeState(net::Loop& first, net::Loop& second, std::uint64_t most) : left_(most) {
    ends_[0].loop = &first;
    ends_[1].loop = &second;
  }

  /// How many bytes were taken; nothing when the reader has to wait.
  std::optional<net::Outcome<std::size_t>> take(std::size_t side, MutableBytes into) {
    const std::scoped_lock lock(mutex_);
    auto& own = ends_[side];
    if (own.reset) return reset_error(*own.reset);
    if (own.waiting() > 0) {
      const auto count = std::min(into.size(), own.waiting());
      std::copy_n(own.inbox.begin() + static_cast<std::ptrdiff_t>(own.taken), count, into.begin());
      own.taken += count;
      if (own.waiting() == 0) {
        own.inbox = Buffer();  // an idle bridge holds no buffer
        own.taken = 0;
      }
      wake(1 - side);
      return count;
    }
    if (ends_[1 - side].has_finished) return net::fail(net::Error::Kind::closed);
    if (std::exchange(own.is_interrupted, false)) return net::fail(net::Error::Kind::interrupted);
    return std::nullopt;
  }

  /// How many bytes were put; 0 when the writer has to wait.
  net::Outcome<std::size_t> put(std::size_t side, Bytes bytes) {
    const std::scoped_lock lock(mutex_);
    auto& own = ends_[side];
    auto& other = ends_[1 - side];
    if (own.reset) return reset_error(*own.reset);
    if (own.has_finished || other.has_gone) return reset_error(ResetCode::cancelled);
    const auto count = std::min(bytes.size(), kBridgeBuffer - std::min(kBridgeBuffer, other.waiting()));
    if (count == 0) return std::size_t{0};
    if (count > left_) {
      cut_both();
      return reset_error(ResetCode::cancelled);
    }
    left_ -= count;
    passed_ += count;
    if (other.taken > 0) {
      other.inbox.erase(other.inbox.begin(), other.inbox.begin() + static_cast<std::ptrdiff_t>(other.taken));
      other.taken = 0;
    }
    other.inbox.insert(other.inbox.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    wake(1 - side);
    return count;
  }

  void finish(std::size_t side) {
    const std::scoped_lock lock(mutex_);
    ends_[side].has_finished = true;
    wake(1 - side);
  }

  void reset(std::size_t side, ResetCode code) {
    const std::scoped_lock lock(mutex_);
    reset_end(side, ResetCode::cancelled);
    reset_end(1 - side, code);
  }

  void cut() {
    const std::scoped_lock lock(mutex_);
    cut_both();
  }

  void interrupt(std::size_t side) {
    const std::scoped_lock lock(mutex_);
    ends_[side].is_interrupted = true;
    wake(side);
  }

  // What it wrote may still be read if it had finished; nobody reads what is written to it.
  void go(std::size_t side) {
    const std::scoped_lock lock(mutex_);
    auto& own = ends_[side];
    own.has_gone = true;
    if (!own.has_finished || (!ends_[1 - side].has_finished && !own.reset)) reset_end(1 - side, ResetCode::cancelled);
  }

  [[nodiscard]] bool has_ended(std::size_t side) const {
    const std::scoped_lock lock(mutex_);
    return ends_[side].reset || ends_[1 - side].has_finished;
  }

  [[nodiscard]] std::uint64_t passed() const {
    const std::scoped_lock lock(mutex_);
    return passed_;
  }

  void sleeps_on(std::size_t side, const std::shared_ptr<Sleep>& sleep) {
    const std::scoped_lock lock(mutex_);
    ends_[side].sleep = sleep;
  }

 private:
  static std::unexpected<net::Error> reset_error(ResetCode code) {
    return std::unexpected(net::Error{.kind = net::Error::Kind::reset, .reset_code = code});
  }

  void reset_end(std::size_t side, ResetCode code) {
    auto& end = ends_[side];
    if (end.reset) return;
    end.reset = code;
    end.inbox = Buffer();
    end.taken = 0;
    wake(side);
  }

  void cut_both() {
    for (const auto side : {std::size_t{0}, std::size_t{1}}) reset_end(side, ResetCode::cancelled);
  }

  void wake(std::size_t side) {
    const auto& end = ends_[side];
    if (end.has_gone || end.sleep.expired()) return;
    end.loop->post(end.sleep, [](Sleep& sleep) {
      sleep.reader.notify();
      sleep.writer.notify();
    });
  }

  mutable std::mutex mutex_;
  std::array<End, 2> ends_;
  std::uint64_t left_;
  std::uint64_t passed_ = 0;
};

namespace {

class BridgeEnd final : public net::Stream {
 public:
  BridgeEnd(std::shared_ptr<BridgeState> state, std::size_t side, net::Loop& loop, net::Address peer)
      : state_(std::move(state)), side_(side), loop_(loop), peer_(std::move(peer)) {}
  BridgeEnd(const BridgeEnd&) = delete;
  BridgeEnd& operator=(const BridgeEnd&) = delete;
  ~BridgeEnd() override { state_->go(side_); }

  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline deadline) override {
    fall_asleep();
    for (;;) {
      auto taken = state_->take(side_, into);
      if (taken) co_return *std::move(taken);
      if (const auto woken = co_await sleep_->reader.wait(deadline); !woken) co_return std::unexpected(woken.error());
    }
  }

  net::Awaitable<net::Outcome<void>> write_all(Bytes bytes, net::Deadline deadline) override {
    fall_asleep();
    while (!bytes.empty()) {
      const auto put = state_->put(side_, bytes);
      if (!put) co_return std::unexpected(put.error());
      bytes = bytes.subspan(*put);
      if (*put > 0) continue;
      if (const auto woken = co_await sleep_->writer.wait(deadline); !woken) co_return std::unexpected(woken.error());
    }
    co_return net::Outcome<void>();
  }

  net::Awaitable<net::Outcome<void>> wait_acknowledged(net::Deadline /*deadline*/) override {
    co_return net::fail(net::Error::Kind::other, EOPNOTSUPP);
  }

  void shutdown_write() noexcept override { state_->finish(side_); }
  void reset(ResetCode code) override { state_->reset(side_, code); }
  [[nodiscard]] bool has_peer_ended() noexcept override { return state_->has_ended(side_); }
  void interrupt() override { state_->interrupt(side_); }
  [[nodiscard]] const net::Address& peer() const noexcept override { return peer_; }

 private:
  // Made on the end's own loop: the thread that makes a bridge is another one's.
  void fall_asleep() {
    if (sleep_) return;
    sleep_ = std::make_shared<Sleep>(loop_);
    state_->sleeps_on(side_, sleep_);
  }

  std::shared_ptr<BridgeState> state_;
  std::size_t side_;
  net::Loop& loop_;
  net::Address peer_;
  std::shared_ptr<Sleep> sleep_;
};

}  // namespace

void BridgeCut::cut() const {
  if (const auto state = state_.lock()) state->cut();
}

std::uint64_t BridgeCut::passed() const {
  const auto state = state_.lock();
  return state ? state->passed() : 0;
}

Bridge make_bridge(net::Loop& first, net::Loop& second, const net::Address& peer, std::uint64_t most) {
  const auto state = std::make_shared<BridgeState>(first, second, most);
  return {.first = std::make_unique<BridgeEnd>(state, 0, first, peer),
          .second = std::make_unique<BridgeEnd>(state, 1, second, peer),
          .cut = BridgeCut(state)};
}

}  // namespace pake::server
