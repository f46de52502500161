// Guess accounting: online guessing is the only attack left, so a responder cannot be built without a permit for one
// guess.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake {

/// What became of a permit.
enum class GuessOutcome : std::uint8_t {
  unused,    // message 2 never left: nothing was learnt
  verified,  // it left, and the peer's finish has verified: exactly this guess is given back
  failed,    // it left, and nothing has verified
};

/// Who is told about a permit. The permit shares its ownership, so an object a permit may outlive the run: one that
/// holds a slot, say, is told `failed`, keeps itself alive while the failure is written to a database, and frees the
/// slot after that. Called on the thread that owns the permit.
class GuessObserver {
 public:
  GuessObserver() = default;
  GuessObserver(const GuessObserver&) = delete;
  GuessObserver& operator=(const GuessObserver&) = delete;
  virtual ~GuessObserver() = default;

  /// Message 2 is about to leave: from now on the peer may know whether its guess was right. Once at most, and before
  /// the outcome.
  virtual void spent() noexcept {}
  /// Exactly once a permit.
  virtual void ended(GuessOutcome outcome) noexcept = 0;
};

/// The right to answer one guess. Move-only; its end without `refund` leaves a spent guess spent.
class GuessPermit {
 public:
  explicit GuessPermit(std::shared_ptr<GuessObserver> observer) noexcept : observer_(std::move(observer)) {}
  GuessPermit(const GuessPermit&) = delete;
  GuessPermit& operator=(const GuessPermit&) = delete;
  GuessPermit(GuessPermit&& other) noexcept;
  GuessPermit& operator=(GuessPermit&& other) noexcept;
  ~GuessPermit() { end(); }

  /// A permit that nobody counts: for tests, and for the seed's protocol, which is broken anyway.
  [[nodiscard]] static GuessPermit uncounted_for_study() noexcept { return GuessPermit(nullptr); }

  /// Marks the guess spent. The responder calls it where it hands out message 2; a second call changes nothing.
  void spend() noexcept;
  /// Gives a spent guess back. The responder calls it where the peer's finish has verified; before `spend` it does
  /// nothing.
  void refund() noexcept;

 private:
  enum class State : std::uint8_t { fresh, spent, over };
  void end() noexcept;
  void tell(GuessOutcome outcome) noexcept;

  std::shared_ptr<GuessObserver> observer_;
  State state_ = State::fresh;
};

/// A budget of `guesses` for one secret that lives as long as the process: a code, say. It never refills. Threads may
/// share it; permits may outlive it.
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

/// How many guesses a name has at once, and how fast they come back.
struct GuessRule {
  std::uint32_t burst = 10;           // at least 1
  std::chrono::seconds refill{3600};  // for one guess; more than 0
};

/// Guesses by name and time, in this process's memory: a bucket a name, full at first, and full again some time after
/// the last guess. Names with and without an account are counted alike; none is locked out for good. A restart forgets
/// everything. Threads may share it; permits may outlive it.
class GuessBuckets {
 public:
  /// A steady clock's; it is handed in.
  using Time = std::chrono::steady_clock::time_point;

  /// @param max_names  buckets that are not full, 200 bytes each. One more and the one that is full soonest is
  ///                   forgotten, so whoever would make room in a bucket must first fill all others as far
  explicit GuessBuckets(GuessRule rule = {}, std::size_t max_names = 65'536);

  /// A permit; Errc::exhausted when all guesses of the name are spent or held by runs still open.
  [[nodiscard]] Result<GuessPermit> take(Bytes name, Time now);
  /// How long until `take` can succeed; nothing is held by it.
  [[nodiscard]] std::chrono::seconds retry_after(Bytes name, Time now) const;
  /// Buckets that are not full.
  [[nodiscard]] std::size_t names() const;

 private:
  class PAKE_HIDDEN Table;
  std::shared_ptr<Table> table_;
};

}  // namespace pake

PAKE_EXPORT_END
