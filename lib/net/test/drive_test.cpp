#include "pake/net/drive.h"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "pake/base/ct.h"
#include "pake/crypto/ksf.h"
#include "pake/crypto/rng.h"
#include "pake/net/signal.h"
#include "pake/proto/guess.h"
#include "pake/proto/opaque/machine.h"
#include "support.h"

namespace pake::net {
namespace {

/// A machine that follows a script: messages to send, and messages to receive of a known length or up to a silence.
class Script final : public Machine {
 public:
  struct Step {
    Want want = Want::receive;
    std::string message;   // to send
    std::size_t size = 0;  // to receive, of this length; 0: up to a silence
    std::size_t at_most = 4096;
  };
  explicit Script(std::deque<Step> steps) : steps_(std::move(steps)) {}

  std::vector<std::string> received;

  [[nodiscard]] Want want() const noexcept override {
    if (failed_) return Want::failed;
    return steps_.empty() ? Want::done : steps_.front().want;
  }
  Result<Buffer> take_message() override {
    auto message = to_buffer(as_bytes(steps_.front().message));
    steps_.pop_front();
    return message;
  }
  [[nodiscard]] Incoming incoming() const noexcept override {
    const auto& step = steps_.front();
    const auto size = step.size;
    return {.at_least = size == 0 ? 1 : size, .at_most = step.at_most, .silence_ends = size == 0};
  }
  Result<std::size_t> receive(Bytes bytes, Arrived arrived) override {
    const auto size = steps_.front().size;
    if (as_text(bytes).starts_with("garbage")) {
      failed_ = true;
      return fail(Errc::malformed);
    }
    if (size == 0 && arrived == Arrived::more_may_come) return 0;
    const auto count = size == 0 ? bytes.size() : size;
    received.emplace_back(as_text(bytes.first(count)));
    steps_.pop_front();
    return count;
  }
  [[nodiscard]] std::optional<Errc> error() const noexcept override {
    return failed_ ? std::optional(Errc::malformed) : std::nullopt;
  }
  Result<SessionKey> take_session_key() override { return fail(Errc::misuse); }

