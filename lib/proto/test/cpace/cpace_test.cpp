#include "pake/proto/cpace/cpace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "pake/crypto/rng.h"
#include "pake/proto/cpace/strings.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/flips.h"
#include "pake/testing/hex.h"
#include "support.h"

namespace pake::cpace {
namespace {

using testing::hex;

using testing::StuckRng;

struct Party {
  std::string PRS = "correct horse";
  std::string CI = "pake test";
  std::string sid = "session 1";
  std::string AD = {};
  Suite suite = Suite::ristretto255_sha512;

  [[nodiscard]] Inputs inputs() const {
    return {.suite = suite, .PRS = as_bytes(PRS), .CI = as_bytes(CI), .sid = as_bytes(sid)};
  }
};

/// What a side ends with: the key of 32 bytes in hex, or the error at its last step; nothing if it never came so
/// far.
struct End {
  std::optional<std::string> key;
  std::optional<Errc> error;
  std::string received_AD;
  std::string sid_output;

  void take(const Result<SharedKey>& shared) {
    if (!shared) {
      error = shared.error();
      return;
    }
    const auto bytes = shared->session_key("test", 32);
    key = hex(bytes->reveal());
    received_AD = as_text(shared->received_AD());
    sid_output = hex(shared->sid_output());
  }
};

struct Ends {
  End a, b;
  std::size_t guesses_left = 0;  // of the one that each permit's budget had

  [[nodiscard]] bool agree() const { return a.key && b.key && *a.key == *b.key && a.sid_output == b.sid_output; }
  [[nodiscard]] bool keyless() const { return !a.key && !b.key; }
};

/// May change a message on its way: 0 is the first one.
using Tamper = std::function<void(int message, Buffer& bytes)>;

void no_tampering(int, Buffer&) {}

/// One initiator-responder run; messages: 0 is (Ya, ADa), 1 is (Yb, ADb), 2 is Tb, 3 is Ta.
struct Exchange {
  Party a = {.AD = "ADa"}, b = {.AD = "ADb"};
  Tamper tamper = no_tampering;

  explicit Exchange(Suite suite) { a.suite = b.suite = suite; }

  [[nodiscard]] Ends run() const {
    Ends ends;
    GuessBudget budget(1);
    run(ends, budget);
    ends.guesses_left = budget.available();
    return ends;
  }

 private:
  void run(Ends& ends, GuessBudget& budget) const {
    crypto::SystemRng rng;
    auto initiation = initiate(a.inputs(), as_bytes(a.AD), rng);
    ASSERT_TRUE(initiation);
    auto message = encode({.Y = initiation->Ya, .AD = as_bytes(a.AD)});
    tamper(0, message);

    const auto at_b = decode(b.suite, message);
    if (!at_b) {
      ends.b.error = at_b.error();
      return;
    }
    auto response = respond(b.inputs(), std::move(*budget.take()), *at_b, as_bytes(b.AD), rng);
    if (!response) {
      ends.b.error = response.error();
      return;
    }
    EXPECT_EQ(budget.available(), 0U) << "the tag is out";
    auto answer = encode({.Y = response->Yb, .AD = as_bytes(b.AD)});
    tamper(1, answer);
    tamper(2, response->Tb);

    const auto at_a = decode(a.suite, answer);
    if (!at_a) {
      ends.a.error = at_a.error();
      return;
    }
    auto finished = std::move(initiation->next).finish(*at_a, response->Tb);
    if (!finished) {
      ends.a.error = finished.error();
      return;
    }
    ends.a.take(std::move(finished->key));
    tamper(3, finished->Ta);
    ends.b.take(std::move(response->next).finish(finished->Ta));
  }
};

/// One symmetric run; messages: 0 and 1 are the shares of a and b, 2 and 3 their tags.
struct SymmetricExchange {
  Party a = {.AD = "one side"}, b = {.AD = "the other side"};
  Tamper tamper = no_tampering;

  explicit SymmetricExchange(Suite suite) { a.suite = b.suite = suite; }

  [[nodiscard]] Ends run() const {
    Ends ends;
    GuessBudget budget(2);
    run(ends, budget);
    ends.guesses_left = budget.available();
    return ends;
  }

