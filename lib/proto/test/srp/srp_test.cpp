#include "pake/proto/srp/srp.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>

#include "../drive.h"
#include "pake/crypto/modular.h"
#include "pake/crypto/rng.h"
#include "pake/proto/srp/machine.h"
#include "pake/testing/fixed_rng.h"
#include "srp/key_schedule.h"

namespace pake::srp {
namespace {

using crypto::HashId;

constexpr std::array kModes = {Mode::rfc5054, Mode::pysrp, Mode::pysrp_rfc5054, Mode::homekit, Mode::no_username};
constexpr Parameters kParameters = {.mode = Mode::rfc5054, .group = Group::bits_2048, .hash = HashId::sha256};

struct Outcome {
  std::optional<Keys> client, server;
  Errc error = Errc::misuse;
  std::size_t guesses_left = 0;
};

/// A run in which one thing may be a lie.
struct Login {
  Parameters parameters = kParameters;
  std::string I = "alice", P = "password123";  // the client's
  std::function<void(Buffer&)> on_A = [](Buffer&) {};
  std::function<void(Buffer& s, Buffer& B)> on_challenge = [](Buffer&, Buffer&) {};
  std::function<void(Buffer&)> on_M1 = [](Buffer&) {};
  std::function<void(Buffer&)> on_M2 = [](Buffer&) {};

