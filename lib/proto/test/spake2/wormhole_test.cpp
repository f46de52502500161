#include "pake/proto/spake2/wormhole.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "../drive.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/rng.h"
#include "pake/proto/spake2/machine.h"

namespace pake::spake2::wormhole {
namespace {

struct Pair {
  Result<UnprovenKey> one, two;
};

Pair run(Side a, Side b, std::string_view password_b = "code", const Identities& ids_b = {}) {
  crypto::SystemRng rng;
  auto one = start(a, as_bytes("code"), {}, GuessPermit::uncounted_for_study(), rng).value();
  auto two = start(b, as_bytes(password_b), ids_b, GuessPermit::uncounted_for_study(), rng).value();
  return {.one = std::move(one.next).finish_without_confirmation_peer_unproven(two.message),
          .two = std::move(two.next).finish_without_confirmation_peer_unproven(one.message)};
}

bool agree(const Pair& pair) {
  return pair.one && pair.two && ct_equal(pair.one->key.reveal(), pair.two->key.reveal());
}

TEST(Wormhole, TheSidesAgree) {
  EXPECT_TRUE(agree(run(Side::A, Side::B)));
  EXPECT_TRUE(agree(run(Side::B, Side::A)));
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(agree(run(Side::symmetric, Side::symmetric))) << "either order of messages";
}

TEST(Wormhole, AnyDifferenceIsAnotherKey) {
  const auto differ = [](const Pair& pair) { return pair.one && pair.two && !agree(pair); };
  EXPECT_TRUE(differ(run(Side::symmetric, Side::symmetric, "Code")));
  EXPECT_TRUE(differ(run(Side::symmetric, Side::symmetric, "code", {.symmetric = as_bytes("app")})));
  EXPECT_TRUE(differ(run(Side::A, Side::B, "code", {.A = as_bytes("a")})));
  EXPECT_TRUE(differ(run(Side::A, Side::B, "code", {.B = as_bytes("b")})));
  EXPECT_TRUE(agree(run(Side::A, Side::B, "code", {.symmetric = as_bytes("not used")})));
}

wormhole::Config config(Side side, std::string_view password) {
  return {.side = side, .password = SecretBuffer::copy_of(as_bytes(password)), .identities = {}};
}

/// A piece at a time, until the message is whole.
void hear(Machine& machine, Bytes message, std::size_t step) {
  for (auto size = std::min(step, message.size());; size = std::min(size + step, message.size())) {
    const auto consumed = machine.receive(message.first(size), Arrived::more_may_come);
    ASSERT_TRUE(consumed);
    if (*consumed == message.size()) return;
    ASSERT_EQ(*consumed, 0U);
    ASSERT_LT(size, message.size());
  }
}

TEST(WormholeMachines, AgreeHoweverTheBytesArrive) {
  crypto::SystemRng rng;
  GuessBudget budget(2);
  for (const auto& [one, two] :
       {std::pair(Side::A, Side::B), std::pair(Side::B, Side::A), std::pair(Side::symmetric, Side::symmetric)})
    for (const auto step : {1U, 20U, 1000U}) {
      const auto a = side_machine(config(one, "code"), *budget.take(), rng);
      const auto b = side_machine(config(two, "code"), *budget.take(), rng);
      EXPECT_EQ(a->unproven_key().error(), Errc::misuse) << "there is none yet";
      const auto from_a = *a->take_message(), from_b = *b->take_message();
      hear(*a, from_b, step);
      hear(*b, from_a, step);
      ASSERT_EQ(a->want(), Want::decision);
      ASSERT_EQ(b->want(), Want::decision);
      EXPECT_TRUE(ct_equal(a->unproven_key()->reveal(), b->unproven_key()->reveal()));
      EXPECT_TRUE(a->confirm());
      EXPECT_TRUE(b->confirm());
      EXPECT_EQ(a->unproven_key().error(), Errc::misuse) << "it is proven now";
      testing::expect_agreement(*a, *b, 32);
      EXPECT_EQ(budget.available(), 2U);
    }
}

// With a wrong code both have a key, each its own; who finds that nothing decrypts has lost the guess.
TEST(WormholeMachines, AreNotDoneBeforeSomethingHasDecrypted) {
  crypto::SystemRng rng;
  GuessBudget budget(4);
  const auto wanting = [&](std::string_view code) {
    auto machine = side_machine(config(Side::symmetric, code), *budget.take(), rng);
    auto peer = start(Side::symmetric, as_bytes("code"), {}, GuessPermit::uncounted_for_study(), rng).value();
    static_cast<void>(machine->take_message());
    EXPECT_TRUE(machine->receive(peer.message, Arrived::more_may_come));
    EXPECT_EQ(machine->want(), Want::decision);
    EXPECT_EQ(machine->take_session_key().error(), Errc::misuse);
    return machine;
  };
  const auto refused = side_machine(config(Side::A, "code"), *budget.take(), rng);
  EXPECT_EQ(refused->confirm().error(), Errc::misuse) << "nothing to decide yet";
  EXPECT_EQ(budget.available(), 4U);
  {
    const auto machine = side_machine(config(Side::symmetric, "coda"), *budget.take(), rng);
    auto peer = start(Side::symmetric, as_bytes("code"), {}, GuessPermit::uncounted_for_study(), rng).value();
    const auto own = *machine->take_message();
    EXPECT_TRUE(machine->receive(peer.message, Arrived::more_may_come));
    const auto theirs = std::move(peer.next).finish_without_confirmation_peer_unproven(own);
    EXPECT_FALSE(ct_equal(machine->unproven_key()->reveal(), theirs->key.reveal()));
    EXPECT_EQ(machine->refuse().error(), Errc::auth_failed);
    EXPECT_EQ(machine->error(), Errc::auth_failed);
    EXPECT_EQ(machine->unproven_key().error(), Errc::misuse);
  }
  EXPECT_EQ(budget.available(), 3U);
  EXPECT_EQ(wanting("code")->provide_record(std::nullopt).error(), Errc::misuse);
  EXPECT_EQ(budget.available(), 2U);
  wanting("code").reset();  // left as it is
  EXPECT_EQ(budget.available(), 1U);

  const auto machine = side_machine(config(Side::A, "code"), *budget.take(), rng);
  const auto own = *machine->take_message();
  EXPECT_EQ(machine->receive(own, Arrived::more_may_come).error(), Errc::malformed) << "its own message";
  EXPECT_EQ(budget.available(), 1U);
  EXPECT_EQ(side_machine(config(Side::A, ""), *budget.take(), rng)->error(), Errc::misuse);
}

TEST(Wormhole, RefusesAnEmptyPassword) {
  crypto::SystemRng rng;
  for (const auto side : {Side::A, Side::B, Side::symmetric})
    EXPECT_EQ(start(side, {}, {}, GuessPermit::uncounted_for_study(), rng).error(), Errc::misuse);
}

// Identities are filled in one statement, from what ends with it, and used in the next.
TEST(Wormhole, IdentitiesOutliveWhatTheyWereMadeOf) {
  const auto text = [](char what) { return Buffer(100, static_cast<std::uint8_t>(what)); };
  const auto identities = [&] { return Identities{.A = text('a'), .B = text('b'), .symmetric = text('s')}; };
  const auto one = identities(), other = identities();
  crypto::SystemRng rng;
  for (const auto& [left, right] : {std::pair(Side::A, Side::B), std::pair(Side::symmetric, Side::symmetric)}) {
    auto a = start(left, as_bytes("code"), one, GuessPermit::uncounted_for_study(), rng).value();
    auto b = start(right, as_bytes("code"), other, GuessPermit::uncounted_for_study(), rng).value();
    EXPECT_TRUE(agree({.one = std::move(a.next).finish_without_confirmation_peer_unproven(b.message),
                       .two = std::move(b.next).finish_without_confirmation_peer_unproven(a.message)}));
  }
}

TEST(Wormhole, TheSideThatSpeaksIsTheOther) {
  for (const auto a : {Side::A, Side::B, Side::symmetric})
    for (const auto b : {Side::A, Side::B, Side::symmetric}) {
      const bool fit = (a == Side::symmetric) == (b == Side::symmetric) && (a != b || a == Side::symmetric);
      const auto pair = run(a, b);
      EXPECT_EQ(pair.one.has_value(), fit);
      if (!fit) {
        EXPECT_EQ(pair.one.error(), Errc::malformed);
      }
    }
}

TEST(Wormhole, RefusesItsOwnMessageWhateverItsSideOctet) {
  crypto::SystemRng rng;
  for (const auto side : {Side::A, Side::symmetric}) {
    auto own = start(side, as_bytes("p"), {}, GuessPermit::uncounted_for_study(), rng).value();
    auto message = own.message;
    message[0] = static_cast<std::uint8_t>(side == Side::A ? Side::B : side);
    EXPECT_EQ(std::move(own.next).finish_without_confirmation_peer_unproven(message).error(), Errc::malformed);
    // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(std::move(own.next).finish_without_confirmation_peer_unproven(message).error(), Errc::misuse);
  }
}

TEST(Wormhole, AGuessIsSpentWhenTheKeyIsMade) {
  crypto::SystemRng rng;
  GuessBudget budget(1);
  auto one = start(Side::symmetric, as_bytes("p"), {}, std::move(*budget.take()), rng).value();
  auto two = start(Side::symmetric, as_bytes("p"), {}, GuessPermit::uncounted_for_study(), rng).value();
  {
    auto key = std::move(one.next).finish_without_confirmation_peer_unproven(two.message).value();
    key.permit.refund();
  }
  EXPECT_EQ(budget.available(), 1U);
  auto three = start(Side::symmetric, as_bytes("p"), {}, std::move(*budget.take()), rng).value();
  EXPECT_TRUE(std::move(three.next).finish_without_confirmation_peer_unproven(two.message));
  EXPECT_EQ(budget.available(), 0U);
}

}  // namespace
}  // namespace pake::spake2::wormhole
