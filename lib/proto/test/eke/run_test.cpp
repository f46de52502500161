// Whole runs: what both sides print, share, charge and refuse to do twice.
#include <gtest/gtest.h>

#include "pake/crypto/rng.h"
#include "rig.h"

namespace pake::eke {
namespace {

std::string session_key(Machine& machine) {
  const auto key = machine.take_session_key();
  return key ? std::string(as_text(key->reveal())) : "none";
}

void expect_success(Duel& duel) {
  ASSERT_EQ(duel.L.want(), Want::done);
  ASSERT_EQ(duel.C.want(), Want::done);
  EXPECT_EQ(duel.messages.size(), 7U);
  const auto key = session_key(duel.L);
  EXPECT_EQ(key.size(), 10U);
  EXPECT_EQ(session_key(duel.C), key);
}

TEST(RsaEkeRun, BothModesAndEveryKeySizeEndWithOneKey) {
  for (const auto mode : {CipherMode::gcm, CipherMode::cbc}) {
    for (const auto* key : {"1024", "1024-e3", "1031", "2048", "2048-e32", "3072", "4096"}) {
      SCOPED_TRACE(key);
      Duel duel({.C_mode = mode, .L_mode = mode, .key = key});
      expect_success(duel);
    }
  }
}

TEST(RsaEkeRun, AFreshKeyAndTheSystemsRandomness) {
  crypto::SystemRng rng;
  const auto users = users_of({{"server", "12345678"}});
  RsaListener L({.users = users}, GuessPermit::uncounted_for_study(), rng);
  RsaConnector C({.user = "server",
                  .password = SecretBuffer::copy_of(as_bytes("12345678")),
                  .key = crypto::RsaKeyPair::generate(1024).value()},
                 rng);
  Inbox to_L(L), to_C(C);
  while (C.want() == Want::send) {
    to_L.arrive(C.take_message().value());
    if (L.want() == Want::send) to_C.arrive(L.take_message().value());
  }
  ASSERT_EQ(L.want(), Want::done);
  EXPECT_EQ(session_key(L), session_key(C));
}

// Figures 1 and 2 of the seed.
TEST(RsaEkeRun, TheObserversAreToldWhatTheSeedPrints) {
  const Duel duel({});
  using Names = std::vector<Value>;
  Names L_names, C_names;
  for (const auto& [value, text] : duel.L_told.told) L_names.push_back(value);
  for (const auto& [value, text] : duel.C_told.told) C_names.push_back(value);
  EXPECT_EQ(L_names, Names({Value::user, Value::pk, Value::Ks, Value::NC}));
  EXPECT_EQ(C_names, Names({Value::pk, Value::Ks, Value::NC, Value::N1_2}));
  const auto& L_told = duel.L_told.told;
  const auto& C_told = duel.C_told.told;
  EXPECT_EQ(L_told[0].second, "server");
  EXPECT_EQ(L_told[1].second, fixed_key("1024").public_pem());
  EXPECT_EQ(C_told[0].second, L_told[1].second);
  EXPECT_EQ(C_told[1].second, L_told[2].second);
  EXPECT_EQ(C_told[2].second, L_told[3].second);
  EXPECT_EQ(C_told[3].second.substr(0, 10), C_told[2].second);
  EXPECT_EQ(C_told[3].second.size(), 20U);
}

TEST(RsaEkeRun, ValuesAreToldWhenTheSeedPrintsThem) {
  const Duel whole({});
  testing::SeededRng rng(1);
  Recorder told;
  RsaConnector C({.user = "server", .password = {}, .key = fixed_key("1024"), .observer = &told}, rng);
  EXPECT_TRUE(told.told.empty());
  EXPECT_TRUE(C.take_message());
  EXPECT_EQ(told.told.size(), 1U);  // pk, before the name leaves
  EXPECT_EQ(C.receive(as_bytes("yes"), Arrived::more_may_come), 3U);
  EXPECT_EQ(told.told.size(), 1U);
}

TEST(RsaEkeRun, OnlyTheFirstSixteenBytesOfAPasswordCount) {
  Duel same({.C_password = "sixteen bytes 16 and more", .L_password = "sixteen bytes 16"});
  expect_success(same);
  Duel padded({.C_password = "", .L_password = ""});
  expect_success(padded);
}

TEST(RsaEkeRun, AnotherPasswordEndsAtMessage3) {
  for (const auto mode : {CipherMode::gcm, CipherMode::cbc}) {
    for (const auto* key : {"1024", "3072", "4096"}) {  // 3072 ends with a silence, its Base64 having no padding
      SCOPED_TRACE(key);
      const Duel duel({.C_password = "12345679",
                       .C_mode = mode,
                       .L_mode = mode,
                       .key = key,
                       .wire = [](int, const Buffer& message) { return std::vector<Buffer>{message, {}}; }});
      EXPECT_EQ(duel.L.want(), Want::failed);
      EXPECT_EQ(duel.L.failure(), Failure::bad_pem);
      EXPECT_EQ(duel.L.error(), Errc::auth_failed);
      EXPECT_EQ(duel.C.want(), Want::receive);
      EXPECT_EQ(duel.messages.size(), 3U);
      EXPECT_EQ(duel.L_told.told.size(), 1U);  // the user, and no garbage
    }
  }
}

TEST(RsaEkeRun, AnotherModeEndsAtMessage3) {
  const Duel duel({.C_mode = CipherMode::cbc});
  EXPECT_EQ(duel.L.failure(), Failure::bad_pem);
}

TEST(RsaEkeRun, AnUnknownUserIsToldNo) {
  const Duel duel(
      {.user = "nobody", .wire = [](int, const Buffer& message) { return std::vector<Buffer>{message, {}}; }});
  ASSERT_EQ(duel.messages.size(), 2U);
  EXPECT_EQ(as_text(duel.messages[1]), "no");
  EXPECT_EQ(duel.L.want(), Want::failed);
  EXPECT_EQ(duel.L.failure(), Failure::unknown_user);
  EXPECT_EQ(duel.C.failure(), Failure::refused_user);
  EXPECT_TRUE(duel.L_told.told.empty());
}

TEST(RsaEkeRun, AMachineHasNotFailedBeforeItsNoIsTaken) {
  testing::SeededRng rng(1);
  const UserTable nobody;
  RsaListener L({.users = nobody}, GuessPermit::uncounted_for_study(), rng);
  EXPECT_EQ(L.receive(as_bytes("x"), Arrived::silence), 1U);
  EXPECT_EQ(L.want(), Want::send);
  EXPECT_FALSE(L.failure());
  EXPECT_FALSE(L.error());
  EXPECT_EQ(L.take_message(), to_buffer(as_bytes("no")));
  EXPECT_EQ(L.error(), Errc::auth_failed);
}

TEST(RsaEkeRun, NothingCanBeDoneTwiceOrOutOfTurn) {
  Duel duel({});
  const auto expect_spent = [](Machine& machine) {
    EXPECT_EQ(machine.take_message().error(), Errc::misuse);
    EXPECT_EQ(machine.receive(as_bytes("yes"), Arrived::more_may_come).error(), Errc::misuse);
    EXPECT_EQ(machine.take_session_key().error(), Errc::misuse);
  };
  EXPECT_NE(session_key(duel.L), "none");
  EXPECT_NE(session_key(duel.C), "none");
  expect_spent(duel.L);
  expect_spent(duel.C);
  EXPECT_EQ(duel.L.want(), Want::done);
  EXPECT_FALSE(duel.L.error());
  EXPECT_FALSE(duel.L.failure());

  Duel failed({.user = "nobody", .wire = [](int, const Buffer& message) { return std::vector<Buffer>{message, {}}; }});
  expect_spent(failed.L);
  expect_spent(failed.C);
  EXPECT_EQ(failed.L.want(), Want::failed);

  testing::SeededRng rng(1);
  RsaConnector C({.user = "server", .password = {}, .key = fixed_key("1024")}, rng);
  EXPECT_TRUE(C.take_message());
  EXPECT_EQ(C.want(), Want::receive);
  EXPECT_EQ(C.take_message().error(), Errc::misuse);
  expect_spent(C);
  EXPECT_EQ(C.want(), Want::failed);  // misuse is final
  EXPECT_EQ(C.error(), Errc::misuse);
  RsaConnector early({.user = "server", .password = {}, .key = fixed_key("1024")}, rng);
  EXPECT_EQ(early.receive(as_bytes("yes"), Arrived::more_may_come).error(), Errc::misuse);
  EXPECT_EQ(early.want(), Want::failed);
}

TEST(RsaEkeRun, AConnectorNeedsAName) {
  testing::SeededRng rng(1);
  for (const std::size_t size : {std::size_t{0}, kMaxUserName + 1}) {
    RsaConnector C({.user = std::string(size, 'u'), .password = {}, .key = fixed_key("1024")}, rng);
    EXPECT_EQ(C.want(), Want::failed);
    EXPECT_EQ(C.error(), Errc::misuse);
    EXPECT_FALSE(C.failure());
    EXPECT_EQ(C.take_message().error(), Errc::misuse);
  }
}

/// How many of a budget of one are left after a run whose listener has gone.
std::size_t left_after(const Setup& setup, int messages_that_arrive) {
  GuessBudget budget(1);
  auto bounded = setup;
  bounded.wire = [&](int number, const Buffer& message) {
    return number <= messages_that_arrive ? setup.wire(number, message) : std::vector<Buffer>{};
  };
  const auto users = users_of({{"server", setup.L_password}});
  testing::SeededRng rng(1);
  const Duel duel(bounded);
  {
    RsaListener L({.users = users}, budget.take().value(), rng);
    Inbox inbox(L);
    for (std::size_t i = 0; i < duel.messages.size(); ++i) {
      if (i % 2 == 0) {
        for (const auto& piece : bounded.wire(static_cast<int>(i) + 1, duel.messages[i])) inbox.arrive(piece);
      } else if (L.want() == Want::send) {
        EXPECT_TRUE(L.take_message());
      }
    }
  }
  return budget.available();
}

// A wrong guess shows by the absence of message 4, so the guess is spent when message 3 is tried, answered or not.
TEST(RsaEkeRun, APermitIsSpentWithTheFirstTryAndRefundedByTheProof) {
  EXPECT_EQ(left_after({}, 0), 1U);
  EXPECT_EQ(left_after({}, 1), 1U);
  EXPECT_EQ(left_after({}, 2), 1U);
  EXPECT_EQ(left_after({}, 3), 0U);
  EXPECT_EQ(left_after({.C_password = "wrong"}, 3), 0U);
  EXPECT_EQ(left_after({}, 5), 0U);
  EXPECT_EQ(left_after({}, 6), 0U);

  Duel whole({});
  EXPECT_EQ(whole.budget.available(), 1U);  // refunded, and the machine still there
}

TEST(RsaEkeChat, ALineIsOneToKMaxLineBytes) {
  EXPECT_FALSE(is_line(""));
  EXPECT_TRUE(is_line("x"));
  EXPECT_TRUE(is_line(kQuit));
  EXPECT_TRUE(is_line(std::string(kMaxLine, 'x')));
  EXPECT_FALSE(is_line(std::string(kMaxLine + 1, 'x')));
  EXPECT_TRUE(is_line("\xc3\xa9\t\x01"));
  EXPECT_FALSE(is_line("a\n"));
  EXPECT_FALSE(is_line("a\rb"));
  EXPECT_FALSE(is_line(std::string_view("a\0b", 3)));
}

TEST(RsaEkeChat, AnAnswerFitsOneReadOfTheSeed) {
  EXPECT_EQ(as_text(answer("hello")), "receive hello");
  EXPECT_EQ(answer(std::string(kMaxLine, 'x')).size(), 1024U);
}

TEST(RsaEkeFailures, EachIsExplainedInLowerCaseAndOnItsOwn) {
  for (int i = 0; i <= static_cast<int>(Failure::wrong_NS); ++i) {
    const auto text = explain(static_cast<Failure>(i));
    ASSERT_FALSE(text.empty());
    EXPECT_TRUE(text[0] >= 'a' && text[0] <= 'z') << text;
    EXPECT_NE(text.back(), '.') << text;
  }
  EXPECT_NE(explain(Failure::bad_pem).find("password"), std::string_view::npos);
}

TEST(RsaEkeUsers, KnowsWhatBeginsWhat) {
  const auto users = users_of({{"a", "1"}, {"abc", "2"}, {"abd", "3"}, {"b", "4"}, {"ab\xff", "5"}});
  EXPECT_TRUE(users.begins_longer("a"));
  EXPECT_TRUE(users.begins_longer("ab"));
  EXPECT_TRUE(users.begins_longer(""));
  EXPECT_FALSE(users.begins_longer("abc"));
  EXPECT_FALSE(users.begins_longer("abd"));
  EXPECT_FALSE(users.begins_longer("b"));
  EXPECT_FALSE(users.begins_longer("aa"));
  EXPECT_EQ(users.find("ab"), nullptr);
  ASSERT_NE(users.find("abd"), nullptr);
  EXPECT_EQ(as_text(users.find("abd")->reveal()), "3");

  UserTable table;
  EXPECT_EQ(table.add("", {}), Status(fail(Errc::misuse)));
  EXPECT_EQ(table.add(std::string(kMaxUserName + 1, 'u'), {}), Status(fail(Errc::misuse)));
  EXPECT_TRUE(table.add(std::string(kMaxUserName, 'u'), {}));
  EXPECT_TRUE(table.add("u", SecretBuffer::copy_of(as_bytes("old"))));
  EXPECT_TRUE(table.add("u", SecretBuffer::copy_of(as_bytes("new"))));
  EXPECT_EQ(as_text(table.find("u")->reveal()), "new");
}

}  // namespace
}  // namespace pake::eke
