// Who may guess how often: the guesses that are open on this node, and what the buckets of the store still allow.
//
// A login takes one of the slots of its target (an account, a known device or an invitation), reads the buckets, is
// answered if they allow, and gives the slot back only after success or after its failure is committed. A failure that
// is committed is in every row that is read later, and one that is not yet committed holds its slot: so one node never
// answers more guesses than a bucket has, and N nodes together never more than the bucket and (N - 1) * slots.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include "pake/store/bucket.h"
#include "pake/store/rows.h"

namespace pake::server {

/// A bucket that gives at most `rows` in any hour: half of them at once, the other half as the hour passes.
/// @param rows  at least 2
[[nodiscard]] constexpr store::BucketRule rows_an_hour(std::uint32_t rows) noexcept {
  const auto half = std::max(rows / 2, 1U);
  return {.burst = half, .refill_interval = std::chrono::milliseconds((3'600'000 + half - 1) / half)};
}

/// How many guesses, and how fast they come back.
struct GuessRules {
  store::BucketRule account{.burst = 10, .refill_interval = std::chrono::hours(1)};
  store::BucketRule source{.burst = 30, .refill_interval = std::chrono::minutes(1)};
  store::BucketRule device{.burst = 5, .refill_interval = std::chrono::hours(1)};
  /// Rows of the ledger that one source may make, whatever its own bucket allows. See rows_an_hour.
  store::BucketRule new_rows = rows_an_hour(1000);
  /// An invitation lives for a day: what it is charged does not come back within its life.
  store::BucketRule code{.burst = 3, .refill_interval = std::chrono::days(30)};
  /// Registration answers: each tells something of an OPRF key, so they are never given back.
  store::BucketRule registration_by_code{.burst = 5, .refill_interval = std::chrono::days(30)};
  store::BucketRule registration_by_name{.burst = 5, .refill_interval = std::chrono::minutes(288)};
  std::uint32_t slots = 4;       // of an account, and of a device, on one node
  std::uint32_t code_slots = 1;  // of an invitation: another node answers no more than one try beyond the three
};

/// No guess is left now.
struct Throttled {
  std::chrono::seconds retry_after;  // at least 1

  friend bool operator==(const Throttled&, const Throttled&) = default;
};

/// Whose guesses are counted.
struct GuessKeys {
  store::BucketKey target{};    // the account's, the device's or the invitation's
  store::BucketKey source{};    // the network's
  store::BucketKey new_rows{};  // the network's, for the rows that it makes
};

class OpenGuess;

/// The guesses that are open on this node. Any thread may use it; it outlives what it gives.
class OpenGuesses {
 public:
  OpenGuesses();
  OpenGuesses(const OpenGuesses&) = delete;
  OpenGuesses& operator=(const OpenGuesses&) = delete;
  ~OpenGuesses();

  /// One of the target's slots. To be called before the buckets are read.
  /// @param digest  of the hello that a device's bucket would be charged for
  /// @return Throttled when none of `slots` is free
  [[nodiscard]] std::expected<OpenGuess, Throttled> take(const GuessKeys& keys, std::uint32_t slots,
                                                         const std::optional<store::HelloDigest>& digest = {});
  /// The slots of `target` that are taken.
  [[nodiscard]] std::uint32_t open(const store::BucketKey& target) const;
  /// All of them.
  [[nodiscard]] std::size_t total() const;

 private:
  friend class OpenGuess;
  struct Table;
  std::shared_ptr<Table> table_;
};

/// A slot that is taken; free again when the object goes. Move-only.
class OpenGuess {
 public:
  OpenGuess(OpenGuess&&) noexcept = default;
  OpenGuess& operator=(OpenGuess&&) noexcept;
  ~OpenGuess();

  [[nodiscard]] const GuessKeys& keys() const noexcept { return keys_; }
  /// How many guesses at the target, and from the source, were open when this one was taken, itself included.
  [[nodiscard]] std::uint32_t open_at_target() const noexcept { return open_at_target_; }
  [[nodiscard]] std::uint32_t open_at_source() const noexcept { return open_at_source_; }
  /// The hello of a device's guess, if it is one.
  [[nodiscard]] const std::optional<store::HelloDigest>& digest() const noexcept { return digest_; }
  /// Another guess was open for the same hello when this one was taken.
  [[nodiscard]] bool is_repeated() const noexcept { return is_repeated_; }

 private:
  friend class OpenGuesses;
  OpenGuess(std::shared_ptr<OpenGuesses::Table> table, const GuessKeys& keys,
            const std::optional<store::HelloDigest>& digest);
  void give_back() noexcept;

  std::shared_ptr<OpenGuesses::Table> table_;  // null when moved from
  GuessKeys keys_;
  std::optional<store::HelloDigest> digest_;
  std::uint32_t open_at_target_ = 0;
  std::uint32_t open_at_source_ = 0;
  bool is_repeated_ = false;
};

/// The rows of a guess's two buckets, read after it was taken.
struct GuessRows {
  std::optional<store::BucketRow> target;
  std::optional<store::BucketRow> source;
  std::optional<store::BucketRow> new_rows;
};

/// Whether the buckets allow one more guess beside those that were open before it. A target without a row counts
/// against what its source may make, since a failure would make one; whether there is an account does not matter.
/// @param target  the rule of the target's bucket
[[nodiscard]] std::expected<void, Throttled> admit(const OpenGuess& guess, const store::BucketRule& target,
                                                   const GuessRules& rules, const GuessRows& rows,
                                                   store::Time now) noexcept;

}  // namespace pake::server
