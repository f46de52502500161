#include "pake/proto/srp/srp.h"

#include <gtest/gtest.h>

#include <algorithm>
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

constexpr std::array kModes = {Mode::rfc5054,     Mode::pysrp,        Mode::pysrp_rfc5054,         Mode::homekit,
                               Mode::no_username, Mode::fast_srp_hap, Mode::secure_remote_password};
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
  EXPECT_EQ(start(kParameters, as_bytes("I"), {}, rng).error(), Errc::misuse) << "an empty password";
  EXPECT_EQ(Verifier::make(kParameters, as_bytes("I"), {}, rng).error(), Errc::misuse) << "an empty password";
  EXPECT_EQ(start({.mode = static_cast<Mode>(0)}, as_bytes("I"), as_bytes("P"), rng).error(), Errc::misuse);
  EXPECT_EQ(start({.group = static_cast<Group>(9)}, as_bytes("I"), as_bytes("P"), rng).error(), Errc::misuse);
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

// --- Cognito: a claim is signed, and the server proves nothing

constexpr Parameters kCognito = {.mode = Mode::cognito, .group = Group::bits_3072, .hash = HashId::sha256};

struct CognitoLogin {
  std::string P = "password123", block_at_server = "block", time_at_server = "Sat Nov 28 10:00:00 UTC 2026";
  std::function<void(Buffer&)> on_signature = [](Buffer&) {};
  std::size_t guesses_left = 0;

  Result<ServerFinished> run(std::optional<Keys>* client_keys = nullptr) {
    crypto::SystemRng rng;
    GuessBudget budget(1);
    auto finished = [&]() -> Result<ServerFinished> {
      const auto I = as_bytes("poolalice");
      const auto verifier = Verifier::make(kCognito, I, as_bytes("password123"), rng).value();
      auto client = start(kCognito, I, as_bytes(P), rng).value();
      auto server = respond(verifier, I, std::move(*budget.take()), client.A, rng).value();
      auto proof =
          std::move(client.next)
              .prove(server.s, server.B,
                     {.SECRET_BLOCK = as_bytes("block"), .TIMESTAMP = as_bytes("Sat Nov 28 10:00:00 UTC 2026")})
              .value();
      on_signature(proof.M1);
      if (client_keys != nullptr)
        *client_keys = std::move(proof.next).finish_without_confirmation_peer_unproven().value();
      return std::move(server.next)
          .finish(proof.M1, {.SECRET_BLOCK = as_bytes(block_at_server), .TIMESTAMP = as_bytes(time_at_server)});
    }();
    guesses_left = budget.available();
    return finished;
  }
};

TEST(SrpCognito, TakesASignedClaimAndGivesTheGuessBack) {
  CognitoLogin login;
  std::optional<Keys> client;
  const auto server = login.run(&client);
  ASSERT_TRUE(server);
  EXPECT_TRUE(server->M2.empty());
  EXPECT_EQ(server->keys.K.size(), 16U);
  EXPECT_TRUE(ct_equal(client->K.reveal(), server->keys.K.reveal()));
  EXPECT_EQ(login.guesses_left, 1U);
}

TEST(SrpCognito, RefusesAnotherClaimPasswordOrSignature) {
  for (auto login : {CognitoLogin{.P = "password124"}, CognitoLogin{.block_at_server = "blocl"},
                     CognitoLogin{.time_at_server = "Sat Nov 28 10:00:01 UTC 2026"},
                     CognitoLogin{.on_signature = [](Buffer& M1) { M1[31] ^= 1U; }}}) {
    EXPECT_EQ(login.run().error(), Errc::auth_failed);
    EXPECT_EQ(login.guesses_left, 0U);
  }
  EXPECT_EQ(CognitoLogin{.on_signature = [](Buffer& M1) { M1.pop_back(); }}.run().error(), Errc::malformed);
}

