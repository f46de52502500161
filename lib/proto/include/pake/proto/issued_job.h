// The one job of a run: what a machine hands out by take_job() and knows again in resume().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "pake/base/result.h"
#include "pake/proto/machine.h"

namespace pake {

/// A piece of work that gives a Result<T>: issued once, taken back once. Both rules are the same for every run, and
/// breaking one is Errc::misuse, upon which the run ends.
template <class T>
class IssuedJob {
 public:
  using Work = std::move_only_function<Result<T>()>;

  explicit IssuedJob(Work work) : state_(std::make_shared<SharedState>(std::move(work))) {}

  /// Errc::misuse the second time.
  [[nodiscard]] Result<std::unique_ptr<Job>> issue() {
    if (std::exchange(is_issued_, true)) return fail(Errc::misuse);
    return std::make_unique<Issued>(state_);
  }

  /// What the job gave. Errc::misuse if it is not the one that was issued, or has not run.
  [[nodiscard]] Result<Result<T>> take_back(std::unique_ptr<Job> job) {
    const auto* issued = dynamic_cast<const Issued*>(job.get());
    if (issued == nullptr || issued->state != state_ || !state_->output) return fail(Errc::misuse);
    return *std::exchange(state_->output, std::nullopt);
  }

 private:
  // The machine keeps it to know the job by; it touches it only once the job is back.
  struct SharedState {
    explicit SharedState(Work what) : work(std::move(what)) {}
    Work work;
    std::optional<Result<T>> output;
  };
  struct Issued final : Job {
    explicit Issued(std::shared_ptr<SharedState> of) : state(std::move(of)) {}
    void run() override { state->output = state->work(); }
    std::shared_ptr<SharedState> state;
  };
  std::shared_ptr<SharedState> state_;
  bool is_issued_ = false;
};

}  // namespace pake
