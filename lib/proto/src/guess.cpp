#include "pake/proto/guess.h"

#include <atomic>

namespace pake {

GuessPermit::GuessPermit(GuessPermit&& other) noexcept
    : ledger_(std::move(other.ledger_)), state_(std::exchange(other.state_, State::settled)) {}

GuessPermit& GuessPermit::operator=(GuessPermit&& other) noexcept {
  if (this != &other) {
    settle();
    ledger_ = std::move(other.ledger_);
    state_ = std::exchange(other.state_, State::settled);
  }
  return *this;
}

void GuessPermit::spend() noexcept {
  if (state_ != State::fresh) return;
  state_ = State::spent;
  if (ledger_) ledger_->spent();
}

void GuessPermit::refund() noexcept {
  if (state_ != State::spent) return;
  state_ = State::settled;
  if (ledger_) ledger_->refunded();
}

void GuessPermit::settle() noexcept {
  if (state_ == State::fresh && ledger_) ledger_->unused();
  state_ = State::settled;
}

// A permit holds one guess from the moment it is taken, so concurrent runs cannot together exceed the budget.
class GuessBudget::Counter final : public GuessLedger {
 public:
  explicit Counter(std::size_t guesses) : left_(guesses) {}
  [[nodiscard]] bool take() noexcept {
    auto left = left_.load();
    while (left != 0)
      if (left_.compare_exchange_weak(left, left - 1)) return true;
    return false;
  }
  [[nodiscard]] std::size_t left() const noexcept { return left_.load(); }
  void spent() noexcept override {}
  void refunded() noexcept override { ++left_; }
  void unused() noexcept override { ++left_; }

 private:
  std::atomic<std::size_t> left_;
};

GuessBudget::GuessBudget(std::size_t guesses) : counter_(std::make_shared<Counter>(guesses)) {}

Result<GuessPermit> GuessBudget::take() {
  if (!counter_->take()) return fail(Errc::exhausted);
  return GuessPermit(counter_);
}

std::size_t GuessBudget::available() const noexcept { return counter_->left(); }

}  // namespace pake
