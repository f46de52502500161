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

#include "connection_handler.h"
#include "feed.h"
#include "loop_impl.h"
#include "pake/channel/channel.h"
#include "pake/channel/ticket.h"
#include "pake/crypto/ksf.h"
#include "pake/identity/invitation.h"
#include "pake/net/coroutine.h"
#include "pake/net/source.h"
#include "pake/proto/opaque/stored.h"
#include "pake/server/administration.h"
#include "pake/server/guesses.h"
#include "pake/server/log.h"
#include "pake/store/sealing.h"
#include "pake/testing/fixed_rng.h"
#include "simulated_clock.h"
#include "simulated_store.h"
#include "simulated_stream.h"

namespace pake::server::simulation {
namespace {

using namespace std::chrono_literals;
using channel::AlertCode;
using pake::testing::SeededRng;
using store::BucketKind;
using store::UserState;
using Millis = std::chrono::milliseconds;
using Handshaken = std::expected<net::ServerChannel, net::HandshakeError>;

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

/// Nobody reads it.
std::shared_ptr<Log> quiet_log() {
  static const auto log =
      Log::to_function({.format = LogFormat::text, .level = LogLevel::error, .file = {}}, [](std::string_view) {});
  return log;
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

/// What a client keeps of a session.
struct Ticket {
  Buffer sealed;
  std::uint64_t secret = 0;  // the number of the connection whose resumption secret it is
  std::string name;
  std::uint64_t generation = 0;
  store::Time since;
};

/// A device, as the ticket of its user names it.
struct Device {
  channel::DeviceId id{};
  std::string name;
  std::uint64_t generation = 0;
  std::uint64_t login_time = 0;
  [[nodiscard]] std::string label() const { return fmt::format("device {:02x}", fmt::join(id, "")); }
};

struct Code {
  std::string selector;
  Buffer words;
  std::string name;
};

class Simulation;
struct Node;

/// The store as a node reaches it. The mistakes that are planted between a node and its store are planted here.
class NodeStore final : public SimulatedStore {
 public:
  NodeStore(Simulation& simulation, Node& node, const std::shared_ptr<Database>& database,
            std::function<Fate(bool)> fate)
      : SimulatedStore(database, std::move(fate)), simulation_(simulation), node_(node) {}

  store::StoreResult<store::LoginRows> read_login(const store::LoginQuery& query) override;
  store::StoreResult<store::CodeRows> read_code(const store::CodeQuery& query) override;
  store::StoreStatus charge(std::span<const store::Charge> charges, store::Time now) override;
  store::StoreResult<std::optional<store::UserRow>> find_user(std::string_view name) override;

 private:
  Simulation& simulation_;
  Node& node_;
};

struct Node {
  std::size_t number = 0;
  bool is_up = false;
  std::uint64_t life = 0;  // what comes for an earlier life comes too late
  Millis skew{0};
  store::Time cut_until{};        // it does not reach the store before
  store::Time connected_since{};  // as far as the network goes
  store::Time up_since{};
  bool has_read_feed = false;
  std::shared_ptr<NodeStore> store;
  std::unique_ptr<net::Loops> loops;
  std::optional<net::Callers> callers;
  std::shared_ptr<State> state;
  std::shared_ptr<ConnectionHandler> handler;
  std::unique_ptr<Feed> feed;
  std::unique_ptr<FeedReader> reader;           // only with mistakes that are planted in the feed
  std::optional<Generations> of_the_reader;     // only with Bug::entry_not_checked
  std::optional<store::Time> next;              // when its loop goes on
  std::map<std::string, std::size_t> answered;  // by what they are at: neither given back nor charged
  std::map<std::string, std::size_t> answered_sources;
  std::map<store::BucketKey, std::optional<store::BucketRow>> own;  // only with Bug::charge_in_memory
};

enum class Intent : std::uint8_t { right, wrong, hang_up };

/// One connection, and what is known of it from outside.
struct Attempt {
  std::uint64_t number = 0;
  std::size_t node = 0;
  std::uint64_t life = 0;
  channel::ClientRequest request;
  std::string name, source;
  std::size_t typed = 0;  // which password
  Intent intent = Intent::wrong;
  bool leaves_early = false;  // it hangs up before it is answered
  std::optional<Device> device;
  store::HelloDigest hello{};  // of a device's guess
  std::optional<Code> code;
  std::optional<Ticket> ticket;
  bool knows_secret = true;                    // of the ticket
  std::function<void(bool accepted)> watched;  // honest ones
  store::Time began{};
  // What the store said, and the truth at that time.
  store::Time read_at{};
  bool is_legit = false;
  bool is_by_device = false;
  bool is_device_known = false, is_hello_spent = false;
  std::uint64_t generation = 0;
  std::optional<store::LoginRows> read_before;  // only with Bug::read_before_take
  // The connection.
  std::shared_ptr<Wire> wire;
  store::Time server_hears_at{}, client_hears_at{};  // what was sent first arrives first
  bool is_answered = false;
  // The client's end of a channel.
  std::optional<channel::Channel> channel;
  Buffer input;
  store::Time entered_at{};
  bool is_over = false;
  bool is_thrown_out = false;

  // False if it has left already.
  bool throw_out() {
    if (std::exchange(is_over, true)) return false;
    return is_thrown_out = true;
  }
  [[nodiscard]] std::string label() const {
    return code ? "code " + code->selector : is_by_device ? device->label() : name;
  }
};

class Simulation {
 public:
  explicit Simulation(const Plan& plan)
      : plan_(plan),
        random_(plan.seed * 2'654'435'761U + 17),
        rng_(plan.seed + 1),
        rules_(rules()),
        log_(quiet_log()),
        database_(std::make_shared<Database>()) {
    database_->bug = plan.bug;
    database_->now = [this] { return now_; };
    database_->info.kind = "simulated";
    database_->info.key_file = keys().keyring->file().id();
    database_->decoy_user = keys().seed.decoy_user;
    database_->decoy_invitation = keys().seed.decoy_invitation;
    database_->tables.shares = {keys().seed.first_shares};
    if (plan.bug == Bug::fake_differs)
      database_->tables.shares.back().shares.back().parameters.ksf_profile =
          static_cast<std::uint8_t>(crypto::KsfProfile::rfc9106_2);
    operator_ =
        std::make_shared<SimulatedStore>(database_, [this](bool is_write) { return fate_of_operator(is_write); });
    healthy_ = std::make_shared<SimulatedStore>(database_, [](bool) { return Fate::done; });
  }

  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation() {
    for (auto& node : nodes_) stop(*node);
  }

  Report run() {
    const auto count = 1 + draw(4);
    for (std::size_t i = 0; i < count; ++i) {
      auto& node = *nodes_.emplace_back(std::make_unique<Node>());
      node.number = i;
      node.skew = Millis(static_cast<int>(draw(601)) - 300);
      node.store = std::make_shared<NodeStore>(*this, node, database_,
                                               [this, &node](bool is_write) { return fate_of_node(node, is_write); });
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
    while (!report_.violation) {
      auto when = queue_.begin()->first.first;
      Node* first = nullptr;  // whose loop goes on before anything else happens
      for (auto& node : nodes_)
        if (node->next && *node->next <= when) when = *(first = node.get())->next;
      if (when > kBegin + kDuration) break;
      now_ = std::max(now_, when);
      attempt_.reset();
      if (first != nullptr) {
        go_on(*first);
        continue;
      }
      ++report_.events;
      queue_.extract(queue_.begin()).mapped()();
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
    if (!node.loops || now_ < node.cut_until || now_ < outage_until_) return Fate::lost;
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

  // What a node's clocks say. The steady one begins an hour before the run.
  static constexpr Millis kSteadyBegin = 1h;
  [[nodiscard]] store::Time wall(const Node& node) const { return now_ + node.skew; }
  [[nodiscard]] net::Deadline instant() const { return net::Deadline(now_ - kBegin + kSteadyBegin); }
  void set_clocks_of(const Node& node) const { set_clocks(instant(), wall(node)); }

  // The node does all that it can do now.
  void go_on(Node& node) {
    set_clocks_of(node);
    const auto next = node.loops->main().impl().poll();
    node.next.reset();
    if (next != net::kNever) node.next = kBegin + std::chrono::ceil<Millis>(next.time_since_epoch()) - kSteadyBegin;
  }

  // --- Nodes.

  [[nodiscard]] Config config() const {
    Config config;
    config.guesses = rules_;
    config.ksf = crypto::KsfProfile::small;
    auto& guesses = config.guesses;
    if (plan_.bug == Bug::no_slots) guesses.slots = 1'000;
    if (plan_.bug == Bug::code_slots) guesses.code_slots = guesses.slots;
    if (plan_.bug == Bug::refill_too_fast)
      for (auto* const rule : {&guesses.account, &guesses.device, &guesses.code}) rule->refill_interval /= 2;
    return config;
  }

  void start(Node& node) {
    set_clocks_of(node);
    ++node.life;
    node.loops = std::make_unique<net::Loops>(1);
    node.callers.emplace(net::CallerLimits{.silent = 1024, .waiting = 4096});
    node.state = std::make_shared<State>(
        config(), std::make_shared<Accounts>(node.store, keys().keyring), log_,
        [this, &node](net::Loop& loop, std::function<void()> call, net::Deadline /*deadline*/) {
          return run_blocking(node, loop, std::move(call), attempt_);
        },
        std::make_shared<SeededRng>(draw(1'000'000)));
    node.handler = std::make_shared<ConnectionHandler>(
        node.state, [this, &node](net::Loop& loop, std::unique_ptr<net::Stream>& stream, const net::ServerSide& side) {
          return shake_hands(node, loop, stream, side);
        });
    node.feed = std::make_unique<Feed>(node.state);
    node.of_the_reader.emplace();
    node.reader = std::make_unique<FeedReader>(
        *node.state->accounts, plan_.bug == Bug::entry_not_checked ? *node.of_the_reader : node.state->generations);
    node.answered.clear();
    node.answered_sources.clear();
    node.has_read_feed = false;
    open_doors(node);
  }
  void open_doors(Node& node) {
    const auto life = node.life;
    set_clocks_of(node);
    if (!node.feed->read_all() || (is_planted_in_feed() && !node.reader->read_all(now_ - 7 * 24h, instant()))) {
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
    set_clocks_of(node);
    const auto next = (is_planted_in_feed() ? turn_wrongly(node) : node.feed->turn().has_value()) ? 1000ms : 250ms;
    go_on(node);
    at(next + latency(), [this, &node, life] { turn(node, life); });
  }
  [[nodiscard]] bool is_planted_in_feed() const {
    switch (plan_.bug) {
      case Bug::feed_stays_behind:
      case Bug::feed_marks_failures:
      case Bug::sessions_stay:
      case Bug::end_lower_only:
      case Bug::entry_not_checked:
        return true;
      default:
        return false;
    }
  }
  bool turn_wrongly(Node& node) {
    auto& state = *node.state;
    if (plan_.bug == Bug::feed_stays_behind && std::exchange(node.has_read_feed, true)) {
      state.generations.refreshed(instant());
      return true;
    }
    const auto read = node.reader->read_changes(instant(), [&](store::GenerationChange change) {
      if (plan_.bug == Bug::sessions_stay) return;
      if (plan_.bug == Bug::end_lower_only) change.state = UserState::enabled;
      static_cast<void>(state.sessions.end_stale(change));
    });
    if (read || plan_.bug == Bug::feed_marks_failures) state.generations.refreshed(instant());
    return read.has_value();
  }

  // It is dead at once: nothing that its coroutines still do reaches the store or a client.
  void stop(Node& node) {
    if (!node.loops) return;
    ++node.life;
    node.is_up = false;
    const auto loops = std::move(node.loops);
    loops->cancel();
    node.feed.reset();
    node.reader.reset();
    node.handler.reset();
    static_cast<void>(loops->main().impl().poll());
    node.callers.reset();
    node.state.reset();
    node.next.reset();
  }
  void crash(Node& node) {
    ++report_.crashes;
    stop(node);
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
  Allowance& allowance_of(const Attempt& attempt) {
    const auto& rule = attempt.code ? rules_.code : attempt.is_by_device ? rules_.device : rules_.account;
    const auto slots = attempt.code ? rules_.code_slots : rules_.slots;
    return allowance(accounts_, attempt.label(), rule.burst + static_cast<double>((nodes_.size() - 1) * slots), rule);
  }
  [[nodiscard]] double source_most() const {
    return static_cast<double>(rules_.source.burst) * static_cast<double>(nodes_.size());
  }
  static Allowance& allowance(std::map<std::string, Allowance>& of, const std::string& name, double most,
                              const store::BucketRule& rule) {
    return of.try_emplace(name, most, rule.refill_interval).first->second;
  }

  // --- Connections.

  std::shared_ptr<Attempt> attempt_at(std::size_t node, std::string source, Intent intent) {
    auto attempt = std::make_shared<Attempt>();
    attempt->number = ++last_attempt_;
    attempt->node = node;
    attempt->life = nodes_[node]->life;
    attempt->source = std::move(source);
    attempt->intent = intent;
    attempt->leaves_early = intent == Intent::hang_up && draw(5) == 0;
    attempt->request = {.kind = channel::HandshakeKind::login, .suite = channel::Suite::opaque_ristretto255};
    attempt->began = now_;
    return attempt;
  }

  void guess(std::size_t node, std::string name, std::string source, std::size_t typed, Intent intent,
             std::function<void(bool)> watched = {}) {
    if (!nodes_[node]->is_up) return;
    auto attempt = attempt_at(node, std::move(source), intent);
    attempt->name = std::move(name);
    attempt->typed = typed;
    attempt->watched = std::move(watched);
    attempt->request.name = to_buffer(as_bytes(attempt->name));
    if (plan_.bug != Bug::read_before_take) return connect(attempt);
    const auto& accounts = *nodes_[node]->state->accounts;
    const auto bucket = [&](BucketKind kind, std::string_view text) { return accounts.bucket(kind, as_bytes(text)); };
    if (auto rows = healthy_->read_login({.name = {},
                                          .account = bucket(BucketKind::account, attempt->name),
                                          .source = bucket(BucketKind::source, attempt->source + "/32")}))
      attempt->read_before = *std::move(rows);
    step(attempt, [this, attempt] { connect(attempt); });
  }

  // A password and a device's ticket: what is wrong with the device makes it a guess at the account.
  void guess_from_device(std::size_t node, const Device& device, const std::string& name, std::size_t typed,
                         Intent intent, const store::HelloDigest& hello) {
    if (!nodes_[node]->is_up) return;
    auto attempt = attempt_at(node, "198.51.100.7", intent);
    attempt->name = name;
    attempt->typed = typed;
    attempt->device = device;
    attempt->request.name = to_buffer(as_bytes(name));
    auto& shown = attempt->request.device.emplace();
    shown.ticket = {.name = attempt->request.name,
                    .server_name = {},
                    .device = device.id,
                    .generation = device.generation,
                    .login_time = device.login_time};
    shown.time = seconds_since_1970(now_);
    shown.hello_digest = hello;
    if (plan_.bug == Bug::hello_twice) shown.hello_digest = with_number(hello, attempt->number);
    const auto row = database_->tables.users.find(name);
    if (plan_.bug == Bug::device_any_generation && row != database_->tables.users.end())
      shown.ticket.generation = row->second.generation;
    attempt->hello = hello;
    connect(attempt);
  }

  static store::HelloDigest with_number(store::HelloDigest hello, std::uint64_t number) {
    std::memcpy(hello.data() + sizeof number, &number, sizeof number);
    return hello;
  }

  // A try of an invitation's code.
  void guess_code(std::size_t node, const Code& code, Intent intent) {
    if (!nodes_[node]->is_up) return;
    auto attempt = attempt_at(node, fmt::format("198.51.100.{}", 8 + draw(4)), intent);
    attempt->name = code.name;
    attempt->code = code;
    attempt->request.kind = channel::HandshakeKind::code;
    attempt->request.name = to_buffer(as_bytes(code.selector));
    connect(attempt);
  }

  void use_ticket() {
    if (tickets_.empty()) return;
    const auto node = draw(nodes_.size());
    auto attempt = attempt_at(node, "198.51.100.3", Intent::right);
    attempt->ticket = tickets_[draw(tickets_.size())];
    attempt->knows_secret = draw(6) > 0;
    attempt->name = attempt->ticket->name;
    attempt->request.kind = channel::HandshakeKind::resume;
    if (nodes_[node]->is_up) connect(attempt);
  }

  Node& node_of(const Attempt& attempt) { return *nodes_[attempt.node]; }
  bool is_alive(const Attempt& attempt) { return node_of(attempt).life == attempt.life; }
  void step(const std::shared_ptr<Attempt>& attempt, std::function<void()> what, Millis later = Millis(-1)) {
    at(later < 0ms ? latency() : later, [this, attempt, what = std::move(what)] {
      if (is_alive(*attempt)) what();
    });
  }

  void connect(const std::shared_ptr<Attempt>& attempt) {
    auto& node = node_of(*attempt);
    auto& loop = node.loops->main();
    attempt->wire = std::make_shared<Wire>(loop);
    attempt->wire->sent = [this, attempt](Bytes bytes) {
      at(arrival(attempt->client_hears_at), [this, attempt, bytes = to_buffer(bytes)] {
        if (is_alive(*attempt)) client_hears(attempt, bytes);
      });
    };
    attempt->wire->dropped = [this, attempt] {
      if (!is_alive(*attempt)) return;
      at(arrival(attempt->client_hears_at), [attempt] { attempt->throw_out(); });
    };
    auto caller = node.callers->admit(
        std::make_unique<SimulatedStream>(attempt->wire, net::TcpAddress{.host = attempt->source, .port = 1}), loop);
    if (!caller) return violated("there is no room for a caller");
    connecting_[attempt->wire.get()] = attempt;
    name_buckets(*attempt);
    loop.spawn(ConnectionHandler::serve(node.handler, *std::move(caller)));
    if (attempt->leaves_early) hang_up(attempt, latency());
    go_on(node);
  }
  void name_buckets(const Attempt& attempt) {
    const auto& accounts = *node_of(attempt).state->accounts;
    labels_[accounts.bucket(BucketKind::source, as_bytes(attempt.source + "/32"))] = attempt.source;
    labels_[accounts.bucket(BucketKind::account, as_bytes(attempt.name))] = attempt.name;
    if (attempt.device) labels_[accounts.bucket(BucketKind::device, attempt.device->id)] = attempt.device->label();
    if (attempt.code)
      labels_[accounts.bucket(BucketKind::code, as_bytes(attempt.code->selector))] = "code " + attempt.code->selector;
  }
  // In the order in which it is sent.
  Millis arrival(store::Time& last) {
    last = std::max(last, now_ + latency());
    return last - now_;
  }
  void server_hears(const std::shared_ptr<Attempt>& attempt, Bytes bytes) {
    at(arrival(attempt->server_hears_at), [this, attempt, bytes = to_buffer(bytes)] {
      if (!is_alive(*attempt)) return;
      auto& wire = *attempt->wire;
      wire.inbox.insert(wire.inbox.end(), bytes.begin(), bytes.end());
      wire.arrived.notify();
      go_on(node_of(*attempt));
    });
  }
  void hang_up(const std::shared_ptr<Attempt>& attempt, Millis later) {
    step(
        attempt,
        [this, attempt] {
          attempt->wire->has_ended = true;
          attempt->wire->arrived.notify();
          go_on(node_of(*attempt));
        },
        later);
  }

  // A worker: the question travels, takes effect, and the answer travels.
  net::Awaitable<net::Outcome<void>> run_blocking(Node& node, net::Loop& loop, std::function<void()> call,
                                                  std::shared_ptr<Attempt> attempt) {
    static_cast<void>(co_await loop.sleep_until(net::after(latency())));
    attempt_ = attempt;
    call();
    attempt_.reset();
    static_cast<void>(co_await loop.sleep_until(net::after(latency())));
    set_clocks_of(node);
    attempt_ = attempt;
    co_return net::Outcome<void>();
  }

  // In place of net::accept_channel: a client who knows, or does not, what the server asks it to prove. All else is as
  // there: the hello is decided on, the guess is spent when the answer leaves, and given back if the finish verifies.
  net::Awaitable<Handshaken> shake_hands(Node& /*node*/, net::Loop& loop, std::unique_ptr<net::Stream>& stream,
                                         const net::ServerSide& side) {
    const auto found = connecting_.extract(static_cast<SimulatedStream&>(*stream).wire().get());
    const auto attempt = found.mapped();
    if (attempt->ticket && !open_ticket(*attempt, side)) co_return refused(AlertCode::refused);
    attempt_ = attempt;
    auto decision = co_await side.decide(attempt->request);
    attempt_.reset();
    if (!is_alive(*attempt)) co_return lost(net::Error::Kind::cancelled);
    if (const auto* const alert = std::get_if<channel::Alert>(&decision)) {
      turned_away(*attempt, *alert);
      co_return refused(alert->code);
    }
    auto permit = permit_of(decision);
    const bool is_proved = proves(*attempt, decision);
    if (permit) {
      permit->spend();
      answered(*attempt, decision);
    } else {
      ticket_accepted(*attempt);
    }
    client_finishes(attempt);
    const auto patience =
        attempt->request.kind == channel::HandshakeKind::login ? side.timeouts.login_finish : side.timeouts.finish;
    std::array<std::uint8_t, 1> finish{};
    const auto came = co_await stream->read_some(finish, net::after(patience));
    attempt_ = attempt;  // whose guess is charged
    if (!is_alive(*attempt)) co_return lost(net::Error::Kind::cancelled);
    if (!came || !is_proved) {
      if (attempt->watched) attempt->watched(false);
      const bool forgets = (plan_.bug == Bug::forget_on_hang_up && attempt->intent == Intent::hang_up) ||
                           (plan_.bug == Bug::refund_failures && attempt->intent == Intent::wrong);
      if (permit && forgets) {
        permit->refund();
        given_up(attempt->node, attempt->label(), attempt->source);
      }
      if (!came) co_return lost(came.error().kind);
      co_return refused(AlertCode::refused);
    }
    if (permit) {
      permit->refund();
      verified(attempt);
    }
    begin_client(attempt);
    co_return channel_of(*attempt, loop, stream, side);
  }

  static Handshaken lost(net::Error::Kind why) {
    return std::unexpected(net::HandshakeError{.error = {why}, .failure = std::nullopt});
  }
  static Handshaken refused(channel::AlertCode code) {
    return std::unexpected(net::HandshakeError{
        .error = {net::Error::Kind::run_failed},
        .failure = channel::Failure{
            .error = Errc::auth_failed, .to_send = channel::Alert{.code = code, .retry_after = 0}, .received = {}}});
  }
  static Handshaken channel_of(const Attempt& attempt, net::Loop& loop, std::unique_ptr<net::Stream>& stream,
                               const net::ServerSide& side) {
    return net::ServerChannel{
        .link = std::make_shared<net::ChannelLink>(loop, std::move(stream), channel_keys(attempt.number),
                                                   channel::Role::server, side.cache,
                                                   net::ChannelLink::Leftover{.to_send = {}, .arrived = {}}),
        .outcome = {
            .kind = attempt.request.kind, .name = to_buffer(as_bytes(attempt.name)), .ticket = attempt.request.ticket}};
  }
  static std::optional<GuessPermit> permit_of(channel::Decision& decision) {
    if (auto* const login = std::get_if<channel::LoginAnswer>(&decision)) return std::move(login->permit);
    if (auto* const code = std::get_if<channel::CodeAnswer>(&decision)) return std::move(code->permit);
    return std::nullopt;
  }
  [[nodiscard]] static bool proves(const Attempt& attempt, const channel::Decision& decision) {
    if (attempt.intent != Intent::right) return false;
    if (const auto* const login = std::get_if<channel::LoginAnswer>(&decision))
      return login->credential.record.encode() == keys().records[attempt.typed];
    if (const auto* const code = std::get_if<channel::CodeAnswer>(&decision))
      return std::ranges::equal(code->code.reveal(), attempt.code->words);
    return true;
  }

  // As ServerHandshake does before it asks for a decision.
  bool open_ticket(Attempt& attempt, const net::ServerSide& side) {
    auto opened = channel::open_ticket(*side.config.ticket_keys, attempt.ticket->sealed);
    if (!opened) return false;
    const auto secret = channel_keys(attempt.ticket->secret + (attempt.knows_secret ? 0 : 1)).resumption_secret;
    if (!ct_equal(opened->secret.reveal(), secret.reveal()) && plan_.bug != Bug::ticket_without_secret) return false;
    attempt.request.ticket = std::move(opened->facts);
    const auto row = database_->tables.users.find(attempt.name);
    if (plan_.bug == Bug::ticket_any_generation && row != database_->tables.users.end())
      attempt.request.ticket->generation = row->second.generation;
    if (plan_.bug == Bug::ticket_on_old_view) node_of(attempt).state->generations.refreshed(instant());
    return true;
  }
  void ticket_accepted(Attempt& attempt) {
    ++report_.by_ticket;
    const auto& ticket = *attempt.ticket;
    if (!attempt.knows_secret) violated("a ticket of " + ticket.name + " is good without its secret");
    // The store was asked, or the view is young: here no excuse holds.
    const auto decided = attempt.read_at == store::Time{} ? now_ : attempt.read_at;
    if (const auto over = over_since(ticket.name, ticket.generation, ticket.since);
        over && decided - *over > kLate + kSlack)
      violated("a ticket of " + ticket.name + " is good after its account has changed");
    attempt.generation = ticket.generation;
    attempt.read_at = decided;
  }

  void tell(const Attempt& attempt, const std::string& what) {
    if (plan_.twin != Plan::Twin::no)
      report_.told.push_back(
          fmt::format("{} node {} {}: {}", (now_ - kBegin).count(), attempt.node, attempt.name, what));
  }
  [[nodiscard]] bool is_unknown(const Attempt& attempt) const {
    return !database_->tables.users.contains(attempt.name);
  }

  void turned_away(const Attempt& attempt, const channel::Alert& alert) {
    if (alert.code != AlertCode::throttled) {
      if (alert.code == AlertCode::unavailable) ++report_.unavailable;
      return tell(attempt, std::string(channel::to_string(alert.code)));
    }
    ++report_.throttled;
    auto retry_after = alert.retry_after;
    if (plan_.bug == Bug::retry_after_tells && is_unknown(attempt)) ++retry_after;
    if (plan_.bug == Bug::throttle_without_time && is_unknown(attempt)) retry_after = 0;
    tell(attempt, fmt::format("throttled {}", retry_after));
  }

  void answered(Attempt& attempt, const channel::Decision& decision) {
    auto& node = node_of(attempt);
    const auto label = attempt.label();
    attempt.is_answered = true;
    ++report_.answered;
    if (const auto* const login = std::get_if<channel::LoginAnswer>(&decision)) {
      const auto& record = login->credential.record;
      tell(attempt, fmt::format("answered in suite {}, ksf {}, epoch {}, {} bytes", static_cast<int>(record.suite),
                                static_cast<int>(record.ksf), record.epoch, record.encode().size()));
    }
    ++node.answered[label];
    ++node.answered_sources[attempt.source];
    if (attempt.is_by_device) {
      ++report_.by_device;
      if (!attempt.is_device_known) violated("a device that is none of " + attempt.name + "'s is taken for known");
      if (attempt.is_hello_spent) violated("a hello that was charged to a device counts for it again");
    }
    auto& of_account = allowance_of(attempt);
    auto& of_source = allowance(sources_, attempt.source, source_most(), rules_.source);
    of_account.take(now_ + kSlack);
    of_source.take(now_ + kSlack);
    if (of_account.is_overdrawn()) violated("more guesses at " + label + " are answered than there are");
    if (of_source.is_overdrawn()) violated("more guesses from " + attempt.source + " are answered than there are");
  }

  // Some stretch their password for long.
  void client_finishes(const std::shared_ptr<Attempt>& attempt) {
    const bool is_login = attempt->request.kind == channel::HandshakeKind::login;
    const auto later = is_login && draw(10) == 0 ? draw_between(5s, 58s) : draw_between(10ms, 3s);
    if (attempt->leaves_early) return;
    if (attempt->intent == Intent::hang_up) return hang_up(attempt, later);
    step(
        attempt,
        [this, attempt] {
          static constexpr std::array<std::uint8_t, 1> kFinish{};
          server_hears(attempt, kFinish);
        },
        later);
  }

  void verified(const std::shared_ptr<Attempt>& attempt) {
    given_up(attempt->node, attempt->label(), attempt->source);
    allowance_of(*attempt).give_back();
    allowance(sources_, attempt->source, source_most(), rules_.source).give_back();
    if (plan_.bug == Bug::refund_twice) {
      const auto& accounts = *node_of(*attempt).state->accounts;
      for (const auto& key : {accounts.bucket(BucketKind::account, as_bytes(attempt->name)),
                              accounts.bucket(BucketKind::source, as_bytes(attempt->source + "/32"))})
        static_cast<void>(healthy_->clear_buckets({&key, 1}, {}));
    }
    if (!attempt->is_legit) violated("a wrong accept of " + attempt->name);
    ++report_.accepted;
    if (attempt->code) step(attempt, [this, attempt] { redeem(attempt); });
    if (attempt->watched) at(3s, [attempt] { attempt->watched(!attempt->is_thrown_out); });
  }

  void given_up(std::size_t node, const std::string& label, const std::string& source) {
    const auto take = [](std::map<std::string, std::size_t>& from, const std::string& what) {
      if (auto& count = from[what]; count > 0) --count;
    };
    take(nodes_[node]->answered, label);
    take(nodes_[node]->answered_sources, source);
  }

  // --- The client's end of a channel.

  static channel::ChannelKeys channel_keys(std::uint64_t number) {
    const auto fill = [number](MutableBytes out) { std::memcpy(out.data(), &number, sizeof number); };
    return {.aead = channel::AeadId::chacha20_poly1305,
            .client = channel::TrafficKey::make(fill),
            .server = channel::TrafficKey::make(fill),
            .exporter_secret = channel::ExporterSecret::make(fill),
            .resumption_secret = channel::ResumptionSecret::make(fill)};
  }

  void begin_client(const std::shared_ptr<Attempt>& attempt) {
    attempt->entered_at = now_;
    attempt->channel.emplace(channel_keys(attempt->number), channel::Role::client, cache_, instant());
    if (!attempt->code) sessions_.push_back(attempt);
    // Some stay until they are thrown out.
    const auto stays = attempt->code || draw(2) == 0 ? draw_between(100ms, 3s) : draw_between(1s, 60s);
    step(
        attempt,
        [this, attempt] {
          if (std::exchange(attempt->is_over, true)) return;
          attempt->channel->close(channel::CloseCode::done);
          client_sends(attempt);
        },
        stays);
  }
  void client_sends(const std::shared_ptr<Attempt>& attempt) {
    Buffer out(channel::Channel::kMinOutput);
    while (attempt->channel->wants_to_send()) {
      const auto size = attempt->channel->produce(out, instant());
      if (size == 0) break;
      server_hears(attempt, Bytes(out).first(size));
    }
  }
  void client_hears(const std::shared_ptr<Attempt>& attempt, Bytes bytes) {
    if (!attempt->channel) return;
    auto& input = attempt->input;
    auto& channel = *attempt->channel;
    input.insert(input.end(), bytes.begin(), bytes.end());
    MutableBytes rest(input);
    while (!rest.empty()) {
      const auto taken = channel.receive(rest, instant());
      if (!taken || *taken == 0) break;
      while (const auto event = channel.next_event()) {
        if (const auto* const ticket = std::get_if<channel::TicketArrived>(&*event))
          keep_ticket(*attempt, ticket->ticket);
        if (std::holds_alternative<channel::Closed>(*event)) {
          if (attempt->throw_out() && !attempt->code) ++report_.ended;
          channel.close(channel::CloseCode::done);
        }
      }
      rest = rest.subspan(*taken);
    }
    input.erase(input.begin(), input.end() - static_cast<std::ptrdiff_t>(rest.size()));
    client_sends(attempt);
  }
  void keep_ticket(const Attempt& attempt, Bytes sealed) {
    const auto opened = channel::open_ticket(*keys().keyring->ticket_keys(now_), sealed);
    if (!opened) return violated("a ticket does not open");
    const auto& facts = opened->facts;
    tickets_.push_back({.sealed = to_buffer(sealed),
                        .secret = attempt.number,
                        .name = attempt.name,
                        .generation = facts.generation,
                        .since = attempt.read_at});
    if (!attempt.ticket)
      devices_.push_back(
          {.id = facts.device, .name = attempt.name, .generation = facts.generation, .login_time = facts.login_time});
  }

  // What is done in the channel that a code has opened.
  void redeem(const std::shared_ptr<Attempt>& attempt) {
    auto& node = node_of(*attempt);
    const auto row = node.store->find_user(attempt->name);
    if (!row || !*row || (*row)->state != UserState::enabled || (*row)->generation != attempt->generation) return;
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

  // --- Between a node and its store.

  friend class NodeStore;

  store::StoreResult<store::LoginRows> read_login(Node& node, const store::LoginQuery& query) {
    const auto attempt = attempt_;
    auto rows = node.store->SimulatedStore::read_login(query);
    if (!rows && plan_.bug == Bug::answer_without_store) {
      rows = healthy_->read_login(query);
      rows->account = rows->source = rows->device = {};
    }
    if (!attempt || !rows) return rows;
    const auto user = database_->tables.users.find(query.name);
    const bool is_there = user != database_->tables.users.end();
    attempt->read_at = now_;
    attempt->generation = is_there ? user->second.generation : 0;
    attempt->is_legit = is_right(attempt->name, attempt->typed);
    attempt->is_by_device = query.device.has_value();
    if (query.device) {
      const auto device = database_->tables.devices.find(*query.device);
      attempt->is_device_known = device != database_->tables.devices.end() && device->second.first == query.name &&
                                 attempt->generation == attempt->device->generation;
      attempt->is_hello_spent = std::ranges::find(spent_hellos_, attempt->hello) != spent_hellos_.end();
    }
    plant(node, *attempt, query, *rows);
    return rows;
  }
  void plant(Node& node, const Attempt& attempt, const store::LoginQuery& query, store::LoginRows& rows) {
    switch (plan_.bug) {
      case Bug::charge_in_memory:
        rows.account = node.own[query.account];
        rows.source = node.own[query.source];
        break;
      case Bug::read_before_take:
        if (!attempt.read_before) break;
        rows.account = attempt.read_before->account;
        rows.source = attempt.read_before->source;
        break;
      case Bug::ignore_open:
        if (rows.account) rows.account->full_at -= rules_.account.refill_interval * node.answered[attempt.name];
        if (rows.source) rows.source->full_at -= rules_.source.refill_interval * node.answered_sources[attempt.source];
        break;
      case Bug::throttle_known_only:
        if (!rows.found) rows.account = rows.source = {};
        break;
      case Bug::device_of_anybody:
        rows.device_is_known = rows.found;
        break;
      case Bug::disabled_may_enter:
      case Bug::removed_may_enter: {
        const auto state = plan_.bug == Bug::disabled_may_enter ? UserState::disabled : UserState::removed;
        if (!rows.found || rows.user.state != state) break;
        const auto record = store::open_user(keys().keyring->file(), rows.user);
        rows.user.state = UserState::enabled;
        static_cast<void>(store::seal_user(keys().keyring->file(), rows.user,
                                           record && *record ? (*record)->reveal() : Bytes(), rng_));
        break;
      }
      default:
        break;
    }
  }

  store::StoreResult<store::CodeRows> read_code(Node& node, const store::CodeQuery& query) {
    const auto attempt = attempt_;
    auto rows = node.store->SimulatedStore::read_code(query);
    if (!attempt || !rows) return rows;
    attempt->read_at = now_;
    attempt->generation = rows->user.generation;
    const auto invitation = database_->tables.invitations.find(query.selector);
    attempt->is_legit = attempt->intent == Intent::right && invitation != database_->tables.invitations.end() &&
                        invitation->second.expires_at + kSlack > now_ && rows->user.state == UserState::enabled;
    if (plan_.bug == Bug::charge_in_memory) {
      rows->code = node.own[query.code];
      rows->source = node.own[query.source];
    }
    return rows;
  }

  store::StoreResult<std::optional<store::UserRow>> find_user(Node& node, std::string_view name) {
    const auto attempt = attempt_;
    auto row = node.store->SimulatedStore::find_user(name);
    if (!attempt || !attempt->ticket) return row;
    attempt->read_at = now_;
    if (!row && plan_.bug == Bug::ticket_without_store) {
      auto trusted = database_->decoy_user;
      trusted.generation = attempt->ticket->generation;
      trusted.state = UserState::enabled;
      return trusted;
    }
    return row;
  }

  store::StoreStatus charge(Node& node, std::vector<store::Charge> charges, store::Time now) {
    if (charges.size() != 2) return node.store->SimulatedStore::charge(charges, now);
    const auto target = charges.front();
    const auto source = charges.back();
    switch (plan_.bug) {
      case Bug::charge_source_only:
        charges = {source};
        break;
      case Bug::charge_account_only:
        charges = {target};
        break;
      case Bug::charge_unknown_not:
        if (!target.of_an_account) charges.clear();
        break;
      case Bug::device_not_charged:
        if (target.digest) charges = {source};
        break;
      case Bug::code_not_charged:
        if (target.refill_interval == rules_.code.refill_interval) charges = {source};
        break;
      case Bug::charge_in_memory:
        for (const auto& one : charges) node.own[one.key] = store::charged(node.own[one.key], one, now);
        return {};
      case Bug::free_before_commit:
        charge_later(node, charges, latency());
        return {};
      default:
        break;
    }
    const auto done = node.store->SimulatedStore::charge(charges, now);
    if (done) charged(node, target, source);
    if (!done && plan_.bug == Bug::drop_failed_charge) return {};
    if (!done && plan_.bug == Bug::free_while_retrying) {
      charge_later(node, charges, 100ms);
      return {};
    }
    return done;
  }
  void charge_later(Node& node, const std::vector<store::Charge>& charges, Millis later) {
    at(later, [this, &node, charges, life = node.life, later] {
      if (node.life == life && !node.store->SimulatedStore::charge(charges, wall(node)))
        charge_later(node, charges, std::min<Millis>(2 * later, 10s));
    });
  }
  void charged(const Node& node, const store::Charge& target, const store::Charge& source) {
    given_up(node.number, labels_[target.key], labels_[source.key]);
    if (!target.digest) return;
    spent_hellos_.push_front(*target.digest);
    if (plan_.bug == Bug::hello_twice) spent_hellos_.front() = with_number(spent_hellos_.front(), 0);
    if (spent_hellos_.size() > store::kMaxBucketDigests) spent_hellos_.pop_back();
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

  // --- Sessions and tickets.

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

  void check_sessions() {
    std::erase_if(sessions_, [this](const auto& session) { return session->is_over || !is_alive(*session); });
    for (const auto& session : sessions_) {
      const auto over = over_since(session->name, session->generation, session->read_at);
      if (over && is_too_late(node_of(*session), std::max(*over, session->entered_at)))
        violated("a session of " + session->name + " goes on after its account has changed");
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
    at(draw_between(2s, 9s), [this] {
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
  channel::KeyCache cache_;  // of the clients, which it outlives
  std::mt19937_64 random_;
  SeededRng rng_;
  GuessRules rules_;
  Report report_;
  std::shared_ptr<Log> log_;
  store::Time now_ = kBegin;
  std::uint64_t sequence_ = 0;
  std::map<std::pair<store::Time, std::uint64_t>, std::function<void()>> queue_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<SimulatedStore> operator_, healthy_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::shared_ptr<Attempt> attempt_;  // for which something is done just now
  std::map<const Wire*, std::shared_ptr<Attempt>> connecting_;
  std::map<store::BucketKey, std::string> labels_;
  std::vector<std::shared_ptr<Attempt>> sessions_;
  std::map<std::string, Allowance> accounts_, sources_;
  std::map<std::string, Commit> acknowledged_;
  std::vector<Ticket> tickets_;
  std::vector<Device> devices_;  // whose tickets have left
  std::vector<Code> codes_;
  std::set<std::string> redeemed_;
  std::deque<store::HelloDigest> spent_hellos_;  // the newest that were charged to devices
  std::uint64_t last_attempt_ = 0, last_hello_ = 0;
  store::Time outage_until_{}, outage_over_{};
};

store::StoreResult<store::LoginRows> NodeStore::read_login(const store::LoginQuery& query) {
  return simulation_.read_login(node_, query);
}
store::StoreResult<store::CodeRows> NodeStore::read_code(const store::CodeQuery& query) {
  return simulation_.read_code(node_, query);
}
store::StoreStatus NodeStore::charge(std::span<const store::Charge> charges, store::Time now) {
  return simulation_.charge(node_, {charges.begin(), charges.end()}, now);
}
store::StoreResult<std::optional<store::UserRow>> NodeStore::find_user(std::string_view name) {
  return simulation_.find_user(node_, name);
}

}  // namespace

Report simulate(const Plan& plan) { return Simulation(plan).run(); }

}  // namespace pake::server::simulation
