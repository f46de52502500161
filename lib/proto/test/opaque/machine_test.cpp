#include "pake/proto/opaque/machine.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "device.h"
#include "pake/proto/opaque/server.h"
#include "rig.h"

namespace pake::opaque {
namespace {

/// What a driver has besides the two machines.
struct World {
  std::optional<Buffer> stored = {};  // what the store finds
  std::size_t step = 1000;            // bytes that arrive at once
  Lie lie = {};                       // told in every message
};

/// Moves a message across, `step` bytes at a time.
void deliver(const World& world, Buffer message, Machine& to) {
  if (world.lie) world.lie(message);
  Buffer arrived;
  for (std::size_t at = 0; at < message.size() && to.want() == Want::receive; at += world.step) {
    const auto more = Bytes(message).subspan(at).first(std::min(world.step, message.size() - at));
    arrived.insert(arrived.end(), more.begin(), more.end());
    EXPECT_EQ(to.incoming().at_least, to.incoming().at_most);
    const auto consumed = to.receive(arrived, Arrived::more_may_come);
    if (consumed && *consumed != 0) {
      EXPECT_EQ(*consumed, message.size());
    }
  }
}

/// Does what `machine` wants, but for receiving. False when there is nothing to do.
bool serve(const World& world, Machine& machine, Machine& peer) {
  switch (machine.want()) {
    case Want::send:
      deliver(world, *machine.take_message(), peer);
      return true;
    case Want::decision:
      static_cast<void>(machine.provide_record(world.stored ? std::optional<Bytes>(*world.stored) : std::nullopt));
      return true;
    case Want::ksf:
    case Want::key_operation: {
      auto job = *machine.take_job();
      std::thread([&] { job->run(); }).join();
      static_cast<void>(machine.resume(std::move(job)));
      return true;
    }
    case Want::receive:
    case Want::done:
    case Want::failed:
      return false;
  }
  return false;
}

void drive(const World& world, Machine& a, Machine& b) {
  while (serve(world, a, b) || serve(world, b, a)) {
  }
}

class OpaqueMachines : public ::testing::Test {
 protected:
  OpaqueMachines() {
    EXPECT_TRUE(ring_.add(StoredKeys::generate(kSuite, crypto::KsfProfile::small, 7, rng_).value()));
    EXPECT_TRUE(ring_.activate(kParameters));
  }

  static constexpr auto kSuite = SuiteId::ristretto255;
  static constexpr RecordParameters kParameters{.epoch = 7, .suite = kSuite, .ksf = crypto::KsfProfile::small};

  [[nodiscard]] static ClientConfig client(std::string_view password = "correct horse") {
    return {.suite = kSuite,
            .password = secret(password),
            .ksf = crypto::IdentityWithoutAnyProtection{},
            .context = to_buffer(as_bytes("context")),
            .client_identity = to_buffer(as_bytes("alice"))};
  }
  [[nodiscard]] static ServerConfig server() {
    return {.suite = kSuite,
            .credential_identifier = to_buffer(as_bytes("1234")),
            .context = to_buffer(as_bytes("context")),
            .client_identity = to_buffer(as_bytes("alice"))};
  }

  struct Enrolled {
    Buffer stored;
    Buffer export_key;
  };
  Enrolled enroll(const KeyRing& ring, const World& world = {}) {
    const auto client_machine = registration_client_machine(client(), rng_);
    const auto server_machine =
        registration_server_machine(server(), GuessPermit::uncounted_for_study(), crypto::KsfProfile::small, ring);
    EXPECT_EQ(client_machine->want(), Want::send);
    EXPECT_EQ(server_machine->want(), Want::receive);
    drive(world, *client_machine, *server_machine);
    EXPECT_EQ(client_machine->want(), Want::done);
    EXPECT_EQ(server_machine->want(), Want::done);
    EXPECT_EQ(client_machine->take_session_key().error(), Errc::misuse);
    EXPECT_EQ(server_machine->take_session_key().error(), Errc::misuse);
    const auto record = server_machine->take_record().value();
    EXPECT_EQ(server_machine->take_record().error(), Errc::misuse);
    EXPECT_EQ(record.epoch, 7U);
    EXPECT_EQ(record.ksf, crypto::KsfProfile::small);
    return {record.encode(), to_buffer(client_machine->take_export_key()->reveal())};
  }