  [[nodiscard]] Outcome run() const {
    crypto::SystemRng rng;
    GuessBudget budget(1);
    Outcome outcome;
    const auto verifier = Verifier::make(parameters, as_bytes("alice"), as_bytes("password123"), rng).value();
    auto client = start(parameters, as_bytes(I), as_bytes(P), rng).value();
    on_A(client.A);
    outcome.error = [&] {
      auto server = respond(verifier, as_bytes("alice"), std::move(*budget.take()), client.A, rng);
      if (!server) return server.error();
      auto s = to_buffer(server->s);
      on_challenge(s, server->B);
      auto proof = std::move(client.next).prove(s, server->B);
      if (!proof) return proof.error();
      on_M1(proof->M1);
      auto finished = std::move(server->next).finish(proof->M1);
      if (!finished) return finished.error();
      outcome.server = std::move(finished->keys);
      on_M2(finished->M2);
      auto keys = std::move(proof->next).finish(finished->M2);
      if (!keys) return keys.error();
      outcome.client = std::move(*keys);
      return Errc::misuse;
    }();
    outcome.guesses_left = budget.available();
    return outcome;
  }
};

class Srp : public ::testing::TestWithParam<Mode> {
 protected:
  Parameters parameters_ = {.mode = GetParam(), .group = Group::bits_2048, .hash = HashId::sha256};
};
INSTANTIATE_TEST_SUITE_P(EveryMode, Srp, ::testing::ValuesIn(kModes));

TEST_P(Srp, GivesBothSidesOneKeyAndTheGuessBack) {
  const auto outcome = Login{.parameters = parameters_}.run();
  ASSERT_TRUE(outcome.client && outcome.server);
  EXPECT_TRUE(ct_equal(outcome.client->K.reveal(), outcome.server->K.reveal()));
  EXPECT_TRUE(ct_equal(outcome.client->premaster.reveal(), outcome.server->premaster.reveal()));
  EXPECT_EQ(outcome.guesses_left, 1U);
}

// The verifier may be gone once the server has answered.
TEST_P(Srp, TheSaltToSendOutlivesItsVerifier) {
  testing::SeededRng rng(1);
  auto client = start(parameters_, as_bytes("alice"), as_bytes("password123"), rng).value();
  auto server = [&] {
    const auto verifier = Verifier::make(parameters_, as_bytes("alice"), as_bytes("password123"), rng).value();
    return respond(verifier, as_bytes("alice"), GuessPermit::uncounted_for_study(), client.A, rng).value();
  }();
  auto proof = std::move(client.next).prove(server.s, server.B).value();
  EXPECT_TRUE(std::move(server.next).finish(proof.M1));
}

TEST_P(Srp, GivesAWrongPasswordNothingAndKeepsTheGuess) {
  const auto outcome = Login{.parameters = parameters_, .P = "password124"}.run();
  EXPECT_FALSE(outcome.client || outcome.server);
  EXPECT_EQ(outcome.error, Errc::auth_failed);
  EXPECT_EQ(outcome.guesses_left, 0U);
}

TEST_P(Srp, RefusesMultiplesOfN) {
  const auto N = to_buffer(modular(parameters_.group).modulus());
  Buffer twice(N.size() + 1);  // 2N
  unsigned carry = 0;
  for (std::size_t i = N.size(); i-- > 0;) {
    carry += 2U * N[i];
    twice[i + 1] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
  twice[0] = static_cast<std::uint8_t>(carry);
  auto above = N;
  above.back() = static_cast<std::uint8_t>(above.back() + 1);  // N + 1: this N ends in 73
  const Buffer zero = {0}, zeros(N.size());
  auto long_one = Buffer(N.size() + 1);
  long_one.back() = 1;
  for (const auto& bad : {Buffer{}, zero, zeros, N, twice, above, long_one}) {
    const auto at_server = Login{.parameters = parameters_, .on_A = [&](Buffer& A) { A = bad; }}.run();
    EXPECT_EQ(at_server.error, Errc::malformed) << "A of " << bad.size() << " octets";
    EXPECT_EQ(at_server.guesses_left, 1U) << "nothing left";
    const auto at_client = Login{.parameters = parameters_, .on_challenge = [&](Buffer&, Buffer& B) { B = bad; }}.run();
    EXPECT_EQ(at_client.error, Errc::malformed) << "B of " << bad.size() << " octets";
  }
}

TEST_P(Srp, AMayComeBehindB) {
  crypto::SystemRng rng;
  GuessBudget budget(1);
  const auto verifier = Verifier::make(parameters_, as_bytes("I"), as_bytes("P"), rng).value();
  auto server = challenge(verifier, as_bytes("I"), std::move(*budget.take()), rng).value();
  auto client = start(parameters_, as_bytes("I"), as_bytes("P"), rng).value();
  auto proof = std::move(client.next).prove(server.s, server.B).value();
  auto finished = std::move(server.next).finish(client.A, proof.M1);
  ASSERT_TRUE(finished);
  EXPECT_TRUE(std::move(proof.next).finish(finished->M2));
  EXPECT_EQ(budget.available(), 1U);
}

TEST_P(Srp, MachinesAgreeHoweverTheBytesArrive) {
  crypto::SystemRng rng;
  GuessBudget budget(1);
  const auto verifier = Verifier::make(parameters_, as_bytes("alice"), as_bytes("P"), rng).value();
  for (const auto step : {1U, 100U, 10000U}) {
    const auto client =
        client_machine(parameters_, to_buffer(as_bytes("alice")), SecretBuffer::copy_of(as_bytes("P")), rng);
    const auto server = server_machine(parameters_, SecretBuffer::copy_of(Buffer(32)), std::move(*budget.take()), rng);
    testing::drive(*client, *server, step, [&] {
      EXPECT_EQ(as_text(server->I()), "alice");
      return to_buffer(verifier.encode().reveal());
    });
    testing::expect_agreement(*client, *server, 32);
    EXPECT_EQ(budget.available(), 1U);
  }
}

TEST(SrpRun, AWrongPasswordAndAnUnknownNameLookAlikeAndCostAGuess) {
  crypto::SystemRng rng;
  const auto verifier = Verifier::make(kParameters, as_bytes("alice"), as_bytes("P"), rng).value();
  for (const bool known : {true, false}) {
    GuessBudget budget(1);
    {
      const auto client =
          client_machine(kParameters, to_buffer(as_bytes("alice")), SecretBuffer::copy_of(as_bytes("Q")), rng);
      const auto server =
          server_machine(kParameters, SecretBuffer::copy_of(Buffer(32)), std::move(*budget.take()), rng);
      testing::drive(*client, *server, 1000, [&]() -> std::optional<Buffer> {
        if (!known) return std::nullopt;
        return to_buffer(verifier.encode().reveal());
      });
      EXPECT_EQ(server->error(), Errc::auth_failed);
      EXPECT_EQ(client->want(), Want::receive) << "it was told nothing";
    }
    EXPECT_EQ(budget.available(), 0U);
  }
}

TEST(SrpRun, EveryByteOfTheProofsMatters) {
  for (std::size_t i = 0; i < 32; i += 5) {
    const auto outcome = Login{.on_M1 = [&](Buffer& M1) { M1[i] ^= 1U; }}.run();
    EXPECT_FALSE(outcome.server || outcome.client) << i;
    EXPECT_EQ(outcome.guesses_left, 0U);
    EXPECT_FALSE(Login{.on_M2 = [&](Buffer& M2) { M2[i] ^= 1U; }}.run().client) << i;
  }
  EXPECT_EQ(Login{.on_M1 = [](Buffer& M1) { M1.pop_back(); }}.run().error, Errc::malformed);
  EXPECT_EQ(Login{.on_M2 = [](Buffer& M2) { M2.push_back(0); }}.run().error, Errc::malformed);
  EXPECT_FALSE(Login{.on_A = [](Buffer& A) { A.back() ^= 1U; }}.run().server);
  EXPECT_FALSE(Login{.on_challenge = [](Buffer& s, Buffer&) { s[3] ^= 1U; }}.run().server) << "salt";
  EXPECT_FALSE(Login{.on_challenge = [](Buffer&, Buffer& B) { B.back() ^= 1U; }}.run().server);
  EXPECT_EQ(Login{.on_challenge = [](Buffer& s, Buffer&) { s.assign(256, 1); }}.run().error, Errc::malformed);
  EXPECT_FALSE(Login{.I = "alicf"}.run().server);
}

TEST(SrpRun, AStepIsTakenOnce) {
  crypto::SystemRng rng;
  const auto verifier = Verifier::make(kParameters, as_bytes("I"), as_bytes("P"), rng).value();
  auto client = start(kParameters, as_bytes("I"), as_bytes("P"), rng).value();
  auto server = respond(verifier, as_bytes("I"), GuessPermit::uncounted_for_study(), client.A, rng).value();
  auto proof = std::move(client.next).prove(server.s, server.B).value();
  // NOLINTBEGIN(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(std::move(client.next).prove(server.s, server.B).error(), Errc::misuse);
  EXPECT_EQ(std::move(server.next).finish(Buffer(32)).error(), Errc::auth_failed);
  EXPECT_EQ(std::move(server.next).finish(proof.M1).error(), Errc::misuse) << "a failed step is the last one";
  EXPECT_EQ(std::move(proof.next).finish(Buffer(32)).error(), Errc::auth_failed);
  EXPECT_EQ(std::move(proof.next).finish_without_confirmation_peer_unproven().error(), Errc::misuse);
  // NOLINTEND(bugprone-use-after-move)
}

TEST(SrpRun, RefusesWhatACallerGotWrong) {
  crypto::SystemRng rng;
  EXPECT_EQ(start(kParameters, as_bytes("a:b"), as_bytes("P"), rng).error(), Errc::misuse) << "a colon";
  EXPECT_EQ(start(kParameters, Buffer(256), as_bytes("P"), rng).error(), Errc::misuse);
  EXPECT_EQ(start({.mode = static_cast<Mode>(0)}, as_bytes("I"), as_bytes("P"), rng).error(), Errc::misuse);
  EXPECT_EQ(start({.group = static_cast<Group>(8)}, as_bytes("I"), as_bytes("P"), rng).error(), Errc::misuse);
  EXPECT_EQ(start({.mode = Mode::rfc2945_insecure, .hash = HashId::sha256}, as_bytes("I"), as_bytes("P"), rng).error(),
            Errc::misuse);
  testing::StuckRng stuck(0);
  EXPECT_EQ(start(kParameters, as_bytes("I"), as_bytes("P"), stuck).error(), Errc::unavailable);
  const Parameters srp3 = {.mode = Mode::rfc2945_insecure, .group = Group::bits_2048, .hash = HashId::sha1};
  const auto verifier = Verifier::make(srp3, as_bytes("I"), as_bytes("P"), rng).value();
  EXPECT_EQ(challenge(verifier, as_bytes("I"), GuessPermit::uncounted_for_study(), rng).error(), Errc::misuse);
}

TEST(SrpStored, ReadsWhatItWrites) {
  crypto::SystemRng rng;
  const auto verifier = Verifier::make(kParameters, as_bytes("I"), as_bytes("P"), rng).value();
  EXPECT_NE(verifier.s()[0], 0) << "old peers take a salt for a number";
  const auto bytes = to_buffer(verifier.encode(7).reveal());
  const auto read = Verifier::decode(bytes).value();
  EXPECT_EQ(to_buffer(read.encode(7).reveal()), bytes);
  for (std::size_t i = 0; i < 15; ++i) {
    if (i >= 8 && i < 12) continue;  // the epoch
    auto changed = bytes;
    changed[i] ^= 0x40U;
    EXPECT_FALSE(Verifier::decode(changed)) << i;
  }
  for (std::size_t size = 0; size < bytes.size(); size += 7) EXPECT_FALSE(Verifier::decode(Bytes(bytes).first(size)));
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(Verifier::decode(longer));
  EXPECT_EQ(Verifier::import(kParameters, {}, Buffer(256)).error(), Errc::malformed) << "v = 0";
  EXPECT_EQ(Verifier::import(kParameters, {}, modular(kParameters.group).modulus()).error(), Errc::malformed);
}

TEST(SrpStored, AFakeSaltIsAlwaysTheSameForItsName) {
  const Buffer secret(32, std::uint8_t{1}), other(32, std::uint8_t{2});
  const auto fake = [](Bytes of, std::string_view I) {
    return to_buffer(Verifier::fake(kParameters, of, as_bytes(I))->encode().reveal());
  };
  EXPECT_EQ(fake(secret, "alice"), fake(secret, "alice"));
  EXPECT_NE(fake(secret, "alice"), fake(secret, "bob"));
  EXPECT_NE(fake(secret, "alice"), fake(other, "alice"));
  EXPECT_EQ(Verifier::fake(kParameters, Bytes(secret).first(31), {}).error(), Errc::misuse);
}

}  // namespace
}  // namespace pake::srp
