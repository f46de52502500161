// Guess accounting: online guessing is the only attack left, so a responder cannot be built without a permit for one
// guess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake {

/// Where permits come from and where their fate is told. The library has `GuessBudget`; the server room has its ledger.
/// Called from whichever thread owns the permit.
class GuessLedger {
 public:
  GuessLedger() = default;
  GuessLedger(const GuessLedger&) = delete;
  GuessLedger& operator=(const GuessLedger&) = delete;
  virtual ~GuessLedger() = default;

  /// Message 2 is about to leave: from now on the peer may know whether its guess was right.
  virtual void spent() noexcept = 0;
  /// The peer's finish has verified: exactly this spent guess is given back.
  virtual void refunded() noexcept = 0;
  /// The permit went before message 2 left: nothing was learnt, nothing is charged.
  virtual void unused() noexcept = 0;
};

/// The right to answer one guess. Move-only; its end without `refund` leaves a spent guess spent.
class GuessPermit {
 public:
  explicit GuessPermit(std::shared_ptr<GuessLedger> ledger) noexcept : ledger_(std::move(ledger)) {}
  GuessPermit(const GuessPermit&) = delete;
  GuessPermit& operator=(const GuessPermit&) = delete;
  GuessPermit(GuessPermit&& other) noexcept;
  GuessPermit& operator=(GuessPermit&& other) noexcept;
  ~GuessPermit() { settle(); }

  /// A permit that nobody counts: for tests, and for the seed's protocol, which is broken anyway.
  [[nodiscard]] static GuessPermit uncounted_for_study() noexcept { return GuessPermit(nullptr); }

  /// Marks the guess spent. The responder calls it where it hands out message 2; a second call changes nothing.
  void spend() noexcept;
  /// Gives a spent guess back. The responder calls it where the peer's finish has verified; before `spend` it does
  /// nothing.
  void refund() noexcept;

 private:
  enum class State : std::uint8_t { fresh, spent, settled };
  void settle() noexcept;

  std::shared_ptr<GuessLedger> ledger_;
  State state_ = State::fresh;
};

/// An in-memory budget of `guesses` for a library user without a ledger. Threads may share it; permits may outlive it.
class GuessBudget {
 public:
  explicit GuessBudget(std::size_t guesses);

  /// A permit; Errc::exhausted when all guesses are spent or held by runs still open.
  [[nodiscard]] Result<GuessPermit> take();
  /// Guesses that are neither spent nor held now.
  [[nodiscard]] std::size_t available() const noexcept;

 private:
  class PAKE_HIDDEN Counter;
  std::shared_ptr<Counter> counter_;
};

}  // namespace pake

PAKE_EXPORT_END