  testing::SeededRng rng_{13};
  KeyRing ring_{fake_key()};
};

void expect_key(Machine& machine, const Buffer& key) {
  EXPECT_EQ(machine.want(), Want::done);
  EXPECT_EQ(machine.error(), std::nullopt);
  EXPECT_EQ(to_buffer(machine.take_session_key()->reveal()), key);
  EXPECT_EQ(machine.take_session_key().error(), Errc::misuse);
}

TEST_F(OpaqueMachines, RegisterAndLogIn) {
  for (const std::size_t step : {1U, 7U, 1000U}) {
    const auto enrolled = enroll(ring_, {.step = step});
    const auto client_machine = login_client_machine(client(), rng_);
    GuessBudget budget(1);
    const auto server_machine = login_server_machine(server(), budget.take().value(), ring_, rng_);
    drive({.stored = enrolled.stored, .step = step}, *client_machine, *server_machine);
    const auto key = to_buffer(client_machine->take_session_key()->reveal());
    EXPECT_EQ(key.size(), 64U);
    expect_key(*server_machine, key);
    EXPECT_EQ(to_buffer(client_machine->take_export_key()->reveal()), enrolled.export_key);
    EXPECT_EQ(client_machine->take_export_key().error(), Errc::misuse);
    EXPECT_EQ(to_buffer(client_machine->server_public_key()), to_buffer(ring_.current(kSuite)->keys->public_key()));
    EXPECT_EQ(budget.available(), 1U);
  }
}

TEST_F(OpaqueMachines, AskADeviceForItsKeys) {
  auto keys = StoredKeys::generate(kSuite, crypto::KsfProfile::small, 7, rng_).value();
  const auto fake = StoredRecord{.suite = kSuite, .ksf = keys.ksf, .epoch = 7, .record = std::move(keys.fake)}.encode();
  const auto device = std::make_shared<Device>(std::move(keys.keys));
  KeyRing ring(fake_key());
  EXPECT_TRUE(ring.add({.epoch = 7, .keys = device, .fake = fake}));
  EXPECT_TRUE(ring.activate(kParameters));

  const auto enrolled = enroll(ring);
  EXPECT_EQ(device->asked, 1);
  const auto client_machine = login_client_machine(client(), rng_);
  const auto server_machine = login_server_machine(server(), GuessPermit::uncounted_for_study(), ring, rng_);
  drive({.stored = enrolled.stored}, *client_machine, *server_machine);
  EXPECT_EQ(device->asked, 2);
  expect_key(*server_machine, to_buffer(client_machine->take_session_key()->reveal()));

  device->unplugged = true;
  const auto unlucky = login_client_machine(client(), rng_);
  GuessBudget budget(1);
  const auto without_device = login_server_machine(server(), budget.take().value(), ring, rng_);
  drive({.stored = enrolled.stored}, *unlucky, *without_device);
  EXPECT_EQ(without_device->want(), Want::failed);
  EXPECT_EQ(without_device->error(), Errc::unavailable);
}

TEST_F(OpaqueMachines, EndAWrongPasswordAnUnknownNameAndABadStoreAlike) {
  const auto enrolled = enroll(ring_);
  const auto login = [&](std::string_view password, std::optional<Buffer> stored) {
    const auto client_machine = login_client_machine(client(password), rng_);
    const auto server_machine = login_server_machine(server(), GuessPermit::uncounted_for_study(), ring_, rng_);
    drive({.stored = std::move(stored)}, *client_machine, *server_machine);
    EXPECT_EQ(client_machine->take_session_key().error(), Errc::misuse);
    EXPECT_EQ(client_machine->take_export_key().error(), Errc::misuse);
    EXPECT_TRUE(client_machine->server_public_key().empty());
    return std::pair(client_machine->error(), server_machine->error());
  };
  const auto refused = std::pair(std::optional(Errc::auth_failed), std::optional<Errc>());  // the server waits for KE3
  EXPECT_EQ(login("wrong", enrolled.stored), refused);
  EXPECT_EQ(login("correct horse", std::nullopt), refused);
  EXPECT_EQ(login("correct horse", Buffer()), refused);
  auto other_epoch = enrolled.stored;
  other_epoch[11] ^= 1;
  EXPECT_EQ(login("correct horse", other_epoch), refused);
}

// The name's answer is of another suite than the run: whatever the store has, the run has to begin again in that one.
TEST_F(OpaqueMachines, DoNotAnswerInAnotherSuiteThanTheNames) {
  const auto enrolled = enroll(ring_);
  for (const auto& stored : {std::optional<Buffer>(), std::optional<Buffer>(enrolled.stored)}) {
    auto in_p256 = client();
    in_p256.suite = SuiteId::p256;
    auto of_p256 = server();
    of_p256.suite = SuiteId::p256;
    const auto client_machine = login_client_machine(std::move(in_p256), rng_);
    GuessBudget budget(1);
    const auto server_machine = login_server_machine(std::move(of_p256), budget.take().value(), ring_, rng_);
    drive({.stored = stored}, *client_machine, *server_machine);
    EXPECT_EQ(server_machine->error(), Errc::misuse);
    EXPECT_EQ(budget.available(), 1U);
  }
}

TEST_F(OpaqueMachines, EndAtTheFirstFlippedBit) {
  const auto enrolled = enroll(ring_);
  for (const std::size_t bit : {0U, 100U, 256U, 500U}) {
    const auto client_machine = login_client_machine(client(), rng_);
    const auto server_machine = login_server_machine(server(), GuessPermit::uncounted_for_study(), ring_, rng_);
    drive({.stored = enrolled.stored, .lie = [&](Buffer& message) { flip_bit(bit % (8 * message.size()))(message); }},
          *client_machine, *server_machine);
    EXPECT_NE(server_machine->want(), Want::done);
    EXPECT_NE(client_machine->want(), Want::done);
  }
}

TEST_F(OpaqueMachines, AnswerOnlyWhatTheyAskedFor) {
  const auto ends = [&](const std::function<Errc(Machine & client, Machine & server)>& attempt) {
    const auto client_machine = login_client_machine(client(), rng_);
    const auto server_machine = login_server_machine(server(), GuessPermit::uncounted_for_study(), ring_, rng_);
    EXPECT_EQ(attempt(*client_machine, *server_machine), Errc::misuse);
    EXPECT_EQ(client_machine->want() == Want::failed, server_machine->want() != Want::failed);
  };
  ends([](Machine& c, Machine&) { return c.receive(Buffer(320), Arrived::more_may_come).error(); });
  ends([](Machine& c, Machine&) { return c.take_job().error(); });
  ends([](Machine& c, Machine&) { return c.provide_record(std::nullopt).error(); });
  ends([](Machine&, Machine& s) { return s.take_message().error(); });
  ends([](Machine&, Machine& s) { return s.provide_record(std::nullopt).error(); });

  // A job that has not run, or somebody else's, ends the run.
  const auto stretching = [&] {
    auto machine = login_client_machine(client(), rng_);
    auto peer = login_server_machine(server(), GuessPermit::uncounted_for_study(), ring_, rng_);
    deliver({}, *machine->take_message(), *peer);
    EXPECT_TRUE(peer->provide_record(std::nullopt));
    deliver({}, *peer->take_message(), *machine);
    EXPECT_EQ(machine->want(), Want::ksf);
    return machine;
  };
  auto idle = stretching();
  EXPECT_EQ(idle->resume(*idle->take_job()).error(), Errc::misuse);
  EXPECT_EQ(idle->want(), Want::failed);
  auto one = stretching(), other = stretching();
  auto job = *one->take_job();
  job->run();
  EXPECT_EQ(other->resume(std::move(job)).error(), Errc::misuse);
  EXPECT_EQ(other->want(), Want::failed);
  EXPECT_EQ(stretching()->resume(nullptr).error(), Errc::misuse);
}

TEST_F(OpaqueMachines, HaveFailedFromTheStartWithAPasswordThatIsEmptyOrTooLong) {
  for (const auto& password : {std::string(), std::string(65536, 'x')}) {
    EXPECT_EQ(registration_client_machine(client(password), rng_)->error(), Errc::misuse);
    EXPECT_EQ(login_client_machine(client(password), rng_)->error(), Errc::misuse);
  }
}

TEST_F(OpaqueMachines, RegisterOnlyWhereThereAreKeys) {
  const KeyRing empty(fake_key());
  const auto client_machine = registration_client_machine(client(), rng_);
  const auto server_machine =
      registration_server_machine(server(), GuessPermit::uncounted_for_study(), crypto::KsfProfile::small, empty);
  drive({}, *client_machine, *server_machine);
  EXPECT_EQ(server_machine->error(), Errc::unavailable);
  EXPECT_EQ(server_machine->take_record().error(), Errc::misuse);
}

// Final is final: whatever is done out of turn while a job is out, the job finds nothing to go on with.
TEST_F(OpaqueMachines, AreNotRevivedByAJobAfterMisuse) {
  const auto enrolled = enroll(ring_);
  const std::function<Errc(Machine&)> tries[] = {
      [](Machine& machine) { return machine.resume(nullptr).error(); },
      [](Machine& machine) { return machine.take_job().error(); },
      [](Machine& machine) { return machine.take_message().error(); },
      [](Machine& machine) { return machine.receive({}, Arrived::more_may_come).error(); },
      [](Machine& machine) { return machine.provide_record(std::nullopt).error(); },
  };
  for (const auto& attempt : tries) {
    const auto client_machine = login_client_machine(client(), rng_);
    const auto server_machine = login_server_machine(server(), GuessPermit::uncounted_for_study(), ring_, rng_);
    const World world{.stored = enrolled.stored};
    while (client_machine->want() != Want::ksf)
      ASSERT_TRUE(serve(world, *client_machine, *server_machine) || serve(world, *server_machine, *client_machine));
    auto job = client_machine->take_job().value();
    EXPECT_EQ(attempt(*client_machine), Errc::misuse);
    EXPECT_EQ(client_machine->want(), Want::failed);
    job->run();
    EXPECT_EQ(client_machine->resume(std::move(job)), fail(Errc::misuse));
    EXPECT_EQ(client_machine->want(), Want::failed);
    EXPECT_EQ(client_machine->take_session_key().error(), Errc::misuse);
  }
}

TEST_F(OpaqueMachines, OfASuiteThatThereIsNotHaveFailedFromTheStart) {
  const auto no_suite = static_cast<SuiteId>(0);
  const auto misused = [](const Machine& machine) {
    EXPECT_EQ(machine.want(), Want::failed);
    EXPECT_EQ(machine.error(), Errc::misuse);
  };
  auto as_client = [&] {
    auto config = client();
    config.suite = no_suite;
    return config;
  };
  auto as_server = server();
  as_server.suite = no_suite;
  misused(*registration_client_machine(as_client(), rng_));
  misused(*login_client_machine(as_client(), rng_));
  misused(
      *registration_server_machine(as_server, GuessPermit::uncounted_for_study(), crypto::KsfProfile::small, ring_));
  misused(*login_server_machine(as_server, GuessPermit::uncounted_for_study(), ring_, rng_));
}

}  // namespace
}  // namespace pake::opaque
