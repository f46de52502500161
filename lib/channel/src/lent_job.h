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
class LentJob {
 public:
  using Work = std::move_only_function<Result<T>()>;

  explicit LentJob(Work work) : slip_(std::make_shared<Slip>(std::move(work))) {}

  /// Null the second time.
  [[nodiscard]] std::unique_ptr<Job> lend() {
    if (std::exchange(lent_, true)) return nullptr;
    return std::make_unique<Lent>(slip_);
  }

  /// What the job gave. Errc::misuse where it is not the one that was lent, or has not run.
  [[nodiscard]] Result<Result<T>> take_back(std::unique_ptr<Job> job) {
    const auto* lent = dynamic_cast<const Lent*>(job.get());
    if (lent == nullptr || lent->slip != slip_ || !slip_->output) return fail(Errc::misuse);
    return *std::exchange(slip_->output, std::nullopt);
  }

 private:
  struct Slip {
    explicit Slip(Work what) : work(std::move(what)) {}
    Work work;
    std::optional<Result<T>> output;
  };
  struct Lent final : Job {
    explicit Lent(std::shared_ptr<Slip> of) : slip(std::move(of)) {}
    void run() override { slip->output = slip->work(); }
    std::shared_ptr<Slip> slip;
  };
  std::shared_ptr<Slip> slip_;
  bool lent_ = false;
};

}  // namespace pake::channel
