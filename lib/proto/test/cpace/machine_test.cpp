#include "pake/proto/cpace/machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "pake/crypto/rng.h"
#include "pake/proto/cpace/messages.h"
#include "pake/testing/hex.h"
#include "support.h"

namespace pake::cpace {
namespace {

Config config(Suite suite, std::string_view PRS, std::string_view AD,
              std::optional<std::string_view> expected_AD = {}) {
  Config config = {.suite = suite, .PRS = SecretBuffer::copy_of(as_bytes(PRS)), .AD = to_buffer(as_bytes(AD))};
  if (expected_AD) config.expected_AD = to_buffer(as_bytes(*expected_AD));
  return config;
}

/// Hands everything that `from` wants to send to `inbox`.
void flush(Machine& from, Buffer& inbox) {
  while (from.want() == Want::send) {
    const auto message = *from.take_message();
    inbox.insert(inbox.end(), message.begin(), message.end());
  }
}

/// Lets `to` read of `inbox` what it takes, `step` bytes arriving at a time.
void deliver(Machine& to, Buffer& inbox, std::size_t step) {
  Buffer arrived;
  while (!inbox.empty() && to.want() == Want::receive) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(step, inbox.size()));
    arrived.insert(arrived.end(), inbox.begin(), inbox.begin() + count);
    inbox.erase(inbox.begin(), inbox.begin() + count);
    const auto incoming = to.incoming();
    const auto consumed = to.receive(arrived, Arrived::more_may_come);
    if (!consumed) return;
    if (*consumed != 0) {
      EXPECT_GE(*consumed, incoming.at_least);
      EXPECT_LE(*consumed, incoming.at_most);
    }
    arrived.erase(arrived.begin(), arrived.begin() + static_cast<std::ptrdiff_t>(*consumed));
  }
  inbox.insert(inbox.begin(), arrived.begin(), arrived.end());
}

/// Runs two machines until neither moves.
void drive(Machine& a, Machine& b, std::size_t step = 1000000) {
  Buffer to_a;
  Buffer to_b;
  for (int turn = 0; turn < 4; ++turn) {
    flush(a, to_b);
    flush(b, to_a);
    deliver(b, to_b, step);
    deliver(a, to_a, step);
  }
}

class CPaceMachines : public ::testing::TestWithParam<Suite> {
 protected:
  crypto::SystemRng rng_;
  GuessBudget budget_{2};

  GuessPermit permit() { return std::move(*budget_.take()); }
};
INSTANTIATE_TEST_SUITE_P(EverySuite, CPaceMachines, ::testing::ValuesIn(kSuites), ::testing::PrintToStringParamName());

void expect_agreement(CPaceMachine& a, CPaceMachine& b, Suite suite) {
  ASSERT_EQ(a.want(), Want::done);
  ASSERT_EQ(b.want(), Want::done);
  EXPECT_EQ(as_text(a.received_AD()), "b");
  EXPECT_EQ(as_text(b.received_AD()), "a");
  const auto key_a = a.take_session_key();
  const auto key_b = b.take_session_key();
  ASSERT_TRUE(key_a && key_b);
  EXPECT_TRUE(ct_equal(key_a->reveal(), key_b->reveal()));
  EXPECT_EQ(key_a->size(), tag_size(suite));
  EXPECT_EQ(a.take_session_key().error(), Errc::misuse) << "once";
}

TEST_P(CPaceMachines, AgreeHoweverTheBytesArrive) {
  for (const auto step : {1U, 7U, 64U, 1000U}) {
    const auto a = initiator_machine(config(GetParam(), "secret", "a", "b"), rng_);
    const auto b = responder_machine(config(GetParam(), "secret", "b"), permit(), rng_);
    drive(*a, *b, step);
    expect_agreement(*a, *b, GetParam());
    EXPECT_EQ(budget_.available(), 2U);
  }
}

TEST_P(CPaceMachines, EqualsAgreeHoweverTheBytesArrive) {
  for (const auto step : {1U, 7U, 64U, 1000U}) {
    const auto a = symmetric_machine(config(GetParam(), "secret", "a"), permit(), rng_);
    const auto b = symmetric_machine(config(GetParam(), "secret", "b", "a"), permit(), rng_);
    drive(*a, *b, step);
    expect_agreement(*a, *b, GetParam());
    EXPECT_EQ(budget_.available(), 2U);
  }
}