TEST(SrpCognito, HasNoOtherProofsAndOthersHaveNoClaim) {
  crypto::SystemRng rng;
  for (const bool claims : {true, false}) {
    const auto parameters = claims ? kCognito : kParameters;
    const auto verifier = Verifier::make(parameters, as_bytes("I"), as_bytes("P"), rng).value();
    const auto client = [&] { return start(parameters, as_bytes("I"), as_bytes("P"), rng).value(); };
    auto server = respond(verifier, as_bytes("I"), GuessPermit::uncounted_for_study(), client().A, rng).value();
    auto prover = client().next;
    if (claims) {
      EXPECT_EQ(std::move(prover).prove(server.s, server.B).error(), Errc::misuse);
      EXPECT_EQ(std::move(server.next).finish(Buffer(32)).error(), Errc::misuse);
      auto proof = client().next.prove(server.s, server.B, Claim{}).value();
      EXPECT_EQ(std::move(proof.next).finish({}).error(), Errc::misuse) << "no M2";
      EXPECT_EQ(challenge(verifier, as_bytes("I"), GuessPermit::uncounted_for_study(), rng).error(), Errc::misuse);
    } else {
      EXPECT_EQ(std::move(prover).prove(server.s, server.B, Claim{}).error(), Errc::misuse);
      EXPECT_EQ(std::move(server.next).finish(Buffer(32), Claim{}).error(), Errc::misuse);
    }
  }
  EXPECT_EQ(client_machine(kCognito, {}, SecretBuffer::copy_of(as_bytes("P")), rng)->error(), Errc::misuse);
  EXPECT_EQ(
      server_machine(kCognito, SecretBuffer::copy_of(Buffer(32)), GuessPermit::uncounted_for_study(), rng)->error(),
      Errc::misuse);
}

// --- Proton: little-endian, moduli of its own

/// A safe prime of 2048 bits, 3 modulo 8: RFC 5054's.
Buffer proton_modulus() {
  auto N = to_buffer(modular(Group::bits_2048).modulus());
  std::ranges::reverse(N);
  return N;
}

TEST(SrpProton, RunsOverAModulusThatWasHandedIn) {
  const auto N = Modulus::decode(proton_modulus()).value();
  const Parameters own = {.mode = Mode::proton, .group = Group::proton, .hash = HashId::sha512, .modulus = &N};
  const Parameters listed = {.mode = Mode::proton, .group = Group::bits_2048, .hash = HashId::sha512};
  crypto::SystemRng rng;
  const Buffer s(kProtonSaltSize, std::uint8_t{9});
  const auto verifier = Verifier::make(own, as_bytes("alice"), as_bytes("$2y$10$..."), s).value();
  for (const bool knows : {true, false}) {
    GuessBudget budget(1);
    {
      const auto client = client_machine(listed, to_buffer(as_bytes("alice")),
                                         SecretBuffer::copy_of(as_bytes(knows ? "$2y$10$..." : "$2y$10$..,")), rng);
      const auto server = server_machine(own, SecretBuffer::copy_of(Buffer(32)), std::move(*budget.take()), rng);
      testing::drive(*client, *server, 1000, [&] { return to_buffer(verifier.encode().reveal()); });
      if (knows)
        testing::expect_agreement(*client, *server, 64);
      else
        EXPECT_EQ(server->error(), Errc::auth_failed);
    }
    EXPECT_EQ(budget.available(), knows ? 1U : 0U);
  }
}

TEST(SrpProton, StoresAVerifierWithoutItsModulus) {
  const auto N = Modulus::decode(proton_modulus()).value();
  const Parameters own = {.mode = Mode::proton, .group = Group::proton, .hash = HashId::sha512, .modulus = &N};
  const auto verifier = Verifier::make(own, {}, as_bytes("P"), Buffer(kProtonSaltSize)).value();
  const auto bytes = to_buffer(verifier.encode(3).reveal());
  EXPECT_EQ(Verifier::decode(bytes).error(), Errc::malformed);
  EXPECT_EQ(to_buffer(Verifier::decode(bytes, &N)->encode(3).reveal()), bytes);
  EXPECT_EQ(to_buffer(Verifier::import(own, verifier.s(), verifier.v())->encode(3).reveal()), bytes);
}