 private:
  std::deque<Step> steps_;
  bool failed_ = false;
};

/// Outlives the run: its coroutine refers to what it captured.
using Peer = std::function<Awaitable<void>(Loop&, std::unique_ptr<Stream>)>;

struct Driven {
  std::expected<Buffer, DriveError> outcome = Buffer();
  std::vector<std::string> received;
};

Awaitable<void> drive_against(Loop& loop, Script& script, Timeouts timeouts, const Peer& peer, Driven& driven) {
  Pair pair(loop);
  loop.spawn(peer(loop, std::move(pair.right)));
  driven.outcome = co_await drive(loop, script, *pair.left, timeouts);
  driven.received = script.received;
}

Driven run(std::deque<Script::Step> steps, const Peer& peer, Timeouts timeouts = {.step = 60s, .silence = 20ms}) {
  Loops loops(1);
  Script script(std::move(steps));
  Driven driven;
  loops.run(drive_against(loops.main(), script, timeouts, peer, driven));
  return driven;
}

Script::Step send(std::string message) {
  Script::Step step;
  step.want = Want::send;
  step.message = std::move(message);
  return step;
}
Script::Step receive(std::size_t size) {
  Script::Step step;
  step.size = size;
  return step;
}
Script::Step receive_until_silence(std::size_t at_most = 4096) {
  Script::Step step;
  step.at_most = at_most;
  return step;
}

/// Sends `pieces` with a pause after each, then waits until our side has gone.
Peer sends(const std::vector<std::string>& pieces, Clock::duration pause = 1ms) {
  return [=](Loop& loop, std::unique_ptr<Stream> stream) -> Awaitable<void> {
    for (const auto& piece : pieces) {
      EXPECT_TRUE(co_await stream->write_all(as_bytes(piece), patient()));
      EXPECT_TRUE(co_await loop.sleep_until(after(pause)));
    }
    std::array<std::uint8_t, 256> rest{};
    while (co_await stream->read_some(rest, patient())) {
    }
  };
}

/// Sends `text` and closes at once.
Peer sends_and_vanishes(const std::string& text) {
  return [=](Loop&, std::unique_ptr<Stream> stream) -> Awaitable<void> {
    if (!text.empty()) EXPECT_TRUE(co_await stream->write_all(as_bytes(text), patient()));
    stream.reset();
  };
}

TEST(Drive, AnEmptyRunIsDone) { EXPECT_TRUE(run({}, sends({})).outcome); }

TEST(Drive, SendsAndReceivesInTurn) {
  const auto driven = run({send("a"), receive(2), send("b"), receive(3)}, sends({"12", "345"}));
  EXPECT_TRUE(driven.outcome);
  EXPECT_EQ(driven.received, std::vector<std::string>({"12", "345"}));
}

TEST(Drive, ASplitAnywhereIsSurvived) {
  const std::string all = "1234567";
  for (std::size_t at = 0; at <= all.size(); ++at) {
    const auto driven = run({receive(2), receive(5)}, sends({all.substr(0, at), all.substr(at)}));
    EXPECT_TRUE(driven.outcome) << at;
    EXPECT_EQ(driven.received, std::vector<std::string>({"12", "34567"})) << at;
  }
}

TEST(Drive, BytesMayComeOneByOne) {
  const auto driven = run({receive(4), receive_until_silence()}, sends({"a", "b", "c", "d", "e", "f"}, 0ms),
                          {.step = 60s, .silence = 1s});
  EXPECT_TRUE(driven.outcome);
  EXPECT_EQ(driven.received, std::vector<std::string>({"abcd", "ef"}));
}

TEST(Drive, WhatCameBehindTheLastMessageIsHandedOver) {
  const auto driven = run({receive(2)}, sends({"12and more"}));
  ASSERT_TRUE(driven.outcome);
  EXPECT_EQ(as_text(*driven.outcome), "and more");
}

TEST(Drive, SilenceEndsAMessageThatHasBegun) {
  const auto driven = run({receive_until_silence(), send("go on"), receive_until_silence()},
                          [](Loop&, std::unique_ptr<Stream> stream) -> Awaitable<void> {
                            std::array<std::uint8_t, 64> answer{};
                            EXPECT_TRUE(co_await stream->write_all(as_bytes("name"), patient()));
                            EXPECT_EQ(co_await stream->read_some(answer, patient()), 5U);
                            EXPECT_TRUE(co_await stream->write_all(as_bytes("next"), patient()));
                            EXPECT_FALSE(co_await stream->read_some(answer, patient()));
                          });
  EXPECT_TRUE(driven.outcome);
  EXPECT_EQ(driven.received, std::vector<std::string>({"name", "next"}));
}

TEST(Drive, SilenceBeforeTheFirstByteEndsNothing) {
  const auto driven = run({receive_until_silence()}, [](Loop& loop, std::unique_ptr<Stream> stream) -> Awaitable<void> {
    EXPECT_TRUE(co_await loop.sleep_until(after(100ms)));
    EXPECT_TRUE(co_await stream->write_all(as_bytes("late"), patient()));
    std::array<std::uint8_t, 1> rest{};
    EXPECT_FALSE(co_await stream->read_some(rest, patient()));
  });
  EXPECT_EQ(driven.received, std::vector<std::string>({"late"}));
}

TEST(Drive, TheEndOfThePeersSideIsASilence) {
  const auto driven = run({receive_until_silence()}, sends_and_vanishes("name"), {.step = 60s, .silence = 60s});
  EXPECT_TRUE(driven.outcome);
  EXPECT_EQ(driven.received, std::vector<std::string>({"name"}));
}

TEST(Drive, APeerThatVanishesIsReported) {
  for (const std::string& text : {"", "1", "12", "123"}) {
    const auto driven = run({receive(2), receive(2)}, sends_and_vanishes(text));
    ASSERT_FALSE(driven.outcome) << text;
    EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::closed) << text;
    EXPECT_EQ(driven.outcome.error().messages_received, text.size() / 2);
  }
}

TEST(Drive, AStepHasOneDeadlineHoweverTheBytesTrickle) {
  const Timeouts timeouts{.step = 100ms, .silence = 60s};
  const auto trickle = [](Loop& loop, std::unique_ptr<Stream> stream) -> Awaitable<void> {
    while (co_await stream->write_all(as_bytes("x"), patient())) EXPECT_TRUE(co_await loop.sleep_until(after(5ms)));
  };
  for (const auto& step : {receive(4000), receive_until_silence()}) {
    const auto driven = run({send("hello"), step}, trickle, timeouts);
    ASSERT_FALSE(driven.outcome);
    EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::timed_out);
    EXPECT_EQ(driven.outcome.error().messages_sent, 1U);
  }
}