 private:
  void run(Ends& ends, GuessBudget& budget) const {
    crypto::SystemRng rng;
    auto start_a = start_symmetric(a.inputs(), std::move(*budget.take()), as_bytes(a.AD), rng);
    auto start_b = start_symmetric(b.inputs(), std::move(*budget.take()), as_bytes(b.AD), rng);
    ASSERT_TRUE(start_a && start_b);
    auto from_a = encode({.Y = start_a->Y, .AD = as_bytes(a.AD)});
    auto from_b = encode({.Y = start_b->Y, .AD = as_bytes(b.AD)});
    tamper(0, from_a);
    tamper(1, from_b);

    auto confirmed_a = confirm(*std::move(start_a), a.suite, from_b);
    auto confirmed_b = confirm(*std::move(start_b), b.suite, from_a);
    if (!confirmed_a) ends.a.error = confirmed_a.error();
    if (!confirmed_b) ends.b.error = confirmed_b.error();
    if (confirmed_a) tamper(2, confirmed_a->tag);
    if (confirmed_b) tamper(3, confirmed_b->tag);
    if (!confirmed_a || !confirmed_b) return;
    ends.a.take(std::move(confirmed_a->next).finish(confirmed_b->tag));
    ends.b.take(std::move(confirmed_b->next).finish(confirmed_a->tag));
  }
  static Result<AwaitingShare::Confirmation> confirm(SymmetricStart start, Suite suite, const Buffer& message) {
    const auto peer = decode(suite, message);
    if (!peer) return fail(peer.error());
    return std::move(start.next).confirm(*peer);
  }
};

Tamper flip(int which, std::size_t bit) {
  return [=](int message, Buffer& bytes) {
    if (message == which) bytes.at(bit / 8) ^= static_cast<std::uint8_t>(1U << (bit % 8));
  };
}
Tamper resize(int which, int by) {
  return [=](int message, Buffer& bytes) {
    if (message == which) bytes.resize(static_cast<std::size_t>(static_cast<int>(bytes.size()) + by));
  };
}

/// Bytes of every message of a run.
template <class Run>
std::array<std::size_t, 4> sizes(Run run) {
  std::array<std::size_t, 4> sizes{};
  run.tamper = [&](int message, Buffer& bytes) { sizes.at(static_cast<std::size_t>(message)) = bytes.size(); };
  EXPECT_TRUE(run.run().agree());
  return sizes;
}

class CPace : public ::testing::TestWithParam<Suite> {};
INSTANTIATE_TEST_SUITE_P(EverySuite, CPace, ::testing::ValuesIn(kSuites), ::testing::PrintToStringParamName());

// Inputs are filled in one statement, from what ends with it, and used in the next.
TEST_P(CPace, InputsOutliveWhatTheyWereMadeOf) {
  testing::SeededRng rng(1);
  const auto long_text = [](std::string_view what) { return std::string(what) + std::string(100, '.'); };
  const auto inputs = [&] {
    Inputs made{.suite = GetParam(),
                .PRS = SecretBuffer::copy_of(as_bytes(long_text("correct horse"))).reveal(),
                .CI = lv_cat({as_bytes(long_text("a")), as_bytes(long_text("b"))}),
                .sid = as_bytes(long_text("session"))};
    return made;
  };
  const auto one = inputs(), other = inputs();
  auto a = initiate(one, {}, rng).value();
  const Share from_a{.Y = Buffer(a.Ya), .AD = lv_cat({as_bytes("no AD")})};
  EXPECT_EQ(hex(from_a.AD), hex(lv_cat({as_bytes("no AD")})));
  auto b = respond(other, GuessPermit::uncounted_for_study(), {.Y = from_a.Y}, {}, rng).value();
  const Share from_b{.Y = Buffer(b.Yb)};
  const auto finished = std::move(a.next).finish(from_b, b.Tb).value();
  EXPECT_TRUE(std::move(b.next).finish(finished.Ta));
}

TEST_P(CPace, TwoSidesWithOnePasswordAgree) {
  const auto ends = Exchange(GetParam()).run();
  EXPECT_TRUE(ends.agree());
  EXPECT_EQ(ends.a.received_AD, "ADb");
  EXPECT_EQ(ends.b.received_AD, "ADa");
  EXPECT_EQ(ends.a.sid_output.size(), 2 * tag_size(GetParam()));
  EXPECT_EQ(ends.guesses_left, 1U);
}

TEST_P(CPace, TwoEqualsWithOnePasswordAgree) {
  const auto ends = SymmetricExchange(GetParam()).run();
  EXPECT_TRUE(ends.agree());
  EXPECT_EQ(ends.a.received_AD, "the other side");
  EXPECT_EQ(ends.b.received_AD, "one side");
  EXPECT_EQ(ends.guesses_left, 2U);
}

TEST_P(CPace, EmptyInputsBesideThePasswordAreInputs) {
  Exchange exchange(GetParam());
  exchange.a = exchange.b = {.PRS = "x", .CI = "", .sid = "", .AD = "", .suite = GetParam()};
  EXPECT_TRUE(exchange.run().agree());
}

TEST_P(CPace, LongInputsAreInputs) {
  Exchange exchange(GetParam());
  const std::string AD(kMaxADSize, 'd');
  exchange.a =
      exchange.b = {.PRS = std::string(1000, 'p'), .CI = std::string(20000, 'c'), .AD = AD, .suite = GetParam()};
  EXPECT_TRUE(exchange.run().agree());
}

template <class Run>
void expect_any_difference_to_leave_no_key(Suite suite) {
  for (const auto member : {&Party::PRS, &Party::CI, &Party::sid}) {
    Run run(suite);
    run.b.*member += "!";
    const auto ends = run.run();
    EXPECT_TRUE(ends.keyless());
    EXPECT_EQ(ends.a.error, Errc::auth_failed);
    EXPECT_EQ(ends.guesses_left, 0U);
  }
}

TEST_P(CPace, AnyDifferenceLeavesNoKey) { expect_any_difference_to_leave_no_key<Exchange>(GetParam()); }
TEST_P(CPace, AnyDifferenceBetweenEqualsLeavesNoKey) {
  expect_any_difference_to_leave_no_key<SymmetricExchange>(GetParam());
}

TEST_P(CPace, WhatIsMovedBetweenFieldsMakesADifference) {
  Exchange exchange(GetParam());
  exchange.b.CI = exchange.a.CI + exchange.a.sid.substr(0, 1);
  exchange.b.sid = exchange.a.sid.substr(1);
  EXPECT_TRUE(exchange.run().keyless());
}

TEST_P(CPace, EveryBitOfEveryMessageMatters) {
  const auto size = sizes(Exchange(GetParam()));
  for (int message = 0; message < 4; ++message) {
    for (const auto bit : testing::bits_to_flip(size.at(static_cast<std::size_t>(message)))) {
      Exchange exchange(GetParam());
      exchange.tamper = flip(message, bit);
      const auto ends = exchange.run();
      ASSERT_FALSE(ends.b.key) << "message " << message << " bit " << bit;
      ASSERT_EQ(ends.a.key.has_value(), message == 3) << "message " << message << " bit " << bit;
    }
  }
}

TEST_P(CPace, EveryBitBetweenEqualsMatters) {
  const auto size = sizes(SymmetricExchange(GetParam()));
  for (int message = 0; message < 4; ++message) {
    for (const auto bit : testing::bits_to_flip(size.at(static_cast<std::size_t>(message)))) {
      SymmetricExchange exchange(GetParam());
      exchange.tamper = flip(message, bit);
      const auto ends = exchange.run();
      // A changed share leaves none a key; a changed tag leaves its reader none.
      ASSERT_EQ(ends.a.key.has_value(), message == 2) << "message " << message << " bit " << bit;
      ASSERT_EQ(ends.b.key.has_value(), message == 3) << "message " << message << " bit " << bit;
    }
  }
}

TEST_P(CPace, TruncatedAndExtendedMessagesAreNone) {
  const auto size = sizes(Exchange(GetParam()));
  for (int message = 0; message < 4; ++message) {
    const auto whole = static_cast<int>(size.at(static_cast<std::size_t>(message)));
    for (int by = -whole; by <= 2; ++by) {
      if (by == 0) continue;
      Exchange exchange(GetParam());
      exchange.tamper = resize(message, by);
      const auto ends = exchange.run();
      EXPECT_FALSE(ends.b.key) << "message " << message << " by " << by;
      EXPECT_EQ(ends.a.key.has_value(), message == 3);
      EXPECT_EQ(message == 0 || message == 3 ? ends.b.error : ends.a.error, Errc::malformed);
      EXPECT_EQ(ends.guesses_left, message == 0 ? 1U : 0U) << "a guess is spent when the tag leaves";
    }
  }
}

TEST_P(CPace, TheModesDoNotMix) {
  crypto::SystemRng rng;
  const Party a = {.suite = GetParam()};
  auto A = initiate(a.inputs(), as_bytes("a"), rng);
  auto B = start_symmetric(a.inputs(), GuessPermit::uncounted_for_study(), as_bytes("b"), rng);
  ASSERT_TRUE(A && B);
  auto confirmation = std::move(B->next).confirm({.Y = A->Ya, .AD = as_bytes("a")});
  ASSERT_TRUE(confirmation);
  const auto finished = std::move(A->next).finish({.Y = B->Y, .AD = as_bytes("b")}, confirmation->tag);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error(), Errc::auth_failed);
}

TEST_P(CPace, OurOwnShareIsRefused) {
  crypto::SystemRng rng;
  const Party a = {.AD = "ADa", .suite = GetParam()};
  auto A = initiate(a.inputs(), as_bytes(a.AD), rng);
  ASSERT_TRUE(A);
  const auto reflected = std::move(A->next).finish({.Y = A->Ya, .AD = as_bytes("ADb")}, Buffer(tag_size(GetParam())));
  EXPECT_EQ(reflected.error(), Errc::malformed);

  auto S = start_symmetric(a.inputs(), GuessPermit::uncounted_for_study(), as_bytes(a.AD), rng);
  ASSERT_TRUE(S);
  const auto looped = std::move(S->next).confirm({.Y = S->Y, .AD = as_bytes(a.AD)});
  EXPECT_EQ(looped.error(), Errc::malformed);

  // B draws the very scalar that A drew.
  Buffer scalar(66, 0x01);
  scalar.resize(GetParam() == Suite::p521_sha512 ? 66 : GetParam() == Suite::p384_sha384 ? 48 : 32);
  testing::FixedRng first(scalar);
  testing::FixedRng second(scalar);
  auto twin = initiate(a.inputs(), {}, first);
  ASSERT_TRUE(twin);
  GuessBudget budget(1);
  const auto refused = respond(a.inputs(), std::move(*budget.take()), {.Y = twin->Ya, .AD = {}}, {}, second);
  EXPECT_EQ(refused.error(), Errc::malformed);
  EXPECT_EQ(budget.available(), 1U);
}

TEST_P(CPace, ASharesSizeIsChecked) {
  crypto::SystemRng rng;
  const Party b = {.suite = GetParam()};
  for (std::size_t size = 0; size < 140; ++size) {
    if (size == parameters(GetParam()).share_size) continue;
    const auto refused =
        respond(b.inputs(), GuessPermit::uncounted_for_study(), {.Y = Buffer(size, 4), .AD = {}}, {}, rng);
    EXPECT_EQ(refused.error(), Errc::malformed) << size;
  }
}

/// Counts what is asked of it: who has drawn nothing has multiplied nothing.
class CountingRng final : public Rng {
 public:
  void fill(MutableBytes out) override {
    ++calls;
    rng_.fill(out);
  }
  std::size_t calls = 0;

