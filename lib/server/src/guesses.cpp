#include "pake/server/guesses.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pake::server {
namespace {

using namespace std::chrono_literals;

// By then the one who holds the guess has proved its password, failed, or gone.
constexpr std::chrono::seconds kWaitForOpen = 60s;

struct HashOfKey {
  std::size_t operator()(const store::BucketKey& key) const noexcept {
    std::size_t hash = 0;  // the key is an HMAC: any of its bytes do
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

std::chrono::seconds whole_seconds(std::chrono::milliseconds wait) {
  return std::max(1s, std::chrono::ceil<std::chrono::seconds>(wait));
}

// How long to wait, or nothing if the bucket has a guess beyond those that `open` of them will have used.
std::optional<std::chrono::seconds> missing(const store::BucketRule& rule, const std::optional<store::BucketRow>& row,
                                            std::uint32_t open, store::Time now) {
  const auto left = store::guesses_left(rule, row, now);
  if (left >= static_cast<std::int64_t>(open)) return std::nullopt;
  if (left >= 1) return kWaitForOpen;
  return whole_seconds(store::wait_until_left(rule, row, 1, now));
}

}  // namespace

struct OpenGuesses::Table {
  struct Target {
    std::uint32_t open = 0;
    std::vector<store::HelloDigest> digests;
  };
  mutable std::mutex mutex;
  std::unordered_map<store::BucketKey, Target, HashOfKey> targets;
  std::unordered_map<store::BucketKey, std::uint32_t, HashOfKey> sources;
  std::size_t total = 0;
};

OpenGuesses::OpenGuesses() : table_(std::make_shared<Table>()) {}
OpenGuesses::~OpenGuesses() = default;

std::expected<OpenGuess, Throttled> OpenGuesses::take(const GuessKeys& keys, std::uint32_t slots,
                                                      const std::optional<store::HelloDigest>& digest) {
  const std::scoped_lock lock(table_->mutex);
  const auto found = table_->targets.find(keys.target);
  if (found != table_->targets.end() && found->second.open >= slots) return std::unexpected(Throttled{kWaitForOpen});
  return OpenGuess(table_, keys, digest);
}

std::uint32_t OpenGuesses::open(const store::BucketKey& target) const {
  const std::scoped_lock lock(table_->mutex);
  const auto found = table_->targets.find(target);
  return found == table_->targets.end() ? 0 : found->second.open;
}

std::size_t OpenGuesses::total() const {
  const std::scoped_lock lock(table_->mutex);
  return table_->total;
}

// Called with the table locked.
OpenGuess::OpenGuess(std::shared_ptr<OpenGuesses::Table> table, const GuessKeys& keys,
                     const std::optional<store::HelloDigest>& digest)
    : table_(std::move(table)), keys_(keys), digest_(digest) {
  auto& target = table_->targets[keys_.target];
  open_at_target_ = ++target.open;
  if (digest_) {
    is_repeated_ = std::ranges::find(target.digests, *digest_) != target.digests.end();
    target.digests.push_back(*digest_);
  }
  open_at_source_ = ++table_->sources[keys_.source];
  ++table_->total;
}

OpenGuess& OpenGuess::operator=(OpenGuess&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  table_ = std::move(other.table_);
  keys_ = other.keys_;
  digest_ = other.digest_;
  open_at_target_ = other.open_at_target_;
  open_at_source_ = other.open_at_source_;
  is_repeated_ = other.is_repeated_;
  return *this;
}

OpenGuess::~OpenGuess() { give_back(); }

void OpenGuess::give_back() noexcept {
  if (!table_) return;
  const std::scoped_lock lock(table_->mutex);
  const auto target = table_->targets.find(keys_.target);
  auto& digests = target->second.digests;
  if (digest_) digests.erase(std::ranges::find(digests, *digest_));
  if (--target->second.open == 0) table_->targets.erase(target);
  const auto source = table_->sources.find(keys_.source);
  if (--source->second == 0) table_->sources.erase(source);
  --table_->total;
}

std::expected<void, Throttled> admit(const OpenGuess& guess, const store::BucketRule& target, const GuessRules& rules,
                                     const GuessRows& rows, store::Time now) noexcept {
  const auto at_target = missing(target, rows.target, guess.open_at_target(), now);
  const auto at_source = missing(rules.source, rows.source, guess.open_at_source(), now);
  // Any that are open at the source may make a row of theirs too.
  const auto new_rows = rows.target ? std::optional<std::chrono::seconds>()
                                    : missing(rules.new_rows, rows.new_rows, guess.open_at_source(), now);
  if (!at_target && !at_source && !new_rows) return {};
  return std::unexpected(Throttled{std::max({at_target.value_or(1s), at_source.value_or(1s), new_rows.value_or(1s)})});
}

}  // namespace pake::server
