// What became of the permit of one run: a flag that the run's own coroutine reads when the run is over.
#pragma once

#include "pake/proto/guess.h"

namespace pake::server {

class ObservedGuess final : public GuessObserver {
 public:
  void spent() noexcept override { is_spent_ = true; }
  void ended(GuessOutcome outcome) noexcept override { is_verified_ = outcome == GuessOutcome::verified; }

  /// Message 2 has left and no finish has verified: the guess is to be charged.
  [[nodiscard]] bool has_failed() const noexcept { return is_spent_ && !is_verified_; }
  [[nodiscard]] bool is_verified() const noexcept { return is_verified_; }

 private:
  bool is_spent_ = false;
  bool is_verified_ = false;
};

}  // namespace pake::server