 private:
  crypto::SystemRng rng_;
};

TEST_P(CPace, AnInvalidShareCostsNoMultiplication) {
  const auto suite = GetParam();
  if (suite == Suite::x25519_sha512) return;  // there any 32 bytes are a share
  const Party b = {.suite = suite};
  const Buffer garbage(parameters(suite).share_size, 0xff);
  CountingRng rng;
  GuessBudget budget(1);
  EXPECT_EQ(respond(b.inputs(), std::move(*budget.take()), {.Y = garbage, .AD = {}}, {}, rng).error(), Errc::malformed);
  EXPECT_EQ(rng.calls, 0U);
  EXPECT_EQ(budget.available(), 1U);
  auto A = initiate(b.inputs(), {}, rng);
  EXPECT_GT(rng.calls, 0U);
}

TEST_P(CPace, ASuiteThatThereIsNotIsMisuse) {
  crypto::SystemRng rng;
  const auto permit = [] { return GuessPermit::uncounted_for_study(); };
  const Party p = {.suite = GetParam()};
  const auto A = initiate(p.inputs(), {}, rng);
  ASSERT_TRUE(A);
  for (const auto suite : {static_cast<Suite>(5), static_cast<Suite>(255)}) {
    const Party unknown = {.suite = suite};
    EXPECT_EQ(initiate(unknown.inputs(), {}, rng).error(), Errc::misuse);
    EXPECT_EQ(respond(unknown.inputs(), permit(), {.Y = A->Ya, .AD = {}}, {}, rng).error(), Errc::misuse);
    EXPECT_EQ(start_symmetric(unknown.inputs(), permit(), as_bytes("a"), rng).error(), Errc::misuse);
  }
}

TEST_P(CPace, AnADHasAMaximum) {
  crypto::SystemRng rng;
  const Buffer AD(kMaxADSize + 1);
  const Party p = {.suite = GetParam()};
  const auto permit = [] { return GuessPermit::uncounted_for_study(); };
  EXPECT_EQ(initiate(p.inputs(), AD, rng).error(), Errc::misuse);
  EXPECT_EQ(start_symmetric(p.inputs(), permit(), AD, rng).error(), Errc::misuse);
  auto A = initiate(p.inputs(), {}, rng);
  ASSERT_TRUE(A);
  EXPECT_EQ(respond(p.inputs(), permit(), {.Y = A->Ya, .AD = {}}, AD, rng).error(), Errc::misuse);
  EXPECT_EQ(respond(p.inputs(), permit(), {.Y = A->Ya, .AD = AD}, {}, rng).error(), Errc::malformed);
}

TEST_P(CPace, ASpentStateIsSpent) {
  crypto::SystemRng rng;
  const Party p = {.suite = GetParam()};
  auto A = initiate(p.inputs(), {}, rng);
  ASSERT_TRUE(A);
  auto B = respond(p.inputs(), GuessPermit::uncounted_for_study(), {.Y = A->Ya, .AD = {}}, {}, rng);
  ASSERT_TRUE(B);
  const Share Yb = {.Y = B->Yb, .AD = {}};
  auto finished = std::move(A->next).finish(Yb, B->Tb);
  ASSERT_TRUE(finished);
  // NOLINTBEGIN(bugprone-use-after-move): that is what is tested.
  EXPECT_EQ(std::move(A->next).finish(Yb, B->Tb).error(), Errc::misuse);
  EXPECT_EQ(std::move(A->next).finish_without_confirmation_peer_unproven(Yb).error(), Errc::misuse);
  const auto moved = std::move(B->next);
  EXPECT_EQ(std::move(B->next).finish(finished->Ta).error(), Errc::misuse);
  const auto key = std::move(finished->key);
  EXPECT_TRUE(key.session_key("test", 32));
  EXPECT_EQ(finished->key.session_key("test", 32).error(), Errc::misuse);

  auto S = start_symmetric(p.inputs(), GuessPermit::uncounted_for_study(), as_bytes("s"), rng);
  const Share other = {.Y = Yb.Y, .AD = as_bytes("b")};
  ASSERT_TRUE(S);
  ASSERT_TRUE(std::move(S->next).confirm(other));
  EXPECT_EQ(std::move(S->next).confirm(other).error(), Errc::misuse);
  EXPECT_EQ(std::move(S->next).finish_without_confirmation_peer_unproven(other).error(), Errc::misuse);
  // NOLINTEND(bugprone-use-after-move)
}

TEST_P(CPace, AFailedStepIsTheLast) {
  crypto::SystemRng rng;
  const Party p = {.suite = GetParam()};
  auto A = initiate(p.inputs(), {}, rng);
  ASSERT_TRUE(A);
  auto B = respond(p.inputs(), GuessPermit::uncounted_for_study(), {.Y = A->Ya, .AD = {}}, {}, rng);
  ASSERT_TRUE(B);
  EXPECT_EQ(std::move(B->next).finish(Buffer(tag_size(GetParam()))).error(), Errc::auth_failed);
  EXPECT_EQ(std::move(A->next).finish({.Y = {}, .AD = {}}, B->Tb).error(), Errc::malformed);
  // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tested.
  EXPECT_EQ(std::move(A->next).finish({.Y = B->Yb, .AD = {}}, B->Tb).error(), Errc::misuse);
}

TEST_P(CPace, WithoutConfirmationNobodyNoticesAWrongPassword) {
  crypto::SystemRng rng;
  for (const bool same : {true, false}) {
    const Party a = {.suite = GetParam()};
    const Party b = {.PRS = same ? a.PRS : "wrong horse", .suite = GetParam()};
    GuessBudget budget(1);
    auto A = initiate(a.inputs(), {}, rng);
    ASSERT_TRUE(A);
    auto B = respond_without_confirmation_peer_unproven(b.inputs(), std::move(*budget.take()), {.Y = A->Ya, .AD = {}},
                                                        {}, rng);
    ASSERT_TRUE(B);
    auto at_a = std::move(A->next).finish_without_confirmation_peer_unproven({.Y = B->Yb, .AD = {}});
    ASSERT_TRUE(at_a);
    EXPECT_EQ(ct_equal(at_a->isk.reveal(), B->key.isk.reveal()), same);
    EXPECT_EQ(at_a->sid_output, B->key.sid_output);
    EXPECT_EQ(budget.available(), 0U);
    B->key.permit.refund();
    EXPECT_EQ(budget.available(), 1U);
  }
}

TEST_P(CPace, WithoutConfirmationEqualsAgreeToo) {
  crypto::SystemRng rng;
  const Party p = {.suite = GetParam()};
  GuessBudget budget(2);
  auto a = start_symmetric(p.inputs(), std::move(*budget.take()), as_bytes("a"), rng);
  auto b = start_symmetric(p.inputs(), std::move(*budget.take()), as_bytes("b"), rng);
  ASSERT_TRUE(a && b);
  auto at_a = std::move(a->next).finish_without_confirmation_peer_unproven({.Y = b->Y, .AD = as_bytes("b")});
  auto at_b = std::move(b->next).finish_without_confirmation_peer_unproven({.Y = a->Y, .AD = as_bytes("a")});
  ASSERT_TRUE(at_a && at_b);
  EXPECT_TRUE(ct_equal(at_a->isk.reveal(), at_b->isk.reveal()));
  EXPECT_EQ(budget.available(), 0U);
}

TEST_P(CPace, KeysDifferByLabelAndHaveASize) {
  crypto::SystemRng rng;
  const Party p = {.suite = GetParam()};
  auto A = initiate(p.inputs(), {}, rng);
  ASSERT_TRUE(A);
  auto B = respond(p.inputs(), GuessPermit::uncounted_for_study(), {.Y = A->Ya, .AD = {}}, {}, rng);
  ASSERT_TRUE(B);
  const auto finished = std::move(A->next).finish({.Y = B->Yb, .AD = {}}, B->Tb);
  ASSERT_TRUE(finished);
  const auto& key = finished->key;
  EXPECT_EQ(key.isk().size(), tag_size(GetParam()));
  EXPECT_TRUE(ct_equal(key.session_key("a", 100)->reveal(), key.session_key("a", 100)->reveal()));
  EXPECT_FALSE(ct_equal(key.session_key("a", 100)->reveal(), key.session_key("b", 100)->reveal()));
  EXPECT_EQ(key.session_key("a", 0).error(), Errc::misuse);
  EXPECT_TRUE(key.session_key("a", 255 * tag_size(GetParam())));
  EXPECT_EQ(key.session_key("a", 255 * tag_size(GetParam()) + 1).error(), Errc::misuse);
}

// Sheet, section 13: an AD of 128 bytes or more needs two bytes of length.
TEST_P(CPace, RandomRunsAgreeAndAnyOneDifferenceLeavesNoKey) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto string = [&](std::size_t at_least = 0) {
    std::string text(std::uniform_int_distribution<std::size_t>(at_least, 300)(random), ' ');
    for (auto& c : text) c = static_cast<char>(random());
    return text;
  };
  for (int i = 0; i < 8; ++i) {
    Exchange exchange(GetParam());
    exchange.a = {.PRS = string(1), .CI = string(), .sid = string(), .AD = string(), .suite = GetParam()};
    exchange.b = exchange.a;
    exchange.b.AD = string();
    ASSERT_TRUE(exchange.run().agree());
    constexpr std::array kInputs = {&Party::PRS, &Party::CI, &Party::sid};
    auto& changed = exchange.b.*kInputs.at(random() % kInputs.size());
    if (changed.empty())
      changed = "x";
    else
      changed.at(random() % changed.size()) ^= static_cast<char>(1U << (random() % 8));
    ASSERT_TRUE(exchange.run().keyless());
  }
}

