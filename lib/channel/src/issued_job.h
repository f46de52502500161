// Private to the room: work that is out with the caller.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "pake/base/result.h"
#include "pake/proto/machine.h"

namespace pake::channel {

/// One piece of work that gives a Result<T>: made here, lent once, known again when it comes back.
template <class T>
class IssuedJob {
 public:
  using Work = std::move_only_function<Result<T>()>;

  explicit IssuedJob(Work work) : state_(std::make_shared<SharedState>(std::move(work))) {}

  /// Null the second time.
  [[nodiscard]] std::unique_ptr<Job> lend() {
    if (std::exchange(lent_, true)) return nullptr;
    return std::make_unique<Lent>(state_);
  }

  /// What the job gave. Errc::misuse if it is not the one that was lent, or has not run.
  [[nodiscard]] Result<Result<T>> take_back(std::unique_ptr<Job> job) {
    const auto* lent = dynamic_cast<const Lent*>(job.get());
    if (lent == nullptr || lent->state != state_ || !state_->output) return fail(Errc::misuse);
    return *std::exchange(state_->output, std::nullopt);
  }

 private:
  struct SharedState {
    explicit SharedState(Work what) : work(std::move(what)) {}
    Work work;
    std::optional<Result<T>> output;
  };
  struct Lent final : Job {
    explicit Lent(std::shared_ptr<SharedState> of) : state(std::move(of)) {}
    void run() override { state->output = state->work(); }
    std::shared_ptr<SharedState> state;
  };
  std::shared_ptr<SharedState> state_;
  bool lent_ = false;
};

}  // namespace pake::channel
