#include "simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>

#include "feed_reader.h"
#include "pake/crypto/ksf.h"
#include "pake/identity/invitation.h"
#include "pake/proto/opaque/stored.h"
#include "pake/server/administration.h"
#include "pake/server/guesses.h"
#include "pake/store/sealing.h"
#include "pake/testing/fixed_rng.h"
#include "simulated_store.h"

namespace pake::server::simulation {
namespace {

using namespace std::chrono_literals;
using pake::testing::SeededRng;
using store::BucketKind;
using store::UserState;
using Millis = std::chrono::milliseconds;
using What = LoginRead::What;

constexpr store::Time kBegin{1'800'000'000s};
constexpr Millis kDuration = 180s;
constexpr Millis kLate = 5s;      // a change holds everywhere
constexpr Millis kSlack = 700ms;  // between the clocks of nodes, and of one event
constexpr int kRecords = 6;       // passwords
constexpr std::string_view kHonest = "honest";

// So that guesses come back within a run.
GuessRules rules() {
  GuessRules rules;
  rules.account = {.burst = 10, .refill_interval = 30s};
  rules.source = {.burst = 30, .refill_interval = 5s};
  rules.new_rows = {.burst = 12, .refill_interval = 20s};
  return rules;
}

/// The keys, and the records of some passwords: made once, they cost more than a run.
struct Keys {
  SeededRng rng{1};
  std::shared_ptr<const Keyring> keyring;
  std::vector<Buffer> records;  // encoded opaque::StoredRecord
  store::CredentialParameters parameters{.epoch = 1,
                                         .suite = static_cast<std::uint8_t>(channel::Suite::opaque_ristretto255),
                                         .ksf_profile = static_cast<std::uint8_t>(crypto::KsfProfile::small)};
  store::StoreSeed seed;

  Keys() {
    auto file = store::KeyFile::generate(kBegin, rng);
    static_cast<void>(
        file.add(make_epoch_keys(channel::Suite::opaque_ristretto255, crypto::KsfProfile::small, 1, kBegin, rng)));
    seed = store::make_store_seed(file, parameters, kBegin, rng);
    const auto suite = static_cast<opaque::SuiteId>(parameters.suite);
    for (int i = 0; i < kRecords; ++i) {
      auto made = opaque::StoredKeys::generate(suite, crypto::KsfProfile::small, 1, rng);
      records.push_back(opaque::StoredRecord{
          .suite = suite, .ksf = crypto::KsfProfile::small, .epoch = 1, .record = std::move(made->fake)}
                            .encode());
    }
    keyring = Keyring::make(std::move(file)).value();
  }
};

const Keys& keys() {
  static const Keys made;
  return made;
}

/// Guesses that may be answered: what the server promises, counted apart from it.
class Allowance {
 public:
  Allowance(double most, Millis refill) : most_(most), left_(most), refill_(refill) {}
  void take(store::Time now) {
    pass(now);
    left_ -= 1;
  }
  void give_back() { left_ = std::min(most_, left_ + 1); }
  /// A node died with guesses that nobody will charge.
  void forget(std::size_t guesses) { left_ += static_cast<double>(guesses); }
  void fill() { left_ = std::max(left_, most_); }
  [[nodiscard]] bool is_overdrawn() const { return left_ < -0.1; }

 private:
  void pass(store::Time now) {
    const auto elapsed = std::chrono::duration<double>(now - at_) / std::chrono::duration<double>(refill_);
    if (at_ != store::Time{}) left_ = std::max(left_, std::min(most_, left_ + elapsed));
    at_ = now;
  }
  double most_, left_;
  Millis refill_;
  store::Time at_{};
};

struct HeldSession {
  std::string name;
  std::uint64_t generation;
  store::Time since;
};

struct Ticket {
  std::string name;
  std::uint64_t generation;
  store::Time since;
};

/// A device, as the ticket of its user names it.
struct Device {
  std::uint64_t id = 0;
  std::string name;
  std::uint64_t generation = 0;
  [[nodiscard]] std::array<std::uint8_t, 16> bytes() const {
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &id, sizeof id);
    return bytes;
  }
  [[nodiscard]] std::string label() const { return fmt::format("device {}", id); }
};

struct Code {
  std::string selector;
  Buffer words;
  std::string name;
};

struct Node {
  std::size_t number = 0;
  bool is_up = false;
  std::uint64_t life = 0;  // a step of an earlier life does nothing
  Millis skew{0};
  store::Time cut_until{};        // it does not reach the store before
  store::Time connected_since{};  // as far as the network goes
  store::Time up_since{};
  bool has_read_feed = false;
  std::shared_ptr<SimulatedStore> store;
  std::unique_ptr<Accounts> accounts;
  std::unique_ptr<Generations> generations;
  std::unique_ptr<OpenGuesses> guesses;
  std::unique_ptr<FeedReader> feed;
  std::vector<HeldSession> sessions;
  std::map<std::string, std::size_t> answered;  // by what they are at: neither given back nor charged
  std::map<std::string, std::size_t> answered_sources;
  std::map<store::BucketKey, std::optional<store::BucketRow>> own;  // only with Bug::charge_in_memory
};

enum class Intent : std::uint8_t { right, wrong, hang_up };

struct Attempt {
  std::size_t node = 0;
  std::uint64_t life = 0;
  std::string name, source;
  std::size_t typed = 0;  // which password
  Intent intent = Intent::wrong;
  std::string label;  // of what it is at: a name, a device, a code
  std::optional<Device> device;
  store::HelloDigest hello{};  // of a device's guess
  std::optional<Code> code;
  GuessKeys keys;
  std::optional<OpenGuess> guess;
  GuessRows rows;
  LoginRead read;
  store::Time began{}, read_at{};
  bool is_legit = false;  // the truth when the row was read
  Millis pause{100};
  std::function<void(bool accepted)> watched;  // honest ones
};

class Simulation {
 public:
  explicit Simulation(const Plan& plan)
      : plan_(plan),
        random_(plan.seed * 2'654'435'761U + 17),
        rng_(plan.seed + 1),
        rules_(rules()),
        database_(std::make_shared<Database>()) {
    database_->bug = plan.bug;
    database_->now = [this] { return now_; };
    database_->info.kind = "simulated";
    database_->info.key_file = keys().keyring->file().id();
    database_->decoy_user = keys().seed.decoy_user;
    database_->decoy_invitation = keys().seed.decoy_invitation;
    database_->tables.shares = {keys().seed.first_shares};
    operator_ =
        std::make_shared<SimulatedStore>(database_, [this](bool is_write) { return fate_of_operator(is_write); });
    healthy_ = std::make_shared<SimulatedStore>(database_, [](bool) { return Fate::done; });
  }

  Report run() {
    const auto count = 1 + draw(4);
    for (std::size_t i = 0; i < count; ++i) {
      auto& node = *nodes_.emplace_back(std::make_unique<Node>());
      node.number = i;
      node.skew = Millis(static_cast<int>(draw(601)) - 300);
      node.store = std::make_shared<SimulatedStore>(
          database_, [this, &node](bool is_write) { return fate_of_node(node, is_write); });
      start(node);
    }
    people();
    database_->on_disk = database_->tables;
    database_->replica = database_->tables;
    attackers();
    if (plan_.twin == Plan::Twin::no) {
      honest_logins();
      users_logins();
      operators();
      trouble();
      device_logins();
      codes();
      every(500ms, [this] { check_sessions(); });
      if (plan_.bug == Bug::read_from_replica) every(12s, [this] { database_->replica = database_->tables; });
    }
    while (!queue_.empty() && !report_.violation) {
      auto next = queue_.extract(queue_.begin());
      if (next.key().first > kBegin + kDuration) break;
      now_ = next.key().first;
      ++report_.events;
      next.mapped()();
    }
    return std::move(report_);
  }

 private:
  // --- Time, chance, failures.

  std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  Millis draw_between(Millis from, Millis to) {
    return from + Millis(static_cast<int>(draw(static_cast<std::uint64_t>((to - from).count()) + 1)));
  }
  void at(Millis later, std::function<void()> what) {
    queue_.emplace(std::pair(now_ + later, ++sequence_), std::move(what));
  }
  void every(Millis period, const std::function<void()>& what) {
    at(period, [this, period, what] {
      what();
      every(period, what);
    });
  }
  Millis latency() { return draw(20) == 0 ? draw_between(100ms, 900ms) : draw_between(1ms, 40ms); }
  void violated(const std::string& what) {
    if (!report_.violation) report_.violation = fmt::format("{} at {} ms", what, (now_ - kBegin).count());
  }

  Fate fate_of_node(const Node& node, bool is_write) {
    const auto dice = draw(100);
    if (now_ < node.cut_until || now_ < outage_until_) return Fate::lost;
    if (dice == 0) return Fate::lost;
    if (dice == 1 && is_write) return Fate::done_unheard;
    return Fate::done;
  }
  Fate fate_of_operator(bool is_write) {
    if (now_ < outage_until_) return Fate::lost;
    switch (draw(40)) {
      case 0:
        return Fate::lost;
      case 1:
        return is_write ? Fate::done_unheard : Fate::lost;
      case 2:
        return Fate::died_before;
      case 3:
        return is_write ? Fate::died_after : Fate::died_before;
      default:
        return Fate::done;
    }
  }

  [[nodiscard]] store::Time wall(const Node& node) const { return now_ + node.skew; }
  [[nodiscard]] Generations::Instant instant() const { return Generations::Instant(now_ - kBegin + 1h); }

  // --- Nodes.

  void start(Node& node) {
    ++node.life;
    node.accounts = std::make_unique<Accounts>(node.store, keys().keyring);
    node.generations = std::make_unique<Generations>();
    node.guesses = std::make_unique<OpenGuesses>();
    node.feed = std::make_unique<FeedReader>(*node.accounts, *node.generations);
    node.sessions.clear();
    node.answered.clear();
    node.answered_sources.clear();
    node.has_read_feed = false;
    open_doors(node);
  }
  void open_doors(Node& node) {
    const auto life = node.life;
    if (!node.feed->read_all(wall(node) - 7 * 24h, instant())) {
      at(500ms, [this, &node, life] {
        if (node.life == life) open_doors(node);
      });
      return;
    }
    node.is_up = true;
    node.up_since = now_;
    at(draw_between(1ms, 1s), [this, &node, life] { turn(node, life); });
  }
  void turn(Node& node, std::uint64_t life) {
    if (node.life != life) return;
    const auto next = read_feed(node) ? 1000ms : 250ms;
    at(next + latency(), [this, &node, life] { turn(node, life); });
  }
  bool read_feed(Node& node) {
    if (plan_.bug == Bug::feed_stays_behind && std::exchange(node.has_read_feed, true)) {
      node.generations->refreshed(instant());
      return true;
    }
    const auto read = node.feed->read_changes(instant(), [&](const store::GenerationChange& change) {
      if (plan_.bug == Bug::sessions_stay) return;
      report_.ended += std::erase_if(node.sessions, [&](const HeldSession& session) {
        if (session.name != change.name) return false;
        if (plan_.bug == Bug::end_lower_only) return session.generation < change.generation;
        return is_ended_by(change, session.generation);
      });
    });
    if (!read && plan_.bug == Bug::feed_marks_failures) node.generations->refreshed(instant());
    return read.has_value();
  }
  void crash(Node& node) {
    ++report_.crashes;
    node.is_up = false;
    ++node.life;
    for (const auto& [label, count] : node.answered) {
      if (count > rules_.slots) violated("a node dies with more open guesses than it has slots");
      if (count > 0) accounts_.at(label).forget(count);
    }
    for (const auto& [source, count] : node.answered_sources)
      allowance(sources_, source, source_most(), rules_.source).forget(count);
    at(draw_between(200ms, 6s), [this, &node] { start(node); });
  }
  void cut(Node& node, Millis how_long) {
    node.cut_until = std::max(node.cut_until, now_ + how_long);
    node.connected_since = std::max(node.connected_since, node.cut_until);
  }

  // --- Guesses.

  [[nodiscard]] double account_most() const {
    return rules_.account.burst + static_cast<double>((nodes_.size() - 1) * rules_.slots);
  }
  [[nodiscard]] static store::BucketRule rule_of(const GuessRules& rules, const Attempt& attempt) {
    return attempt.code ? rules.code : attempt.device ? rules.device : rules.account;
  }
  [[nodiscard]] std::uint32_t slots_of(const Attempt& attempt) const {
    return attempt.code ? rules_.code_slots : rules_.slots;
  }
  Allowance& allowance_of(const Attempt& attempt) {
    const auto rule = rule_of(rules_, attempt);
    const auto most = rule.burst + static_cast<double>((nodes_.size() - 1) * slots_of(attempt));
    return allowance(accounts_, attempt.label, most, rule);
  }
  [[nodiscard]] double source_most() const {
    return static_cast<double>(rules_.source.burst) * static_cast<double>(nodes_.size());
  }
  static Allowance& allowance(std::map<std::string, Allowance>& of, const std::string& name, double most,
                              const store::BucketRule& rule) {
    return of.try_emplace(name, most, rule.refill_interval).first->second;
  }

  void guess(std::size_t node, std::string name, std::string source, std::size_t typed, Intent intent,
             std::function<void(bool)> watched = {}) {
    if (!nodes_[node]->is_up) return;
    auto attempt = std::make_shared<Attempt>();
    attempt->node = node;
    attempt->life = nodes_[node]->life;
    attempt->name = std::move(name);
    attempt->label = attempt->name;
    attempt->source = std::move(source);
    attempt->typed = typed;
    attempt->intent = intent;
    attempt->began = now_;
    attempt->watched = std::move(watched);
    attempt->keys = keys_of(*attempt);
    if (plan_.bug == Bug::read_before_take) {
      if (!read(*attempt)) return;
      step(attempt, [this, attempt] {
        if (take(*attempt)) step(attempt, [this, attempt] { answer(attempt); });
      });
      return;
    }
    if (!take(*attempt)) return;
    step(attempt, [this, attempt] {
      if (read(*attempt)) step(attempt, [this, attempt] { answer(attempt); });
    });
  }

  [[nodiscard]] GuessKeys keys_of(const Attempt& attempt) const {
    const auto& accounts = *nodes_[attempt.node]->accounts;
    const auto target = attempt.code     ? accounts.bucket(BucketKind::code, as_bytes(attempt.code->selector))
                        : attempt.device ? accounts.bucket(BucketKind::device, attempt.device->bytes())
                                         : accounts.bucket(BucketKind::account, as_bytes(attempt.name));
    return {.target = target,
            .source = accounts.bucket(BucketKind::source, as_bytes(attempt.source)),
            .new_rows = accounts.bucket(BucketKind::new_rows, as_bytes(attempt.source))};
  }

  // A password and a device's ticket: what is wrong with the device makes it a guess at the account.
  void guess_from_device(std::size_t node, const Device& device, const std::string& name, std::size_t typed,
                         Intent intent, const store::HelloDigest& hello) {
    if (!nodes_[node]->is_up) return;
    auto attempt = std::make_shared<Attempt>();
    attempt->node = node;
    attempt->life = nodes_[node]->life;
    attempt->name = name;
    attempt->source = "198.51.100.7";
    attempt->typed = typed;
    attempt->intent = intent;
    attempt->began = now_;
    attempt->device = device;
    attempt->label = device.label();
    attempt->hello = hello;
    attempt->keys = keys_of(*attempt);
    const auto as_if_absent = [this, attempt] {
      attempt->guess.reset();
      guess(attempt->node, attempt->name, attempt->source, attempt->typed, attempt->intent);
    };
    auto taken = node_of(*attempt).guesses->take(attempt->keys, rules_.slots, hello);
    if (!taken) return throttle(*attempt, taken.error().retry_after);
    attempt->guess.emplace(*std::move(taken));
    if (attempt->guess->is_repeated() && plan_.bug != Bug::hello_twice) return as_if_absent();
    step(attempt, [this, attempt, as_if_absent] {
      if (!read(*attempt)) return;
      const auto& found = attempt->read;
      const bool is_charged = found.device_row && std::ranges::find(found.device_row->charged, attempt->hello) !=
                                                      found.device_row->charged.end();
      const bool is_known = found.device_is_known || plan_.bug == Bug::device_of_anybody;
      const bool is_current =
          found.generation == attempt->device->generation || plan_.bug == Bug::device_any_generation;
      if ((is_charged && plan_.bug != Bug::hello_twice) || !is_known || found.what != What::record || !is_current)
        return as_if_absent();
      attempt->rows.target = found.device_row;
      const auto row = database_->tables.devices.find(attempt->keys.target);
      if (row == database_->tables.devices.end() || row->second.first != attempt->name ||
          found.generation != attempt->device->generation)
        violated("a device that is none of " + attempt->name + "'s is taken for known");
      if (std::ranges::find(spent_hellos_, attempt->hello) != spent_hellos_.end())
        violated("a hello that was charged to a device counts for it again");
      step(attempt, [this, attempt] { answer(attempt); });
    });
  }

  // A try of an invitation's code.
  void guess_code(std::size_t node, const Code& code, Intent intent) {
    if (!nodes_[node]->is_up) return;
    auto attempt = std::make_shared<Attempt>();
    attempt->node = node;
    attempt->life = nodes_[node]->life;
    attempt->name = code.name;
    attempt->source = fmt::format("198.51.100.{}", 8 + draw(4));
    attempt->intent = intent;
    attempt->began = now_;
    attempt->code = code;
    attempt->label = "code " + code.selector;
    attempt->keys = keys_of(*attempt);
    auto taken =
        node_of(*attempt).guesses->take(attempt->keys, plan_.bug == Bug::code_slots ? rules_.slots : rules_.code_slots);
    if (!taken) return throttle(*attempt, taken.error().retry_after);
    attempt->guess.emplace(*std::move(taken));
    step(attempt, [this, attempt] {
      auto& at = node_of(*attempt);
      auto found = at.accounts->read_code(as_bytes(attempt->code->selector), attempt->keys, wall(at));
      if (!found) {
        ++report_.unavailable;
        attempt->guess.reset();
        return;
      }
      attempt->rows = found->rows;
      attempt->read.generation = found->generation;
      attempt->is_legit = attempt->intent == Intent::right && found->is_real &&
                          std::ranges::equal(found->code.reveal(), attempt->code->words);
      step(attempt, [this, attempt] { answer(attempt); });
    });
  }
  // What is done in the channel that the code has opened.
  void redeem(const std::shared_ptr<Attempt>& attempt) {
    auto& node = node_of(*attempt);
    const auto row = node.store->find_user(attempt->name);
    if (!row || !*row || (*row)->state != UserState::enabled || (*row)->generation != attempt->read.generation) return;
    auto next = store::next_revision(**row, now_);
    next.parameters = keys().parameters;
    ++next.generation;
    static_cast<void>(store::seal_user(keys().keyring->file(), next, keys().records[draw(kRecords)], rng_));
    step(attempt, [this, attempt, next] {
      store::UserWrite change{.row = next, .redeemed_selector = attempt->code->selector};
      if (plan_.bug == Bug::code_stays) change.redeemed_selector.reset();
      const bool is_done = node_of(*attempt).store->write_user(change, note()).has_value();
      check_history(attempt->name);
      if (!is_done) return;
      acknowledged(attempt->name);
      ++report_.redeemed;
      if (!redeemed_.insert(attempt->code->selector).second) violated("a code is redeemed twice");
    });
  }

  Node& node_of(const Attempt& attempt) { return *nodes_[attempt.node]; }
  void step(const std::shared_ptr<Attempt>& attempt, std::function<void()> what, Millis later = Millis(-1)) {
    at(later < 0ms ? latency() : later, [this, attempt, what = std::move(what)] {
      if (node_of(*attempt).life == attempt->life) what();
    });
  }
  void tell(const Attempt& attempt, std::string_view what, std::int64_t retry_after = 0) {
    if (plan_.twin != Plan::Twin::no)
      report_.told.push_back(
          fmt::format("{} node {} {}: {} {}", (now_ - kBegin).count(), attempt.node, attempt.name, what, retry_after));
  }
  [[nodiscard]] bool is_unknown(const Attempt& attempt) const {
    return !database_->tables.users.contains(attempt.name);
  }

  bool take(Attempt& attempt) {
    auto taken = node_of(attempt).guesses->take(attempt.keys, plan_.bug == Bug::no_slots ? 1'000 : rules_.slots);
    if (taken) {
      attempt.guess.emplace(*std::move(taken));
      return true;
    }
    throttle(attempt, plan_.bug == Bug::throttle_without_time && is_unknown(attempt) ? 0s : taken.error().retry_after);
    return false;
  }

  void throttle(const Attempt& attempt, std::chrono::seconds retry_after) {
    ++report_.throttled;
    if (plan_.bug == Bug::retry_after_tells && is_unknown(attempt)) retry_after += 1s;
    tell(attempt, "throttled", retry_after.count());
  }

  bool read(Attempt& attempt) {
    auto& node = node_of(attempt);
    auto keys = attempt.keys;
    std::optional<store::BucketKey> device;
    if (attempt.device) {
      device = keys.target;
      keys.target = node.accounts->bucket(BucketKind::account, as_bytes(attempt.name));
    }
    auto found = node.accounts->read_login(as_bytes(attempt.name), keys, device, wall(node));
    if (!found && plan_.bug != Bug::answer_without_store) {
      ++report_.unavailable;
      attempt.guess.reset();
      tell(attempt, "unavailable");
      return false;
    }
    if (found) attempt.read = *std::move(found);
    attempt.rows = attempt.read.rows;
    if (plan_.bug == Bug::charge_in_memory)
      attempt.rows = {.target = node.own[attempt.keys.target], .source = node.own[attempt.keys.source], .new_rows = {}};
    attempt.read_at = now_;
    attempt.is_legit = is_right(attempt.name, attempt.typed);
    return true;
  }

  // The truth: this is an enabled user's password now.
  [[nodiscard]] bool is_right(const std::string& name, std::size_t typed) const {
    const auto found = database_->tables.users.find(name);
    return found != database_->tables.users.end() && found->second.state == UserState::enabled &&
           holds(found->second, typed);
  }
  [[nodiscard]] static bool holds(const store::UserRow& row, std::size_t typed) {
    const auto record = store::open_user(keys().keyring->file(), row);
    return record && *record && std::ranges::equal((*record)->reveal(), keys().records[typed]);
  }

  void answer(const std::shared_ptr<Attempt>& attempt) {
    auto& node = node_of(*attempt);
    auto rule = rule_of(rules_, *attempt);
    if (plan_.bug == Bug::refill_too_fast) rule.refill_interval /= 2;
    const bool skips = plan_.bug == Bug::throttle_known_only && is_unknown(*attempt);
    const auto allowed = admit(*attempt->guess, rule, rules_, attempt->rows, wall(node));
    const bool ignores = plan_.bug == Bug::ignore_open &&
                         store::guesses_left(rule, attempt->rows.target, wall(node)) >= 1 &&
                         store::guesses_left(rules_.source, attempt->rows.source, wall(node)) >= 1;
    if (!allowed && !skips && !ignores) {
      throttle(*attempt, allowed.error().retry_after);
      attempt->guess.reset();
      return;
    }
    ++report_.answered;
    tell(*attempt, "answered");
    ++node.answered[attempt->label];
    if (attempt->device) ++report_.by_device;
    ++node.answered_sources[attempt->source];
    auto& of_account = allowance_of(*attempt);
    auto& of_source = allowance(sources_, attempt->source, source_most(), rules_.source);
    of_account.take(now_ + kSlack);
    of_source.take(now_ + kSlack);
    if (of_account.is_overdrawn()) violated("more guesses at " + attempt->label + " are answered than there are");
    if (of_source.is_overdrawn()) violated("more guesses from " + attempt->source + " are answered than there are");
    step(attempt, [this, attempt] { finish(attempt); }, draw(10) == 0 ? draw_between(5s, 58s) : draw_between(10ms, 3s));
  }

  [[nodiscard]] bool proves(const Attempt& attempt) const {
    if (attempt.intent != Intent::right) return false;
    if (attempt.code) return attempt.is_legit;  // the words are compared when they are read
    const auto found = database_->tables.users.find(attempt.name);
    if (attempt.read.what == What::disabled && plan_.bug == Bug::disabled_may_enter)
      return found != database_->tables.users.end() && holds(found->second, attempt.typed);
    if (attempt.read.what == What::removed && plan_.bug == Bug::removed_may_enter)
      return found != database_->tables.users.end() && holds(found->second, attempt.typed);
    if (attempt.read.what != What::record) return false;
    return attempt.read.credential.record.encode() == keys().records[attempt.typed];
  }

  void finish(const std::shared_ptr<Attempt>& attempt) {
    auto& node = node_of(*attempt);
    if (proves(*attempt)) {
      given_up(*attempt);
      allowance_of(*attempt).give_back();
      allowance(sources_, attempt->source, source_most(), rules_.source).give_back();
      if (plan_.bug == Bug::refund_twice) {
        static_cast<void>(healthy_->clear_buckets({&attempt->keys.target, 1}, {}));
        static_cast<void>(healthy_->clear_buckets({&attempt->keys.source, 1}, {}));
      }
      attempt->guess.reset();
      if (!attempt->is_legit) violated("a wrong accept of " + attempt->name);
      ++report_.accepted;
      if (attempt->code) return step(attempt, [this, attempt] { redeem(attempt); });
      lend_ticket(*attempt);
      const bool stays = enter(node, attempt->name, attempt->read.generation, attempt->read_at, true);
      if (attempt->watched) attempt->watched(stays);
      return;
    }
    if (attempt->watched) attempt->watched(false);
    const bool forgets = (plan_.bug == Bug::forget_on_hang_up && attempt->intent == Intent::hang_up) ||
                         (plan_.bug == Bug::refund_failures && attempt->intent == Intent::wrong) ||
                         (plan_.bug == Bug::charge_unknown_not && is_unknown(*attempt));
    if (forgets) {
      given_up(*attempt);
      attempt->guess.reset();
      return;
    }
    if (plan_.bug == Bug::free_before_commit) attempt->guess.reset();
    step(attempt, [this, attempt] { charge(attempt); });
  }

  // Until it is committed the slot stays taken.
  void charge(const std::shared_ptr<Attempt>& attempt) {
    auto& node = node_of(*attempt);
    const store::Charge target{
        .key = attempt->keys.target,
        .refill_interval = rule_of(rules_, *attempt).refill_interval / (plan_.bug == Bug::refill_too_fast ? 2 : 1),
        .of_an_account = !is_unknown(*attempt),
        .digest = attempt->guess ? attempt->guess->digest() : std::nullopt,
        .new_row =
            store::NewRowCharge{.key = attempt->keys.new_rows, .refill_interval = rules_.new_rows.refill_interval}};
    const store::Charge source{.key = attempt->keys.source, .refill_interval = rules_.source.refill_interval};
    std::vector<store::Charge> charges = {target, source};
    if (plan_.bug == Bug::charge_source_only) charges = {source};
    if (plan_.bug == Bug::device_not_charged && attempt->device) charges = {source};
    if (plan_.bug == Bug::code_not_charged && attempt->code) charges = {source};
    if (plan_.bug == Bug::charge_account_only) charges = {target};
    if (plan_.bug == Bug::charge_in_memory) {
      for (const auto& one : charges) node.own[one.key] = store::charged(node.own[one.key], one, wall(node));
      charges.clear();
    }
    if (!node.store->charge(charges, wall(node)) && plan_.bug != Bug::drop_failed_charge) {
      if (plan_.bug == Bug::free_while_retrying) attempt->guess.reset();
      step(attempt, [this, attempt] { charge(attempt); }, attempt->pause);
      attempt->pause = std::min<Millis>(2 * attempt->pause, 10s);
      return;
    }
    given_up(*attempt);
    if (attempt->device) {
      spent_hellos_.push_front(attempt->hello);
      if (spent_hellos_.size() > store::kMaxBucketDigests) spent_hellos_.pop_back();
    }
    step(attempt, [attempt] { attempt->guess.reset(); });
  }

  void given_up(const Attempt& attempt) {
    auto& node = node_of(attempt);
    --node.answered[attempt.label];
    --node.answered_sources[attempt.source];
  }

  // --- Sessions and tickets.

  // The device is written down first, and then its ticket leaves.
  void lend_ticket(const Attempt& attempt) {
    if (plan_.twin != Plan::Twin::no) return;
    auto& node = node_of(attempt);
    const Device device{.id = attempt.device ? attempt.device->id : ++last_device_,
                        .name = attempt.name,
                        .generation = attempt.read.generation};
    at(latency(), [this, &node, life = node.life, device] {
      if (node.life != life) return;
      static_cast<void>(
          node.store->add_device(device.name, node.accounts->bucket(BucketKind::device, device.bytes()), wall(node)));
      devices_.push_back(device);
    });
  }

  // When what `generation` names at `since` was over, if it is.
  [[nodiscard]] std::optional<store::Time> over_since(const std::string& name, std::uint64_t generation,
                                                      store::Time since) const {
    const auto found = database_->history.find(name);
    if (found == database_->history.end()) return since;
    const auto& commits = found->second;
    const auto is_its = [&](const Commit& commit) {
      return commit.row.generation == generation && commit.row.state == UserState::enabled;
    };
    auto own = commits.end();
    for (auto at = commits.begin(); at != commits.end() && at->at <= since; ++at)
      if (is_its(*at)) own = at;
    if (own == commits.end()) return since;
    const auto end = std::find_if_not(own, commits.end(), is_its);
    if (end == commits.end()) return std::nullopt;
    return end->at;
  }
  // It could have known: it has reached the store for long enough since.
  [[nodiscard]] bool is_too_late(const Node& node, store::Time change) const {
    const auto since = std::max({change, node.connected_since, outage_over_, node.up_since});
    return now_ - since > kLate + kSlack;
  }

  bool enter(Node& node, const std::string& name, std::uint64_t generation, store::Time read_at, bool by_password) {
    if (plan_.bug != Bug::entry_not_checked &&
        node.generations->look(name, generation, instant()) == Generations::Verdict::superseded)
      return false;
    if (const auto over = over_since(name, generation, read_at); over && is_too_late(node, *over))
      violated("a session of " + name + " begins after its account has changed");
    node.sessions.push_back({.name = name, .generation = generation, .since = read_at});
    if (by_password) tickets_.push_back({.name = name, .generation = generation, .since = read_at});
    return true;
  }

  void use_ticket() {
    if (tickets_.empty()) return;
    const auto ticket = tickets_[draw(tickets_.size())];
    const auto number = draw(nodes_.size());
    auto& node = *nodes_[number];
    if (!node.is_up) return;
    using enum Generations::Verdict;
    auto verdict = node.generations->look(ticket.name, ticket.generation, instant());
    if (verdict == ask_store && plan_.bug == Bug::ticket_on_old_view) verdict = current;
    const auto decide = [this, &node, ticket, life = node.life](Generations::Verdict decided) {
      if (node.life != life) return;
      if (plan_.bug == Bug::ticket_any_generation) decided = current;
      if (decided != current) return;
      ++report_.by_ticket;
      // The store is asked, or the view is young: here no excuse holds.
      if (const auto over = over_since(ticket.name, ticket.generation, ticket.since);
          over && now_ - *over > kLate + kSlack)
        violated("a ticket of " + ticket.name + " is good after its account has changed");
      static_cast<void>(enter(node, ticket.name, ticket.generation, now_, false));
    };
    if (verdict != ask_store) return decide(verdict);
    at(latency(), [this, &node, ticket, decide] {
      const auto row = node.store->find_user(ticket.name);
      const bool is_current =
          row && *row && (*row)->generation == ticket.generation && (*row)->state == UserState::enabled;
      const bool trusts = !row && plan_.bug == Bug::ticket_without_store;
      decide(is_current || trusts ? current : superseded);
    });
  }
  void check_sessions() {
    for (const auto& node : nodes_) {
      if (!node->is_up) continue;
      for (const auto& session : node->sessions)
        if (const auto over = over_since(session.name, session.generation, session.since);
            over && is_too_late(*node, *over))
          violated("a session of " + session.name + " goes on after its account has changed");
    }
  }

  // --- Operators, and users who change their passwords.

  store::AuditNote note() const { return {.at = now_, .actor = "simulation", .action = "x", .name = {}, .detail = {}}; }
  Administration administration() {
    return {*operator_, keys().keyring, rng_, [this] { return now_; }};
  }

  // Puts a record into the row that was read, some time later: others may be faster.
  void set_password(const std::string& name, std::size_t record, store::CredentialStore& through, Millis later) {
    const auto row = through.find_user(name);
    if (!row || !*row || (*row)->state != UserState::enabled) return;
    auto next = store::next_revision(**row, now_);
    ++next.generation;
    next.parameters = keys().parameters;
    at(later, [this, next, record, &through]() mutable {
      next.changed_at = now_;
      write(std::move(next), keys().records[record], through);
    });
  }
  void write(store::UserRow row, Bytes record, store::CredentialStore& through) {
    static_cast<void>(store::seal_user(keys().keyring->file(), row, record, rng_));
    const auto name = row.name;
    try {
      if (through.write_user({.row = row, .redeemed_selector = {}}, note())) acknowledged(name);
    } catch (const ProcessDied&) {
    }
    check_history(name);
  }
  // The row that is there now was acknowledged to somebody.
  void acknowledged(const std::string& name) {
    ++report_.changes;
    const auto found = database_->history.find(name);
    if (found != database_->history.end()) acknowledged_.insert_or_assign(name, found->second.back());
  }
  void check_acknowledged() {
    for (const auto& [name, commit] : acknowledged_) {
      if (database_->history.at(name).back().row != commit.row) continue;  // there is a later one
      const auto found = database_->tables.users.find(name);
      const bool is_there = found != database_->tables.users.end() && found->second == commit.row;
      const bool is_purged = found == database_->tables.users.end() && commit.row.state == UserState::removed;
      if (!is_there && !is_purged) violated("an acknowledged change of " + name + " is lost");
    }
  }
  // Each revision follows the one that its writer has read: else somebody's change is gone.
  void check_history(const std::string& name) {
    const auto found = database_->history.find(name);
    if (found == database_->history.end() || found->second.size() < 2) return;
    const auto& last = found->second.back().row;
    const auto& before = found->second[found->second.size() - 2].row;
    if (last.revision != 1 && last.revision != before.revision + 1)
      violated("a change of " + name + " is overwritten by one that had not seen it");
  }

  void operate() {
    static const std::vector<std::string> names = {"alice", "bob", "carol", std::string(kHonest)};
    const auto& name = names[draw(names.size())];
    const auto commits = [&] { return database_->history[name].size(); };
    const auto before = commits();
    try {
      store::StoreStatus done;
      bool may_fill = false;
      switch (draw(name == kHonest ? 5 : 10)) {
        case 0:
          return set_password(name, draw(kRecords), *operator_, draw_between(0ms, 3s));
        case 1:
          done = administration().logout(name);
          break;
        case 2:
          done = remove(name);
          break;
        case 3:
        case 4:
          return make_anew(name);
        case 5:
        case 6:
          done = disable(name);
          break;
        case 7:
        case 8:
          done = administration().enable(name);
          break;
        default:
          may_fill = true;
          done = administration().unthrottle(name);
          break;
      }
      if (may_fill) fill(name);
      if (done && commits() > before) acknowledged(name);
    } catch (const ProcessDied&) {
      fill(name);  // it may have been an unthrottle
    }
    check_history(name);
  }

  // Whatever counts for this name.
  void fill(const std::string& name) {
    const auto one = [&](const std::string& label) {
      if (const auto found = accounts_.find(label); found != accounts_.end()) found->second.fill();
    };
    one(name);
    spent_hellos_.clear();  // they stood in the rows that are gone
    for (const auto& device : devices_)
      if (device.name == name) one(device.label());
    for (const auto& code : codes_)
      if (code.name == name) one("code " + code.selector);
  }

  store::StoreStatus disable(const std::string& name) {
    if (plan_.bug != Bug::disable_keeps_generation && plan_.bug != Bug::end_lower_only)
      return administration().disable(name);
    const auto row = database_->tables.users.find(name);
    if (row == database_->tables.users.end() || row->second.state != UserState::enabled) return {};
    auto record = store::open_user(keys().keyring->file(), row->second);
    auto next = store::next_revision(row->second, now_);
    next.state = UserState::disabled;
    write(next, record && *record ? (*record)->reveal() : Bytes(), *healthy_);
    if (plan_.bug == Bug::disable_keeps_generation)
      at(100ms, [this, name] {
        static_cast<void>(Administration(*healthy_, keys().keyring, rng_, [this] { return now_; }).enable(name));
      });
    return {};
  }

  store::StoreStatus remove(const std::string& name) {
    if (plan_.bug != Bug::removed_may_enter) return administration().remove(name);
    const auto row = database_->tables.users.find(name);
    if (row == database_->tables.users.end() || row->second.state != UserState::enabled) return {};
    auto record = store::open_user(keys().keyring->file(), row->second);
    auto next = store::next_revision(row->second, now_);
    next.state = UserState::removed;
    ++next.generation;
    write(next, record && *record ? (*record)->reveal() : Bytes(), *healthy_);
    return {};
  }

  void make_anew(const std::string& name) {
    const auto row = database_->tables.users.find(name);
    const bool is_there = row != database_->tables.users.end();
    if (is_there && row->second.state != UserState::removed) return;
    if (is_there && draw(2) == 0) static_cast<void>(healthy_->purge_removed(now_ + 1ms));
    if (invite(name)) acknowledged(name);
    set_password(name, draw(kRecords), *healthy_, 10ms);
  }

  bool invite(const std::string& name) {
    const auto invited = administration().invite(name);
    if (!invited) return false;
    auto code = identity::parse_invitation_code(invited->code.reveal());
    codes_.push_back({.selector = code->selector, .words = to_buffer(code->words.reveal()), .name = name});
    return true;
  }

  // --- Who there is, and what they do.

  void people() {
    const auto add = [&](const std::string& name) {
      const auto record = draw(kRecords);
      auto row = store::new_user(name, keys().parameters, now_, rng_);
      static_cast<void>(store::seal_user(keys().keyring->file(), row, keys().records[record], rng_));
      static_cast<void>(healthy_->write_user({.row = row, .redeemed_selector = {}}, note()));
    };
    if (plan_.twin == Plan::Twin::without_account) static_cast<void>(draw(kRecords));  // the same chances for both
    if (plan_.twin == Plan::Twin::with_account) add("alice");
    if (plan_.twin != Plan::Twin::no) return;
    for (const auto* name : {"alice", "bob", "carol"}) add(name);
    add(std::string(kHonest));
  }

  [[nodiscard]] std::optional<std::size_t> password_of(const std::string& name) const {
    const auto found = database_->tables.users.find(name);
    if (found == database_->tables.users.end()) return std::nullopt;
    for (std::size_t i = 0; i < keys().records.size(); ++i)
      if (holds(found->second, i)) return i;
    return std::nullopt;
  }

  void attackers() {
    const bool is_twin = plan_.twin != Plan::Twin::no;
    for (int wave = 0; wave < 4; ++wave) {
      const auto begin = draw_between(0ms, kDuration - 20s);
      const std::string name = is_twin || draw(3) > 0 ? "alice" : "nobody";
      const auto count = 20 + draw(30);
      const auto length = draw(2) == 0 ? 1s : 15s;
      const auto sources = 1 + draw(6);
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto when = begin + draw_between(0ms, length);
        const auto node = draw(nodes_.size());
        const auto source = fmt::format("192.0.2.{}", draw(sources));
        const auto intent = draw(4) == 0 ? Intent::hang_up : Intent::wrong;
        at(when, [this, node, name, source, intent] { guess(node, name, source, 0, intent); });
      }
    }
    // One source at many names.
    const auto begin = draw_between(0ms, kDuration - 20s);
    for (int i = 0; i < 50; ++i) {
      const auto when = begin + draw_between(0ms, 8s);
      const auto node = draw(nodes_.size());
      at(when, [this, node, i] { guess(node, fmt::format("name{}", i % 17), "203.0.113.9", 0, Intent::wrong); });
    }
  }

  // Users of the names that are attacked and changed: they know their password, or one that was theirs.
  void users_logins() {
    at(draw_between(100ms, 4s), [this] {
      static const std::vector<std::string> names = {"alice", "bob", "carol"};
      const auto& name = names[draw(names.size())];
      auto typed = password_of(name);
      if (!typed || draw(5) == 0) typed = draw(kRecords);
      guess(draw(nodes_.size()), name, "198.51.100.2", *typed, Intent::right);
      use_ticket();
      users_logins();
    });
  }

  // Who has a ticket, be it stolen or old, and types a password; some send a hello again.
  void device_logins() {
    at(draw_between(1s, 6s), [this] {
      if (!devices_.empty()) {
        // The newest are tried most.
        const auto device = devices_[devices_.size() - 1 - draw(std::min<std::size_t>(devices_.size(), 6))];
        const auto name = draw(10) == 0 ? std::string("bob") : device.name;
        const auto burst = 1 + draw(10);
        for (std::uint64_t i = 0; i < burst; ++i) {
          store::HelloDigest hello{};
          const auto number = ++last_hello_;
          std::memcpy(hello.data(), &number, sizeof number);
          const auto typed = password_of(name);
          const bool knows = typed && draw(4) == 0;
          const auto when = draw_between(0ms, 3s);
          const auto copies = 1 + draw(2);
          for (std::uint64_t copy = 0; copy < copies; ++copy)
            at(when + copy * draw_between(0ms, 12s), [this, device, name, typed, knows, hello] {
              guess_from_device(draw(nodes_.size()), device, name, knows ? *typed : draw(kRecords),
                                knows ? Intent::right : Intent::wrong, hello);
            });
        }
      }
      device_logins();
    });
  }

  // Codes are asked for, tried by those who do not know them, and redeemed, some of them twice.
  void codes() {
    at(draw_between(4s, 15s), [this] {
      static const std::vector<std::string> names = {"alice", "bob", "carol"};
      try {
        static_cast<void>(invite(names[draw(names.size())]));
      } catch (const ProcessDied&) {
      }
      if (!codes_.empty()) {
        const auto code = codes_[codes_.size() - 1 - draw(std::min<std::size_t>(codes_.size(), 3))];
        const auto tries = draw(2) == 0 ? 2 : 12;
        for (int i = 0; i < tries; ++i) {
          const auto intent = draw(4) == 0 ? Intent::right : draw(2) == 0 ? Intent::wrong : Intent::hang_up;
          at(draw_between(0ms, 8s), [this, code, intent] { guess_code(draw(nodes_.size()), code, intent); });
        }
      }
      codes();
    });
  }

  // Nobody attacks this name: its right password gets in whenever nothing has changed for a while.
  void honest_logins() {
    at(draw_between(3s, 6s), [this] {
      const std::string name(kHonest);
      const auto number = draw(nodes_.size());
      auto& node = *nodes_[number];
      const auto typed = password_of(name);
      if (typed && node.is_up && is_calm(node, now_) && is_right(name, *typed)) {
        const auto life = node.life;
        const auto began = now_;
        guess(number, name, "198.51.100.1", *typed, Intent::right, [this, &node, life, began, name](bool stays) {
          if (node.life != life || !is_calm(node, began)) return;
          ++report_.honest;
          if (!stays) violated("an honest login is turned away");
        });
      }
      honest_logins();
    });
  }
  // Nothing has happened to the honest user since some time before `began`.
  [[nodiscard]] bool is_calm(const Node& node, store::Time began) const {
    const auto& history = database_->history.find(kHonest)->second;
    return history.back().at + kLate + kSlack < began && now_ >= node.cut_until && now_ >= outage_until_ &&
           node.connected_since + kLate < began && outage_over_ + kLate < began && node.up_since + kLate < began;
  }

  void operators() {
    at(draw_between(500ms, 5s), [this] {
      operate();
      check_acknowledged();
      operators();
    });
  }

  void trouble() {
    at(draw_between(5s, 40s), [this] {
      auto& node = *nodes_[draw(nodes_.size())];
      switch (draw(4)) {
        case 0:
          if (node.is_up) crash(node);
          break;
        case 1:
          cut(node, draw_between(1s, 25s));
          break;
        case 2:
          outage_until_ = now_ + draw_between(500ms, 12s);
          outage_over_ = outage_until_;
          break;
        default:
          database_->crash();
          check_acknowledged();
          break;
      }
      trouble();
    });
  }

  Plan plan_;
  std::mt19937_64 random_;
  SeededRng rng_;
  GuessRules rules_;
  Report report_;
  store::Time now_ = kBegin;
  std::uint64_t sequence_ = 0;
  std::map<std::pair<store::Time, std::uint64_t>, std::function<void()>> queue_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<SimulatedStore> operator_, healthy_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, Allowance> accounts_, sources_;
  std::map<std::string, Commit> acknowledged_;
  std::vector<Ticket> tickets_;
  std::vector<Device> devices_;  // whose tickets have left
  std::vector<Code> codes_;
  std::set<std::string> redeemed_;
  std::deque<store::HelloDigest> spent_hellos_;  // the newest that were charged to devices
  std::uint64_t last_device_ = 0, last_hello_ = 0;
  store::Time outage_until_{}, outage_over_{};
};

}  // namespace

Report simulate(const Plan& plan) { return Simulation(plan).run(); }

}  // namespace pake::server::simulation
