#include "pake/proto/spake2/wormhole.h"

#include <gtest/gtest.h>

#include "pake/crypto/hash.h"
#include "pake/crypto/rng.h"

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
      if (!fit) EXPECT_EQ(pair.one.error(), Errc::malformed);
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