TEST(SrpProton, RefusesOneAndMinusOne) {
  constexpr Parameters listed = {.mode = Mode::proton, .group = Group::bits_2048, .hash = HashId::sha512};
  crypto::SystemRng rng;
  const auto verifier = Verifier::make(listed, {}, as_bytes("P"), Buffer(kProtonSaltSize)).value();
  const auto N = proton_modulus();
  auto minus_one = N;
  minus_one[0] = static_cast<std::uint8_t>(minus_one[0] - 1);  // it is odd
  Buffer one(256);
  one[0] = 1;
  auto short_one = N;
  short_one.pop_back();
  for (const auto& bad : {Buffer{}, Buffer(256), one, minus_one, N, Buffer(257), short_one, Buffer{2}}) {
    EXPECT_EQ(respond(verifier, {}, GuessPermit::uncounted_for_study(), bad, rng).error(), Errc::malformed);
    EXPECT_EQ(start(listed, {}, as_bytes("P"), rng).value().next.prove(Buffer(kProtonSaltSize), bad).error(),
              Errc::malformed);
  }
}

TEST(SrpProton, TakesNoOtherModulus) {
  const auto good = proton_modulus();
  const auto with = [&](std::size_t at, std::uint8_t bits) {
    auto bytes = good;
    bytes[at] ^= bits;
    return bytes;
  };
  EXPECT_FALSE(Modulus::decode(Bytes(good).first(255)));
  EXPECT_FALSE(Modulus::decode(with(0, 1))) << "even";
  EXPECT_FALSE(Modulus::decode(with(0, 4))) << "7 modulo 8: 2 would be a square";
  EXPECT_FALSE(Modulus::decode(with(255, 0x80))) << "2047 bits";
  EXPECT_FALSE(Modulus::decode(with(100, 2))) << "no safe prime";
  const auto N = Modulus::decode(good).value();
  for (const auto mode : {Mode::rfc5054, Mode::pysrp, Mode::cognito, Mode::secure_remote_password})
    EXPECT_FALSE(is_valid({.mode = mode, .group = Group::proton, .hash = HashId::sha256, .modulus = &N}));
  EXPECT_FALSE(is_valid({.mode = Mode::proton, .group = Group::proton, .hash = HashId::sha512}));
  EXPECT_FALSE(is_valid({.mode = Mode::proton, .group = Group::bits_2048, .hash = HashId::sha512, .modulus = &N}));
}

// As crypt(3) takes it: bcrypt's base64 of "proton" behind ten zero octets.
TEST(SrpProton, NamesTheSettingOfBcrypt) {
  EXPECT_EQ(as_text(proton_setting(Buffer(kProtonSaltSize)).value()), "$2y$10$.............F/wZ1PtZe");
  EXPECT_EQ(proton_setting(Buffer(16)).error(), Errc::misuse);
}

TEST(SrpDeployed, TakeTheirOwnGroupAndHashAlone) {
  EXPECT_FALSE(is_valid({.mode = Mode::cognito, .group = Group::bits_2048, .hash = HashId::sha256}));
  EXPECT_FALSE(is_valid({.mode = Mode::cognito, .group = Group::bits_3072, .hash = HashId::sha512}));
  EXPECT_FALSE(is_valid({.mode = Mode::proton, .group = Group::bits_2048, .hash = HashId::sha256}));
  EXPECT_FALSE(is_valid({.mode = Mode::secure_remote_password, .group = Group::bits_3072, .hash = HashId::sha256}));
  EXPECT_FALSE(is_valid({.mode = static_cast<Mode>(11)}));
}

}  // namespace
}  // namespace pake::srp