TEST_P(CPaceMachines, AWrongPasswordFailsAtTheInitiatorAndCostsAGuess) {
  const auto a = initiator_machine(config(GetParam(), "guess", "a"), rng_);
  {
    const auto b = responder_machine(config(GetParam(), "secret", "b"), permit(), rng_);
    drive(*a, *b);
    EXPECT_EQ(b->want(), Want::receive) << "it was told nothing";
  }
  EXPECT_EQ(a->want(), Want::failed);
  EXPECT_EQ(a->error(), Errc::auth_failed);
  EXPECT_TRUE(a->received_AD().empty());
  EXPECT_EQ(a->take_session_key().error(), Errc::misuse);
  EXPECT_EQ(budget_.available(), 1U);
}

TEST_P(CPaceMachines, AnUnexpectedNameIsRefusedBeforeAnAnswer) {
  const auto a = initiator_machine(config(GetParam(), "secret", "mallory"), rng_);
  {
    const auto b = responder_machine(config(GetParam(), "secret", "b", "a lice\x01"), permit(), rng_);
    drive(*a, *b);
    EXPECT_EQ(b->error(), Errc::auth_failed);
  }
  EXPECT_EQ(budget_.available(), 2U);
  // A longer one than the expected is refused by its length, before it has arrived.
  const auto b = responder_machine(config(GetParam(), "secret", "b", "bob"), permit(), rng_);
  auto start = encode({.Y = Buffer(parameters(GetParam()).share_size), .AD = as_bytes("bobby")});
  start.resize(start.size() - 5);
  EXPECT_EQ(b->receive(start, Arrived::more_may_come).error(), Errc::malformed);
}

TEST_P(CPaceMachines, GarbageIsFinal) {
  const auto b = responder_machine(config(GetParam(), "secret", "b"), permit(), rng_);
  const Buffer garbage(300, 0xff);
  EXPECT_EQ(b->receive(garbage, Arrived::more_may_come).error(), Errc::malformed);
  EXPECT_EQ(b->want(), Want::failed);
  EXPECT_EQ(b->receive(garbage, Arrived::more_may_come).error(), Errc::misuse);
  EXPECT_EQ(budget_.available(), 2U) << "the permit went back at once";
}

TEST_P(CPaceMachines, ACallOutOfTurnIsFinal) {
  const std::function<Errc(Machine&)> tries[] = {
      [](Machine& machine) { return machine.receive({}, Arrived::more_may_come).error(); },  // it wants to send
      [](Machine& machine) { return machine.take_job().error(); },
      [](Machine& machine) { return machine.resume(nullptr).error(); },
      [](Machine& machine) { return machine.provide_record(std::nullopt).error(); },
  };
  for (const auto& attempt : tries) {
    const auto a = initiator_machine(config(GetParam(), "secret", "a"), rng_);
    EXPECT_EQ(attempt(*a), Errc::misuse);
    EXPECT_EQ(a->want(), Want::failed);
    EXPECT_EQ(a->error(), Errc::misuse);
    EXPECT_EQ(a->take_message().error(), Errc::misuse);
  }
  const auto nowhere = responder_machine(config(static_cast<Suite>(9), "secret", "b"), permit(), rng_);
  EXPECT_EQ(nowhere->error(), Errc::misuse);
  EXPECT_EQ(budget_.available(), 2U);
}

TEST_P(CPaceMachines, WhatWouldBeWeakInSilenceIsMisuse) {
  EXPECT_EQ(initiator_machine(config(GetParam(), "", "a"), rng_)->error(), Errc::misuse);
  EXPECT_EQ(responder_machine(config(GetParam(), "", "b"), permit(), rng_)->error(), Errc::misuse);
  EXPECT_EQ(symmetric_machine(config(GetParam(), "", "a"), permit(), rng_)->error(), Errc::misuse);
  EXPECT_EQ(symmetric_machine(config(GetParam(), "secret", ""), permit(), rng_)->error(), Errc::misuse);
  EXPECT_EQ(budget_.available(), 2U);
}

TEST_P(CPaceMachines, AnOwnADThatIsTooLongIsMisuse) {
  const std::string AD(kMaxADSize + 1, 'x');
  EXPECT_EQ(initiator_machine(config(GetParam(), "secret", AD), rng_)->error(), Errc::misuse);
  EXPECT_EQ(responder_machine(config(GetParam(), "secret", AD), permit(), rng_)->error(), Errc::misuse);
  EXPECT_EQ(symmetric_machine(config(GetParam(), "secret", AD), permit(), rng_)->error(), Errc::misuse);
  EXPECT_EQ(budget_.available(), 2U);
}

}  // namespace
}  // namespace pake::cpace
