#include "pake/server/sessions.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "pake/net/coroutine.h"
#include "pake/server/control.h"

namespace pake::server {
namespace {

using store::UserState;

class Recorded final : public Session {
 public:
  void end(EndCause cause) override { causes.push_back(cause); }
  std::vector<EndCause> causes;
};

/// Sessions on a loop that runs once all is asked.
class SessionsTest : public testing::Test {
 protected:
  struct Entered {
    std::shared_ptr<SessionInfo> info = std::make_shared<SessionInfo>();
    std::shared_ptr<Recorded> session = std::make_shared<Recorded>();
  };
  Entered make(const char* user, std::uint64_t generation) {
    Entered made;
    made.info->facts = {
        .id = sessions.next_id(), .user = user, .by = EnteredBy::password, .source = "192.0.2.7:1", .since = {}};
    made.info->generation = generation;
    return made;
  }
  Entered enter(const char* user, std::uint64_t generation = 1) {
    auto made = make(user, generation);
    EXPECT_TRUE(sessions.enter(made.info, made.session, loops.main(), 100, 100));
    return made;
  }
  void run() {
    loops.run([](net::Loop& loop) -> net::Awaitable<void> { co_await loop.yield(); }(loops.main()));
  }

  net::Loops loops{1};
  Sessions sessions;
};

TEST_F(SessionsTest, AreBoundInAllAndForEachUser) {
  const auto one = make("alice", 1), two = make("alice", 1), three = make("bob", 1);
  EXPECT_TRUE(sessions.enter(one.info, one.session, loops.main(), 2, 1));
  EXPECT_FALSE(sessions.enter(two.info, two.session, loops.main(), 2, 1));
  EXPECT_TRUE(sessions.enter(three.info, three.session, loops.main(), 2, 1));
  EXPECT_FALSE(sessions.enter(two.info, two.session, loops.main(), 2, 2));
  EXPECT_EQ(sessions.size(), 2U);
  sessions.leave(*two.info);  // never entered
  sessions.leave(*one.info);
  EXPECT_TRUE(sessions.enter(two.info, two.session, loops.main(), 2, 1));
  EXPECT_EQ(sessions.size_of("alice"), 1U);
}

TEST_F(SessionsTest, OfAnOlderGenerationEndWithAChange) {
  const auto older = enter("alice", 4), newer = enter("alice", 5), other = enter("bob", 4);
  EXPECT_EQ(
      sessions.end_stale({.sequence = 1, .name = "alice", .generation = 5, .state = UserState::enabled, .at = {}}), 1U);
  run();
  EXPECT_EQ(older.session->causes, (std::vector{EndCause::account_changed}));
  EXPECT_TRUE(newer.session->causes.empty());
  EXPECT_TRUE(other.session->causes.empty());
}

TEST_F(SessionsTest, OfADisabledUserEndAllThatCameBefore) {
  const auto older = enter("alice", 4), current = enter("alice", 5), back = enter("alice", 6);
  EXPECT_EQ(
      sessions.end_stale({.sequence = 1, .name = "alice", .generation = 5, .state = UserState::disabled, .at = {}}),
      2U);
  run();
  EXPECT_EQ(older.session->causes.size(), 1U);
  EXPECT_EQ(current.session->causes.size(), 1U);
  EXPECT_TRUE(back.session->causes.empty());
}

TEST_F(SessionsTest, OneThatIsGoneIsAskedNothing) {
  auto gone = enter("alice");
  gone.session.reset();
  EXPECT_EQ(sessions.end_all(EndCause::drain), 1U);
  run();
}

TEST_F(SessionsTest, TheOperatorListsAndKills) {
  const auto one = enter("alice"), two = enter("bob");
  const auto listed = answer_control(sessions, R"({"do":"list"})");
  EXPECT_TRUE(listed.ends_with("\n{\"listed\":2}\n")) << listed;
  EXPECT_EQ(std::ranges::count(listed, '\n'), 3);
  const auto first = nlohmann::json::parse(listed.substr(0, listed.find('\n')));
  EXPECT_EQ(first["user"], "alice");
  EXPECT_EQ(first["by"], "password");
  EXPECT_EQ(answer_control(sessions, R"({"do":"kill","user":"bob"})"), "{\"ended\":1}\n");
  EXPECT_EQ(answer_control(sessions, R"({"do":"kill","session":99})"), "{\"ended\":0}\n");
  run();
  EXPECT_EQ(two.session->causes, (std::vector{EndCause::killed}));
  EXPECT_TRUE(one.session->causes.empty());
}

TEST_F(SessionsTest, WhateverIsAskedIsAnswered) {
  for (const char* line : {"", "{", "[]", "7", "{\"do\":7}", "{\"do\":\"dance\"}", "{\"do\":\"kill\"}",
                           "{\"do\":\"kill\",\"session\":-1}", "{\"do\":\"kill\",\"user\":[]}", "\xff\xfe"})
    EXPECT_TRUE(nlohmann::json::parse(answer_control(sessions, line)).contains("error")) << line;
}

}  // namespace
}  // namespace pake::server