// Section 10 of the sheet: of the shares that are not canonical, those of low order abort and the others are processed
// as RFC 7748 says.
TEST(CPaceX25519, BitTwoHundredFiftyFiveOfAShareIsIgnoredInKAndHashedInTheTranscript) {
  Exchange exchange(Suite::x25519_sha512);
  exchange.tamper = flip(0, 8 + 255);
  const auto ends = exchange.run();
  EXPECT_FALSE(ends.b.error) << "the share is processed";
  EXPECT_EQ(ends.a.error, Errc::auth_failed) << "but it is not what A sent";

  // A peer that sends its share with the bit set, and hashes what it sent, agrees with us.
  crypto::SystemRng rng;
  const Party p = {.suite = Suite::x25519_sha512};
  auto A = initiate(p.inputs(), {}, rng);
  ASSERT_TRUE(A);
  auto marked = A->Ya;
  marked.at(31) |= 0x80U;
  auto plain = respond_without_confirmation_peer_unproven(p.inputs(), GuessPermit::uncounted_for_study(),
                                                          {.Y = A->Ya, .AD = {}}, {}, rng);
  auto other = respond_without_confirmation_peer_unproven(p.inputs(), GuessPermit::uncounted_for_study(),
                                                          {.Y = marked, .AD = {}}, {}, rng);
  ASSERT_TRUE(plain && other);
  EXPECT_NE(plain->key.sid_output, other->key.sid_output);
}

