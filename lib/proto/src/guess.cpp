#include "pake/proto/guess.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "pake/crypto/hash.h"

namespace pake {

GuessPermit::GuessPermit(GuessPermit&& other) noexcept
    : observer_(std::move(other.observer_)), state_(std::exchange(other.state_, State::over)) {}

GuessPermit& GuessPermit::operator=(GuessPermit&& other) noexcept {
  if (this != &other) {
    end();
    observer_ = std::move(other.observer_);
    state_ = std::exchange(other.state_, State::over);
  }
  return *this;
}

void GuessPermit::spend() noexcept {
  if (state_ != State::fresh) return;
  state_ = State::spent;
  if (observer_) observer_->spent();
}

void GuessPermit::refund() noexcept {
  if (state_ == State::spent) tell(GuessOutcome::verified);
}

void GuessPermit::end() noexcept {
  if (state_ != State::over) tell(state_ == State::spent ? GuessOutcome::failed : GuessOutcome::unused);
}

void GuessPermit::tell(GuessOutcome outcome) noexcept {
  state_ = State::over;
  if (const auto observer = std::exchange(observer_, nullptr)) observer->ended(outcome);
}

// --- One budget.

// A permit holds one guess from the moment it is taken, so concurrent runs cannot together exceed the budget.
class GuessBudget::Counter final : public GuessObserver {
 public:
  explicit Counter(std::size_t guesses) : left_(guesses) {}
  [[nodiscard]] bool take() noexcept {
    auto left = left_.load();
    while (left != 0)
      if (left_.compare_exchange_weak(left, left - 1)) return true;
    return false;
  }
  [[nodiscard]] std::size_t left() const noexcept { return left_.load(); }
  void ended(GuessOutcome outcome) noexcept override {
    if (outcome != GuessOutcome::failed) ++left_;
  }

 private:
  std::atomic<std::size_t> left_;
};

GuessBudget::GuessBudget(std::size_t guesses) : counter_(std::make_shared<Counter>(guesses)) {}

Result<GuessPermit> GuessBudget::take() {
  if (!counter_->take()) return fail(Errc::exhausted);
  return GuessPermit(counter_);
}

std::size_t GuessBudget::available() const noexcept { return counter_->left(); }

// --- A bucket a name.

// A bucket is the moment at which it is full again: a guess moves it `refill` later, one given back as much earlier,
// and a bucket that is full is not kept. (The generic cell rate algorithm.)
class GuessBuckets::Table : public std::enable_shared_from_this<Table> {
 public:
  using Key = std::array<std::uint8_t, 32>;

  Table(GuessRule rule, std::size_t max_names)
      : refill_(std::max<std::chrono::seconds>(rule.refill, std::chrono::seconds{1})),
        burst_(refill_ * std::max<std::uint32_t>(rule.burst, 1)),
        max_names_(std::max<std::size_t>(max_names, 1)) {}

  Result<GuessPermit> take(Bytes name, Time now);
  std::chrono::seconds retry_after(Bytes name, Time now) const;
  std::size_t names() const {
    const std::lock_guard lock(mutex_);
    return full_at_.size();
  }

 private:
  class Slot;

  // Names may be long and are the peers' choice.
  static Key key_of(Bytes name) {
    const auto digest = crypto::hash(crypto::HashId::sha256, {name});
    Key key{};
    std::ranges::copy(digest.reveal(), key.begin());
    return key;
  }
  void forget_full(Time now) {
    while (!by_time_.empty() && by_time_.begin()->first <= now) forget_first();
  }
  void forget_first() {
    full_at_.erase(by_time_.begin()->second);
    by_time_.erase(by_time_.begin());
  }
  void give_back(const Key& key) noexcept;

  mutable std::mutex mutex_;
  const std::chrono::seconds refill_, burst_;
  const std::size_t max_names_;
  std::map<Key, Time> full_at_;
  std::set<std::pair<Time, Key>> by_time_;  // the same, the soonest first
};

// One a permit, so that it is its own name's guess that is given back.
class GuessBuckets::Table::Slot final : public GuessObserver {
 public:
  Slot(std::shared_ptr<Table> table, const Key& key) : table_(std::move(table)), key_(key) {}
  void ended(GuessOutcome outcome) noexcept override {
    if (outcome != GuessOutcome::failed) table_->give_back(key_);
  }

 private:
  std::shared_ptr<Table> table_;
  Key key_;
};

Result<GuessPermit> GuessBuckets::Table::take(Bytes name, Time now) {
  const auto key = key_of(name);
  auto slot = std::make_shared<Slot>(shared_from_this(), key);
  const std::lock_guard lock(mutex_);
  forget_full(now);
  const auto found = full_at_.find(key);
  const auto full_at = (found == full_at_.end() ? now : found->second) + refill_;
  if (full_at > now + burst_) return fail(Errc::exhausted);
  if (found == full_at_.end()) {
    if (full_at_.size() == max_names_) forget_first();
    full_at_.emplace(key, full_at);
    by_time_.emplace(full_at, key);
  } else {
    auto entry = by_time_.extract({found->second, key});
    entry.value().first = found->second = full_at;
    by_time_.insert(std::move(entry));
  }
  return GuessPermit(std::move(slot));
}

void GuessBuckets::Table::give_back(const Key& key) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = full_at_.find(key);
  if (found == full_at_.end()) return;  // full again by itself
  auto entry = by_time_.extract({found->second, key});
  entry.value().first = found->second -= refill_;
  by_time_.insert(std::move(entry));
}

std::chrono::seconds GuessBuckets::Table::retry_after(Bytes name, Time now) const {
  const auto key = key_of(name);
  const std::lock_guard lock(mutex_);
  const auto found = full_at_.find(key);
  if (found == full_at_.end()) return {};
  const auto wait = found->second + refill_ - burst_ - now;
  return std::max(std::chrono::seconds{}, std::chrono::ceil<std::chrono::seconds>(wait));
}

GuessBuckets::GuessBuckets(GuessRule rule, std::size_t max_names) : table_(std::make_shared<Table>(rule, max_names)) {}

Result<GuessPermit> GuessBuckets::take(Bytes name, Time now) { return table_->take(name, now); }
std::chrono::seconds GuessBuckets::retry_after(Bytes name, Time now) const { return table_->retry_after(name, now); }
std::size_t GuessBuckets::names() const { return table_->names(); }

}  // namespace pake