TEST(Drive, ASilentPeerEndsAtTheDeadline) {
  const auto driven = run({receive_until_silence()}, sends({}), {.step = 50ms, .silence = 1ms});
  ASSERT_FALSE(driven.outcome);
  EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::timed_out);
}

TEST(Drive, APeerThatDoesNotReadEndsAtTheDeadline) {
  const auto driven = run({send(std::string(800'000, 'x'))},
                          [](Loop& loop, std::unique_ptr<Stream>) -> Awaitable<void> {
                            EXPECT_TRUE(co_await loop.sleep_until(after(200ms)));
                          },
                          {.step = 50ms, .silence = 1ms});
  ASSERT_FALSE(driven.outcome);
  EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::timed_out);
}

TEST(Drive, NoMoreIsBufferedThanTheMachineAllows) {
  const auto flood = [](Loop&, std::unique_ptr<Stream> stream) -> Awaitable<void> {
    while (co_await stream->write_all(Buffer(1024, 'x'), patient())) {
    }
  };
  const auto driven = run({receive_until_silence(2000)}, flood);
  ASSERT_FALSE(driven.outcome);
  EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::too_long);
}

TEST(Drive, WhatTheMachineRefusesEndsTheRun) {
  const auto driven = run({send("a"), receive(2)}, sends({"garbage"}));
  ASSERT_FALSE(driven.outcome);
  EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::run_failed);
  EXPECT_EQ(driven.outcome.error().messages_sent, 1U);
  EXPECT_EQ(driven.outcome.error().messages_received, 0U);
}

TEST(Drive, WhatAMachineDoesNotGetEndsTheRun) {
  for (const Want want : {Want::decision, Want::ksf, Want::key_operation}) {
    Script::Step step;
    step.want = want;
    const auto driven = run({step}, sends({}));  // nobody provides records, and this machine gives no job
    ASSERT_FALSE(driven.outcome);
    EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::run_failed);
  }
}

/// How many jobs run at once.
struct Busy {
  std::atomic<int> now = 0, most = 0, jobs = 0;
};

/// A machine that has one job, of a few milliseconds.
class Working final : public Machine {
 public:
  explicit Working(Busy& busy) : busy_(busy) {}
  [[nodiscard]] Want want() const noexcept override { return is_done_ ? Want::done : Want::key_operation; }
  Result<Buffer> take_message() override { return fail(Errc::misuse); }
  [[nodiscard]] Incoming incoming() const noexcept override { return {}; }
  Result<std::size_t> receive(Bytes, Arrived) override { return fail(Errc::misuse); }
  Result<std::unique_ptr<Job>> take_job() override { return std::make_unique<Work>(busy_); }
  Status resume(std::unique_ptr<Job>) override {
    is_done_ = true;
    return {};
  }
  [[nodiscard]] std::optional<Errc> error() const noexcept override { return std::nullopt; }
  Result<SessionKey> take_session_key() override { return fail(Errc::misuse); }

 private:
  struct Work final : Job {
    explicit Work(Busy& of) : busy(of) {}
    void run() override {
      const int now = ++busy.now;
      for (int most = busy.most; most < now && !busy.most.compare_exchange_weak(most, now);) continue;
      std::this_thread::sleep_for(5ms);
      --busy.now;
      ++busy.jobs;
    }
    Busy& busy;
  };
  Busy& busy_;
  bool is_done_ = false;
};

Awaitable<void> work_beside_others(Loop& loop, Busy& busy) {
  Pair pair(loop);
  Working machine(busy);
  EXPECT_TRUE(co_await drive(loop, machine, *pair.left, {}));
}

Awaitable<void> work_twelve_times(Loops& loops, Busy& busy) {
  EXPECT_TRUE(loops.start_workers(2));
  for (int i = 0; i < 12; ++i) loops.main().spawn(work_beside_others(loops.main(), busy));
  co_return;
}

// Whatever the number of peers, jobs run on the threads of one pool.
TEST(Drive, ManyJobsTakeTheThreadsThatThereAre) {
  Busy busy;
  Loops loops(1);
  loops.run(work_twelve_times(loops, busy));
  EXPECT_EQ(busy.jobs, 12);
  EXPECT_LE(busy.most, 2);
}

// --- Machines that need more than bytes: OPAQUE stretches on a thread, and looks a record up.

class Opaque {
 public:
  Opaque() {
    EXPECT_TRUE(ring_.add(opaque::StoredKeys::generate(kSuite, crypto::KsfProfile::small, 7, rng_).value()));
    EXPECT_TRUE(ring_.activate({.epoch = 7, .suite = kSuite, .ksf = crypto::KsfProfile::small}));
  }

