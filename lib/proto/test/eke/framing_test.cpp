// Where messages end that do not say so: every split, with and without pauses; names that begin others; two messages in
// one; and what is too short or too long.
#include <gtest/gtest.h>

#include "rig.h"
#include "src/eke/cipher.h"

namespace pake::eke {
namespace {

constexpr CipherMode kModes[] = {CipherMode::gcm, CipherMode::cbc};
const Buffer kSilence;

Buffer first(const Buffer& bytes, std::size_t size) { return to_buffer(Bytes(bytes).first(size)); }
Buffer rest(const Buffer& bytes, std::size_t from) { return to_buffer(Bytes(bytes).subspan(from)); }

bool succeeded(const Duel& duel) { return duel.L.want() == Want::done && duel.C.want() == Want::done; }

TEST(RsaEkeFraming, EveryMessageMayBeSplitAnywhere) {
  for (const auto mode : kModes) {
    const Duel plain({.C_mode = mode, .L_mode = mode});
    for (int number = 1; number <= 7; ++number) {
      for (std::size_t at = 1; at < plain.messages[static_cast<std::size_t>(number) - 1].size(); ++at) {
        const auto split = [&](int i, const Buffer& message) {
          return i == number ? std::vector<Buffer>{first(message, at), rest(message, at)}
                             : std::vector<Buffer>{message};
        };
        EXPECT_TRUE(succeeded(Duel({.C_mode = mode, .L_mode = mode, .wire = split}))) << number << " at " << at;
      }
    }
  }
}

TEST(RsaEkeFraming, EveryMessageMayComeByteByByte) {
  for (const auto mode : kModes)
    for (const auto* key : {"1024", "1031", "2048", "3072", "4096"})
      EXPECT_TRUE(succeeded(Duel({.C_mode = mode,
                                  .L_mode = mode,
                                  .key = key,
                                  .wire = [](int, const Buffer& message) { return byte_by_byte(message); }})))
          << key;
}

// A pause ends a name, and a message 3 only where it is whole cipher blocks; elsewhere it is a slow network.
TEST(RsaEkeFraming, APauseBetweenTwoPieces) {
  const Duel plain({});
  for (int number = 1; number <= 7; ++number) {
    for (std::size_t at = 1; at < plain.messages[static_cast<std::size_t>(number) - 1].size(); ++at) {
      const Duel duel({.wire = [&](int i, const Buffer& message) {
        return i == number ? std::vector<Buffer>{first(message, at), kSilence, rest(message, at), kSilence}
                           : std::vector<Buffer>{message};
      }});
      bool is_whole_blocks = false;
      for (std::size_t blocks = 1; blocks <= 17; ++blocks) is_whole_blocks |= at == message_size(16 * blocks);
      if (number == 1)
        EXPECT_EQ(duel.L.failure(), Failure::unknown_user) << at;
      else if (number == 3 && is_whole_blocks)
        EXPECT_FALSE(succeeded(duel)) << at;
      else
        EXPECT_TRUE(succeeded(duel)) << number << " at " << at;
    }
  }
}

TEST(RsaEkeFraming, APauseBehindEveryMessageChangesNothing) {
  EXPECT_TRUE(
      succeeded(Duel({.wire = [](int, const Buffer& message) { return std::vector<Buffer>{message, kSilence}; }})));
}

/// What L makes of a name that arrives in these pieces; an empty one is a silence.
std::string answer_to(const UserTable& users, const std::vector<std::string>& pieces) {
  testing::SeededRng rng(1);
  RsaListener L({.users = users}, GuessPermit::uncounted_for_study(), rng);
  Inbox inbox(L);
  for (const auto& piece : pieces) piece.empty() ? inbox.fall_silent() : inbox.arrive(as_bytes(piece));
  if (L.want() != Want::send) return "waits";
  EXPECT_TRUE(inbox.pending().empty());
  return std::string(as_text(L.take_message().value()));
}

TEST(RsaEkeFraming, NamesThatBeginOthers) {
  const auto users = users_of({{"a", ""}, {"ab", ""}, {"abc", ""}, {"server", ""}, {"server2", ""}, {"x", ""}});
  EXPECT_EQ(answer_to(users, {"x"}), "yes");
  EXPECT_EQ(answer_to(users, {"abc"}), "yes");
  EXPECT_EQ(answer_to(users, {"a", "b", "c"}), "yes");
  EXPECT_EQ(answer_to(users, {"server2"}), "yes");
  EXPECT_EQ(answer_to(users, {"a"}), "waits");
  EXPECT_EQ(answer_to(users, {"ab"}), "waits");
  EXPECT_EQ(answer_to(users, {"serv", "er"}), "waits");
  EXPECT_EQ(answer_to(users, {"a", ""}), "yes");
  EXPECT_EQ(answer_to(users, {"ab", ""}), "yes");
  EXPECT_EQ(answer_to(users, {"serv", "er", ""}), "yes");
  EXPECT_EQ(answer_to(users, {"serv"}), "waits");
  EXPECT_EQ(answer_to(users, {"serv", ""}), "no");
  EXPECT_EQ(answer_to(users, {"xx"}), "waits");  // a longer name that nobody has, not "x" and something
  EXPECT_EQ(answer_to(users, {"xx", ""}), "no");
  EXPECT_EQ(answer_to(users, {"", "x"}), "yes");  // a pause before the first byte is no name
  EXPECT_EQ(answer_to(users, {std::string(kMaxUserName, 'u')}), "no");
  EXPECT_EQ(answer_to(users_of({{std::string(kMaxUserName, 'u'), ""}}), {std::string(kMaxUserName, 'u')}), "yes");
}

TEST(RsaEkeFraming, WhatFollowsMessage7IsTheFirstLine) {
  const Duel duel({.wire = [](int number, const Buffer& message) {
    auto bytes = message;
    if (number == 7)
      for (const char c : std::string_view("hello, world")) bytes.push_back(static_cast<std::uint8_t>(c));
    return std::vector<Buffer>{bytes};
  }});
  EXPECT_TRUE(succeeded(duel));
  EXPECT_EQ(as_text(duel.to_L.pending()), "hello, world");
}

TEST(RsaEkeFraming, IncomingTellsTheSizes) {
  testing::SeededRng rng(1);
  const auto users = users_of({{"server", "12345678"}});
  RsaListener L({.users = users}, GuessPermit::uncounted_for_study(), rng);
  RsaConnector C({.user = "server", .password = SecretBuffer::copy_of(as_bytes("12345678")), .key = fixed_key("4096")},
                 rng);
  Inbox to_L(L), to_C(C);
  const auto expect = [](const Machine& machine, std::size_t at_least, std::size_t at_most, bool silence_ends) {
    const auto incoming = machine.incoming();
    EXPECT_EQ(incoming.at_least, at_least);
    EXPECT_EQ(incoming.at_most, at_most);
    EXPECT_EQ(incoming.silence_ends, silence_ends);
  };
  expect(L, 1, 1024, true);
  to_L.arrive(C.take_message().value());
  expect(C, 2, 3, false);
  to_C.arrive(L.take_message().value());
  expect(L, 24, 1088, true);
  to_L.arrive(C.take_message().value());
  expect(C, 920, 920, false);
  to_C.arrive(L.take_message().value());
  expect(L, 24, 24, false);
  to_L.arrive(C.take_message().value());
  expect(C, 44, 44, false);
  to_C.arrive(L.take_message().value());
  expect(L, 24, 24, false);
}

TEST(RsaEkeFraming, AMessageCutShortIsNeverTakenForWhole) {
  for (const auto mode : kModes) {
    const Duel plain({.C_mode = mode, .L_mode = mode});
    for (int number = 2; number <= 7; ++number) {
      for (std::size_t size = 0; size < plain.messages[static_cast<std::size_t>(number) - 1].size(); ++size) {
        const Duel duel({.C_mode = mode, .L_mode = mode, .wire = [&](int i, const Buffer& message) {
                           return i == number ? std::vector<Buffer>{first(message, size), kSilence}
                                              : std::vector<Buffer>{message};
                         }});
        EXPECT_EQ(duel.messages.size(), static_cast<std::size_t>(number));
        EXPECT_NE(duel.L.want(), Want::done);
        if (number < 7) {
          EXPECT_NE(duel.C.want(), Want::done);
        }
      }
    }
  }
}

// Nobody speaks out of turn before message 7: what is appended earlier ends the run where it is read.
TEST(RsaEkeFraming, AMessageWithMoreBehindItEndsTheRun) {
  for (int number = 1; number <= 6; ++number) {
    for (const auto* more : {"x", "AAAA", "=", "\n", "yes", "no"}) {
      const Duel duel({.wire = [&](int i, const Buffer& message) {
        auto bytes = message;
        if (i == number)
          for (const char c : std::string_view(more)) bytes.push_back(static_cast<std::uint8_t>(c));
        return std::vector<Buffer>{bytes, kSilence};
      }});
      SCOPED_TRACE(std::to_string(number) + " " + more);
      if (number == 6) {  // C is done with message 6; what follows would be the first answer of the chat
        EXPECT_TRUE(succeeded(duel));
        EXPECT_EQ(as_text(duel.to_C.pending()), more);
      } else {
        EXPECT_FALSE(succeeded(duel));
      }
    }
  }
}

TEST(RsaEkeFraming, GarbageEndsTheRun) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    testing::SeededRng random(seed);
    for (int number = 1; number <= 7; ++number) {
      for (const bool as_base64 : {false, true}) {
        Buffer garbage(1200);
        random.fill(garbage);
        if (as_base64) garbage = crypto::base64_encode(garbage);
        const Duel duel({.wire = [&](int i, const Buffer& message) {
          return std::vector<Buffer>{i == number ? garbage : message, kSilence};
        }});
        EXPECT_TRUE(number % 2 == 0 ? duel.C.failure().has_value() : duel.L.failure().has_value()) << number;
        EXPECT_NE(duel.L.want(), Want::done);
      }
    }
  }
}

TEST(RsaEkeDigits, ASourceThatIsStuckIsAnError) {
  testing::StuckRng ones(0xff), zeros(0);
  EXPECT_EQ(random_digits(ones).error(), Errc::unavailable);
  EXPECT_EQ(as_text(random_digits(zeros).value().reveal()), "0000000000");
}

}  // namespace
}  // namespace pake::eke