TEST(CPaceX25519, SharesOfLowOrderAbort) {
  crypto::SystemRng rng;
  const Party p = {.suite = Suite::x25519_sha512};
  for (const auto* const share : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "0000000000000000000000000000000000000000000000000000000000000080",
       }) {
    GuessBudget budget(1);
    const auto refused =
        respond(p.inputs(), std::move(*budget.take()), {.Y = testing::unhex(share), .AD = {}}, {}, rng);
    EXPECT_EQ(refused.error(), Errc::malformed) << share;
    EXPECT_EQ(budget.available(), 1U);
  }
}

TEST(CPace, ASourceThatIsStuckEndsTheRun) {
  for (const auto suite : kSuites) {
    if (suite == Suite::x25519_sha512) continue;  // any 32 bytes are a scalar
    SCOPED_TRACE(::testing::PrintToString(suite));
    const Party party{.suite = suite};
    StuckRng zeros(0), ones(0xff);
    EXPECT_EQ(initiate(party.inputs(), {}, zeros).error(), Errc::unavailable);
    EXPECT_EQ(initiate(party.inputs(), {}, ones).error(), Errc::unavailable);
    EXPECT_EQ(start_symmetric(party.inputs(), GuessPermit::uncounted_for_study(), as_bytes("a"), zeros).error(),
              Errc::unavailable);
  }
}

}  // namespace
}  // namespace pake::cpace