  std::unique_ptr<opaque::RegistrationServerMachine> registration_server() {
    return opaque::registration_server_machine({.suite = kSuite, .credential_identifier = alice()},
                                               GuessPermit::uncounted_for_study(), crypto::KsfProfile::small, ring_);
  }
  std::unique_ptr<opaque::ClientMachine> registration_client() {
    return opaque::registration_client_machine(client("correct horse"), rng_);
  }
  std::unique_ptr<Machine> login_server() {
    return opaque::login_server_machine({.suite = kSuite, .credential_identifier = alice()},
                                        GuessPermit::uncounted_for_study(), ring_, rng_);
  }
  std::unique_ptr<opaque::ClientMachine> login_client(std::string_view password) {
    return opaque::login_client_machine(client(password), rng_);
  }

 private:
  static constexpr auto kSuite = opaque::SuiteId::ristretto255;
  static Buffer alice() { return to_buffer(as_bytes("alice")); }
  static opaque::ClientConfig client(std::string_view password) {
    return {.suite = kSuite,
            .password = SecretBuffer::copy_of(as_bytes(password)),
            .ksf = crypto::ksf_parameters(crypto::KsfProfile::small, 64)};
  }

  crypto::SystemRng rng_;
  opaque::KeyRing ring_{opaque::FakeKey()};
};

/// Both machines over a pair of sockets; the first one is asked for a record by nobody.
Awaitable<void> drive_both(Loop& loop, Machine& client, Machine& server, const ProvideRecord& provide) {
  Pair pair(loop);
  bool is_over = false;
  Signal over(loop);
  loop.spawn([](Loop& on, Machine& machine, std::unique_ptr<Stream> stream, ProvideRecord record, bool& ended,
                Signal& signal) -> Awaitable<void> {
    static_cast<void>(co_await drive(on, machine, *stream, {.step = 60s}, std::move(record)));
    stream.reset();  // neither side waits for one that has failed
    ended = true;
    signal.notify();
  }(loop, server, std::move(pair.right), provide, is_over, over));
  static_cast<void>(co_await drive(loop, client, *pair.left, {.step = 60s}));
  pair.left.reset();
  while (!is_over) static_cast<void>(co_await over.wait(patient()));
}

void drive_both(Machine& client, Machine& server, const ProvideRecord& provide = {}) {
  Loops loops(1);
  loops.run(drive_both(loops.main(), client, server, provide));
}

TEST(Drive, EnrolsAndLogsInWithOpaque) {
  Opaque opaque;
  const auto enrolling = opaque.registration_client();
  const auto registrar = opaque.registration_server();
  drive_both(*enrolling, *registrar);
  ASSERT_EQ(enrolling->want(), Want::done);
  ASSERT_EQ(registrar->want(), Want::done);
  const auto record = registrar->take_record().value().encode();

  const auto login = [&](std::string_view password, std::optional<Buffer> stored, bool is_there = true) {
    const auto client = opaque.login_client(password);
    const auto server = opaque.login_server();
    drive_both(*client, *server, [&](Machine& machine) -> Awaitable<Status> {
      if (!is_there) co_return fail(Errc::unavailable);
      co_return machine.provide_record(stored ? std::optional<Bytes>(*stored) : std::nullopt);
    });
    EXPECT_EQ(client->want() == Want::done, server->want() == Want::done);
    if (client->want() != Want::done) return false;
    return ct_equal(client->take_session_key()->reveal(), server->take_session_key()->reveal());
  };
  EXPECT_TRUE(login("correct horse", record));
  EXPECT_FALSE(login("wrong horse", record));
  EXPECT_FALSE(login("correct horse", std::nullopt)) << "an unknown name runs to its end";
  EXPECT_FALSE(login("correct horse", record, false)) << "a store that is not there ends the run";
}

Awaitable<void> drive_and_cancel(Loops& loops, Driven& driven) {
  Pair pair(loops.main());
  Script script({receive(1)});
  loops.cancel();  // by work that is posted: the drive waits by then
  driven.outcome = co_await drive(loops.main(), script, *pair.left, {});
}

TEST(Drive, IsCancelledWithTheLoops) {
  Loops loops(1);
  Driven driven;
  loops.run(drive_and_cancel(loops, driven));
  ASSERT_FALSE(driven.outcome);
  EXPECT_EQ(driven.outcome.error().error.kind, Error::Kind::cancelled);
}

}  // namespace
}  // namespace pake::net
