// Streams: what may be sent, what is a violation, who is served next, and how much is kept.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "pake/testing/fixed_rng.h"
#include "sides.h"
#include "streams.h"

namespace pake::channel {
namespace {

using testing::Pair;
using testing::Plaintext;
using testing::Victim;

// --- Violations.

struct Violation {
  const char* what;
  Role victim;
  std::function<void(Plaintext&)> frames;
};

const std::string kTooMuch(kInitialStreamWindow + 1, 'x');

/// Stream 1 is open and untouched; 3 is open, and the peer has finished; 5 is open, and the peer has reset it. 2, 7 and
/// above were never opened. The frames are sent by the client to a server, or by a server to the client that opened.
const std::vector<Violation>& violations() {
  using enum StreamFrameType;
  static const std::vector<Violation> all = {
      {"type 0", Role::server, [](auto& p) { p.frame(std::uint8_t{0}, 0, {}); }},
      {"type 9", Role::server, [](auto& p) { p.frame(std::uint8_t{9}, 0, as_bytes("12345678")); }},
      {"type 255", Role::server, [](auto& p) { p.frame(std::uint8_t{255}, 1, as_bytes("x")); }},
      {"half a header", Role::server, [](auto& p) { p.raw(as_bytes("\2\0\0")); }},
      {"a header with less behind it than it says", Role::server,
       [](auto& p) { p.raw(Bytes(Plaintext().data(1, "text").bytes()).first(11)); }},
      {"OPEN without a payload", Role::server, [](auto& p) { p.frame(open, 7); }},
      {"OPEN whose service is longer than it", Role::server, [](auto& p) { p.frame(open, 7, "\5echo"); }},
      {"OPEN of 1,281 bytes", Role::server, [](auto& p) { p.frame(open, 7, '\4' + std::string(1280, 'x')); }},
      {"OPEN of stream 0", Role::server, [](auto& p) { p.frame(open, 0, "\4echo"); }},
      {"OPEN with an even number", Role::server, [](auto& p) { p.frame(open, 8, "\4echo"); }},
      {"OPEN of an open stream", Role::server, [](auto& p) { p.frame(open, 1, "\4echo"); }},
      {"OPEN with a number below the last", Role::server,
       [](auto& p) { p.frame(open, 11, "\4echo").frame(open, 9, "\4echo"); }},
      {"OPEN with an odd number by a server", Role::client, [](auto& p) { p.frame(open, 7, "\4echo"); }},
      {"DATA without a payload", Role::server, [](auto& p) { p.data(1, ""); }},
      {"DATA on stream 0", Role::server, [](auto& p) { p.data(0, "x"); }},
      {"DATA on a stream never opened", Role::server, [](auto& p) { p.data(7, "x"); }},
      {"DATA on an even number", Role::server, [](auto& p) { p.data(2, "x"); }},
      {"DATA after FIN", Role::server, [](auto& p) { p.data(3, "x"); }},
      {"DATA after FIN, in one record", Role::server, [](auto& p) { p.data(1, "x").fin(1).data(1, "x"); }},
      {"DATA after RESET", Role::server, [](auto& p) { p.data(5, "x"); }},
      {"DATA beyond credit", Role::server, [](auto& p) { p.data(1, kTooMuch); }},
      {"DATA beyond credit, in two frames", Role::server, [](auto& p) { p.data(1, kTooMuch.substr(1)).data(1, "x"); }},
      {"FIN with a payload", Role::server, [](auto& p) { p.frame(fin, 1, "x"); }},
      {"FIN twice", Role::server, [](auto& p) { p.fin(3); }},
      {"FIN after RESET", Role::server, [](auto& p) { p.fin(5); }},
      {"FIN of a stream never opened", Role::server, [](auto& p) { p.fin(7); }},
      {"FIN of stream 0", Role::server, [](auto& p) { p.fin(0); }},
      {"RESET without a code", Role::server, [](auto& p) { p.frame(reset, 1); }},
      {"RESET with two", Role::server, [](auto& p) { p.frame(reset, 1, "\1\1"); }},
      {"RESET twice", Role::server, [](auto& p) { p.reset(5); }},
      {"RESET of a stream never opened", Role::server, [](auto& p) { p.reset(7); }},
      {"WINDOW of three bytes", Role::server, [](auto& p) { p.frame(window, 1, "\1\1\1"); }},
      {"WINDOW of five bytes", Role::server, [](auto& p) { p.frame(window, 1, "\1\1\1\1\1"); }},
      {"WINDOW of 0", Role::server, [](auto& p) { p.window(1, 0); }},
      {"WINDOW beyond 2^31 - 1", Role::server, [](auto& p) { p.window(1, 0x7fff'ffffU - kInitialStreamWindow + 1); }},
      {"WINDOW beyond 2^31 - 1, in two", Role::server,
       [](auto& p) { p.window(1, 0x7fff'ffffU - kInitialStreamWindow).window(1, 1); }},
      {"WINDOW beyond 2^32", Role::server, [](auto& p) { p.window(1, 0xffff'ffffU); }},
      {"WINDOW for a stream never opened", Role::server, [](auto& p) { p.window(7, 1); }},
      {"WINDOW for an even number", Role::server, [](auto& p) { p.window(2, 1); }},
      {"WINDOW for stream 0", Role::server, [](auto& p) { p.window(0, 1); }},
      {"WINDOW after RESET", Role::server, [](auto& p) { p.window(5, 1); }},
      {"PING of seven bytes", Role::server, [](auto& p) { p.frame(ping, 0, "1234567"); }},
      {"PING of nine bytes", Role::server, [](auto& p) { p.frame(ping, 0, "123456789"); }},
      {"PING on a stream", Role::server, [](auto& p) { p.frame(ping, 1, "12345678"); }},
      {"PONG of seven bytes", Role::server, [](auto& p) { p.frame(pong, 0, "1234567"); }},
      {"PONG on a stream", Role::server, [](auto& p) { p.frame(pong, 1, "12345678"); }},
      {"TICKET from a client", Role::server, [](auto& p) { p.frame(ticket, 0, "1234ticket"); }},
      {"TICKET without a ticket", Role::client, [](auto& p) { p.frame(ticket, 0, "1234"); }},
      {"TICKET of 1,025 bytes", Role::client, [](auto& p) { p.frame(ticket, 0, std::string(1029, 't')); }},
      {"TICKET on a stream", Role::client, [](auto& p) { p.frame(ticket, 1, "1234ticket"); }},
      {"DATA on a stream the client has not opened", Role::client, [](auto& p) { p.data(7, "x"); }},
      {"WINDOW for a stream the client has not opened", Role::client, [](auto& p) { p.window(7, 1); }},
  };
  return all;
}

/// With streams 1, 3 and 5 as `violations` says.
void prepare(Victim& victim, Role role) {
  Plaintext frames;
  for (const StreamId stream : {1U, 3U, 5U}) {
    if (role == Role::server) {
      frames.open(stream);
    } else {
      EXPECT_EQ(victim.side.channel.open(as_bytes("echo")), stream);
    }
  }
  victim.sent();
  EXPECT_TRUE(victim.feed(frames.fin(3).reset(5)));
  static_cast<void>(victim.side.events());
}

TEST(Streams, EveryViolationEndsTheChannelAndShowsNothingOfItsRecord) {
  for (const auto& violation : violations()) {
    Victim victim(violation.victim);
    prepare(victim, violation.victim);
    // In front of the violation stands something good, and behind it, too.
    Plaintext frames;
    frames.data(1, "good").frame(StreamFrameType::ping, 0, "12345678");
    if (std::string_view(violation.what).contains("credit")) frames = Plaintext();
    violation.frames(frames);
    EXPECT_EQ(victim.feed(frames), fail(Errc::malformed)) << violation.what;
    EXPECT_EQ(victim.side.channel.end(), EndReason::violation) << violation.what;
    EXPECT_TRUE(victim.side.text.empty()) << violation.what;
    EXPECT_EQ(victim.side.events(), "") << violation.what;
    EXPECT_EQ(victim.side.channel.buffered(), 0) << violation.what;
    EXPECT_EQ(victim.sent(), "CLOSE 2") << violation.what;
    EXPECT_EQ(victim.feed(Plaintext().frame(StreamFrameType::ping, 0, "12345678")), fail(Errc::malformed));
  }
}

TEST(Streams, WhatMayComeLateIsNoViolation) {
  Victim victim;
  prepare(victim, Role::server);
  EXPECT_TRUE(victim.feed(Plaintext().window(3, 1).reset(3))) << "after FIN";
  for (const StreamId stream : {1U, 3U, 5U}) victim.side.channel.release(stream);
  EXPECT_EQ(victim.sent(), "RESET 1 0, RESET 3 0, RESET 5 0");
  EXPECT_TRUE(victim.feed(Plaintext().window(3, 1).window(5, 1).reset(3))) << "not open any more";
  EXPECT_TRUE(victim.feed(Plaintext().data(1, "x").window(1, 1).fin(1))) << "dropped after our RESET";
  EXPECT_TRUE(victim.feed(Plaintext().window(1, 1).reset(1)));
  EXPECT_EQ(victim.feed(Plaintext().data(1, "x")), fail(Errc::malformed));
}

TEST(Streams, CreditCanBeUsedToTheLastByte) {
  Victim victim;
  victim.side.stalls_all = true;
  EXPECT_TRUE(
      victim.feed(Plaintext().open(1).data(1, kTooMuch.substr(1)).window(1, 0x7fff'ffffU - kInitialStreamWindow)));
  EXPECT_EQ(victim.side.channel.unread(1).size(), kInitialStreamWindow);
  EXPECT_EQ(victim.sent(), "") << "no credit for bytes that nobody has taken";
  EXPECT_EQ(victim.feed(Plaintext().data(1, "x")), fail(Errc::malformed));
}

// --- The end of a stream.

TEST(Streams, HalfAStreamGoesOnWithoutTheOther) {
  Pair pair;
  const auto stream = pair.open();
  EXPECT_TRUE(pair.client.channel.finish(stream));
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.events(), "opened 1 echo/, finished 1");
  for (const char* text : {"one", "two", "three"}) {
    EXPECT_TRUE(pair.server.channel.write(stream, as_bytes(text)));
    pair.run_until_quiet();
  }
  EXPECT_EQ(pair.client.text[stream], "onetwothree");
  EXPECT_TRUE(pair.server.channel.finish(stream));
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.events(), "finished 1");
}

TEST(Streams, AFinWaitsForWhatWasWritten) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1)));
  const std::string text(kInitialStreamWindow + 1, 't');
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
  EXPECT_TRUE(victim.side.channel.finish(1));
  EXPECT_EQ(victim.sent(), "DATA 1 16384");
  EXPECT_TRUE(victim.feed(Plaintext().window(1, 1)));
  EXPECT_EQ(victim.sent(), "DATA 1 1, FIN 1");
}

TEST(Streams, AStreamThatWasResetCountsUntilItsBackendIsGone) {
  Victim victim;
  Plaintext opens;
  for (StreamId i = 0; i < 256; ++i) opens.open(2 * i + 1);
  EXPECT_TRUE(victim.feed(opens));
  EXPECT_TRUE(victim.feed(Plaintext().reset(1).reset(3)));
  EXPECT_EQ(victim.sent(), "") << "the backends still run";
  victim.side.channel.release(3);
  EXPECT_EQ(victim.sent(), "RESET 3 0");
  EXPECT_TRUE(victim.feed(Plaintext().open(513))) << "one place is free";
  EXPECT_EQ(victim.feed(Plaintext().open(515)), fail(Errc::malformed)) << "the other is not";
  EXPECT_EQ(victim.sent(), "CLOSE 2");
}

TEST(Streams, BothSidesOpenThemByNumbersOfTheirOwn) {
  Pair pair;
  EXPECT_EQ(pair.open(), 1);
  for (const StreamId number : {2U, 4U}) EXPECT_EQ(pair.server.channel.open(as_bytes("wiki"), as_bytes("x")), number);
  EXPECT_EQ(pair.open(), 3);
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.events(), "opened 2 wiki/x, opened 4 wiki/x");
  EXPECT_EQ(pair.server.events(), "opened 1 echo/, opened 3 echo/");
  EXPECT_TRUE(pair.server.channel.write(2, as_bytes("to the client")));
  EXPECT_TRUE(pair.client.channel.write(2, as_bytes("to the server")));
  EXPECT_TRUE(pair.client.channel.finish(2));
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.text[2], "to the client");
  EXPECT_EQ(pair.server.text[2], "to the server");
  pair.client.channel.reset(4, ResetCode::no_such_service);
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.events(), "finished 2, written 2, reset 4 1");
}

TEST(Streams, NobodyOpensTheOthersNumbers) {
  for (const auto role : {Role::client, Role::server}) {
    Victim victim(role);
    EXPECT_EQ(victim.feed(Plaintext().open(role == Role::server ? 2 : 1)), fail(Errc::malformed));
    Victim late(role);
    const StreamId first = role == Role::server ? 5 : 4;
    EXPECT_TRUE(late.feed(Plaintext().open(first)));
    EXPECT_EQ(late.feed(Plaintext().open(first - 2)), fail(Errc::malformed)) << "numbers go up";
  }
}

// The sum is what is bounded: who opens beyond it, though within its own 256, is refused and has broken no rule.
TEST(Streams, MoreThan256OfBothSidesAreRefused) {
  Victim victim;
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(victim.side.channel.open(as_bytes("wiki")));
  static_cast<void>(victim.sent());
  Plaintext opens;
  for (StreamId i = 0; i < 60; ++i) opens.open(2 * i + 1);
  EXPECT_TRUE(victim.feed(opens));
  EXPECT_EQ(victim.sent(), "RESET 113 5, RESET 115 5, RESET 117 5, RESET 119 5");
  EXPECT_EQ(victim.side.channel.open(as_bytes("wiki")), fail(Errc::exhausted));
}

TEST(Streams, TheClientKeepsTo256) {
  Pair pair;
  for (int i = 0; i < 256; ++i) pair.open();
  EXPECT_EQ(pair.client.channel.open(as_bytes("echo")), fail(Errc::exhausted));
  pair.run_until_quiet();
  pair.client.channel.release(1);
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.channel.open(as_bytes("echo")), fail(Errc::exhausted)) << "the server still runs it";
  pair.server.channel.release(1);
  pair.run_until_quiet();
  EXPECT_EQ(pair.open(), 513);
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.channel.end(), std::nullopt);
}

// A peer that ends its streams, and whose last bytes the application never takes, must not make us keep ever more.
TEST(Streams, StreamsThatTheApplicationStillHasAreNotOpenButHoldTheirPlace) {
  Victim victim;
  victim.side.stalls_all = true;
  for (StreamId i = 0; i < 256; ++i) {
    EXPECT_TRUE(victim.feed(Plaintext().open(2 * i + 1).data(2 * i + 1, kTooMuch.substr(1)).fin(2 * i + 1)));
    EXPECT_TRUE(victim.side.channel.finish(2 * i + 1));
  }
  victim.sent();
  static_cast<void>(victim.side.events());
  EXPECT_TRUE(victim.feed(Plaintext().open(513).data(513, "x")));
  EXPECT_EQ(victim.sent(), "RESET 513 5");
  EXPECT_TRUE(victim.feed(Plaintext().data(513, "y").fin(513)));
  EXPECT_EQ(victim.side.events(), "") << "the application never heard of it";
  EXPECT_EQ(victim.side.channel.buffered(), 256 * kInitialStreamWindow);
  victim.side.channel.release(1);
  EXPECT_TRUE(victim.feed(Plaintext().open(515)));
  EXPECT_EQ(victim.side.events(), "opened 515 echo/");
}

TEST(Streams, ResetDropsWhatIsUnreadAndUnsent) {
  Pair pair;
  pair.server.stalls_all = true;
  const auto stream = pair.open();
  const std::string text(20'000, 't');
  EXPECT_TRUE(pair.client.channel.write(stream, as_bytes(text)));
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.channel.buffered(), kInitialStreamWindow);
  EXPECT_EQ(pair.client.channel.unsent(stream).size(), 20'000 - kInitialStreamWindow);
  static_cast<void>(pair.server.events());
  pair.client.channel.reset(stream, ResetCode::backend_failed);
  EXPECT_TRUE(pair.client.channel.unsent(stream).empty());
  EXPECT_EQ(pair.client.channel.write(stream, as_bytes("x")), fail(Errc::misuse));
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.events(), "reset 1 4");
  EXPECT_EQ(pair.server.channel.buffered(), 0);
  EXPECT_EQ(pair.server.channel.write(stream, as_bytes("x")), fail(Errc::unavailable));
  pair.server.channel.release(stream);
  pair.client.channel.release(stream);
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.events(), "") << "the answer to our own reset is no news";
}

TEST(Streams, AnUnknownResetCodeIsACancellation) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1).reset(1, static_cast<ResetCode>(6))));
  EXPECT_EQ(victim.side.events(), "opened 1 echo/, reset 1 0");
}

// A server that has answered and finished, and does not care for the rest of the request, loses nothing of its answer.
TEST(Streams, ReleaseAfterFinishKeepsWhatWasSaid) {
  Pair pair;
  const auto stream = pair.open();
  pair.run_until_quiet();
  pair.client.stalls_all = true;
  EXPECT_TRUE(pair.server.channel.write(stream, as_bytes("answer")));
  pair.run_until_quiet();
  EXPECT_TRUE(pair.server.channel.finish(stream));
  pair.server.channel.release(stream);
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.events(), "finished 1, reset 1 0");
  EXPECT_EQ(as_text(pair.client.channel.unread(stream)), "answer");
  EXPECT_EQ(pair.client.channel.write(stream, as_bytes("more of the request")), fail(Errc::unavailable));
  pair.client.channel.release(stream);
  pair.run_until_quiet();
}

TEST(Streams, ReleaseInTheMiddleOfAWriteBreaksTheStreamOff) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1)));
  const std::string text(kInitialStreamWindow + 1, 't');
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
  EXPECT_TRUE(victim.side.channel.finish(1));
  EXPECT_EQ(victim.sent(), "DATA 1 16384");
  victim.side.channel.release(1);
  EXPECT_EQ(victim.sent(), "RESET 1 0") << "no FIN behind text that is not whole";
}

TEST(Streams, ReleaseOfAFinishedStreamSaysNothing) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1).fin(1)));
  EXPECT_TRUE(victim.side.channel.finish(1));
  victim.side.channel.release(1);
  EXPECT_EQ(victim.sent(), "FIN 1");
  EXPECT_EQ(victim.side.channel.write(1, as_bytes("x")), fail(Errc::misuse)) << "gone";
}

TEST(Streams, FinAndResetMayCross) {
  Pair pair;
  const auto stream = pair.open();
  pair.run_until_quiet();
  EXPECT_TRUE(pair.client.channel.finish(stream));
  EXPECT_TRUE(pair.server.channel.finish(stream));
  pair.server.channel.release(stream);  // FIN and RESET
  const auto from_client = pair.client.produce(), from_server = pair.server.produce();
  EXPECT_TRUE(pair.server.receive(from_client));
  EXPECT_TRUE(pair.client.receive(from_server));
  pair.client.channel.release(stream);
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.channel.end(), std::nullopt);
  EXPECT_EQ(pair.server.channel.end(), std::nullopt);
}

// In the middle of a record, with DATA, FIN and an OPEN still to be told of.
TEST(Streams, AnApplicationMayBreakOffWhileItIsTold) {
  for (const bool reset : {false, true}) {
    Victim victim;
    auto& channel = victim.side.channel;
    EXPECT_TRUE(victim.feed(Plaintext().open(1)));
    EXPECT_TRUE(channel.finish(1));
    victim.sent();
    auto record = victim.seal(Plaintext().data(1, "one").data(1, "two").fin(1).open(3).bytes());
    EXPECT_TRUE(channel.receive(record, {}));
    const auto told = channel.next_event();
    ASSERT_TRUE(told && std::holds_alternative<Readable>(*told));
    EXPECT_EQ(as_text(channel.unread(1)), "one");
    if (reset) channel.reset(1, ResetCode::cancelled);
    if (!reset) channel.release(1);
    EXPECT_TRUE(channel.unread(1).empty());
    const auto next = channel.next_event();
    EXPECT_TRUE(next && std::holds_alternative<Opened>(*next));
    EXPECT_FALSE(channel.next_event());
    EXPECT_EQ(channel.buffered(), 0);
  }
}

TEST(Streams, WhatWasTakenBackIsNotSent) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1)));
  const std::string text(kInitialStreamWindow + 5, 't');
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
  victim.sent();
  EXPECT_EQ(victim.side.channel.withdraw(1).size(), 5);
  EXPECT_TRUE(victim.side.channel.withdraw(1).empty());
  EXPECT_TRUE(victim.feed(Plaintext().window(1, 100)));
  EXPECT_EQ(victim.sent(), "");
  EXPECT_EQ(victim.side.events(), "opened 1 echo/") << "and was not written";
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes("other")));
  EXPECT_EQ(victim.sent(), "DATA 1 5");
}

// --- Order and fairness.

TEST(Streams, ControlFramesGoFirst) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1).open(3).window(1, 1'000'000)));
  const std::string text(100'000, 't');
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
  EXPECT_TRUE(victim.feed(Plaintext().data(3, kTooMuch.substr(1)).frame(StreamFrameType::ping, 0, "12345678")));
  EXPECT_EQ(victim.sent().substr(0, 43), "PONG 12345678, WINDOW 3 32768, DATA 1 32732");
}

TEST(Streams, EveryStreamGetsItsTurn) {
  Victim victim;
  Plaintext opens;
  for (StreamId stream = 1; stream < 20; stream += 2) opens.open(stream).window(stream, 1'000'000);
  EXPECT_TRUE(victim.feed(opens));
  const std::string text(1'000'000, 't');
  for (StreamId stream = 1; stream < 20; stream += 2) EXPECT_TRUE(victim.side.channel.write(stream, as_bytes(text)));
  Buffer out(kMaxRecordSize);
  for (int round = 0; round < 7; ++round)
    for (int i = 0; i < 10; ++i) EXPECT_EQ(victim.side.channel.produce(out, {}), out.size());
  for (StreamId stream = 1; stream < 20; stream += 2)
    EXPECT_EQ(victim.side.channel.unsent(stream).size(), 1'000'000 - 7 * (kMaxPlaintextSize - kStreamFrameHeaderSize));
}

TEST(Streams, SmallWritesOfManyStreamsShareARecord) {
  Victim victim;
  Plaintext opens;
  for (StreamId stream = 1; stream < 200; stream += 2) opens.open(stream);
  EXPECT_TRUE(victim.feed(opens));
  for (StreamId stream = 1; stream < 200; stream += 2) EXPECT_TRUE(victim.side.channel.write(stream, as_bytes("line")));
  EXPECT_EQ(victim.side.produce().size(), kRecordOverhead + 100 * (kStreamFrameHeaderSize + 4));
}

TEST(Streams, AStalledStreamStallsNoOther) {
  Pair pair;
  const auto stalled = pair.open(), busy = pair.open();
  pair.server.stalled = {stalled};
  const std::string text(10'000'000, 't');
  EXPECT_TRUE(pair.client.channel.write(stalled, as_bytes(text)));
  EXPECT_TRUE(pair.client.channel.write(busy, as_bytes(text)));
  EXPECT_TRUE(pair.client.channel.finish(busy));
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.text[busy], text);
  EXPECT_EQ(pair.server.text[stalled], "");
  EXPECT_EQ(pair.server.channel.buffered(), kInitialStreamWindow);
  pair.server.stalled = {};
  pair.server.read(stalled);
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.text[stalled], text);
}

TEST(Streams, AHundredStalledStreamsStallNoOther) {
  Pair pair;
  const std::string text(100'000, 't');
  for (int i = 0; i < 100; ++i) {
    pair.server.stalled.push_back(pair.open());
    EXPECT_TRUE(pair.client.channel.write(pair.server.stalled.back(), as_bytes(text)));
  }
  const auto busy = pair.open();
  EXPECT_TRUE(pair.client.channel.write(busy, as_bytes(text)));
  pair.run_until_quiet();
  EXPECT_EQ(pair.server.text[busy], text);
  EXPECT_EQ(pair.server.channel.buffered(), 100 * kInitialStreamWindow);
}

// --- Credit and memory.

/// What a sender gets through in one round trip of a pipe of any length.
std::size_t sent_in_a_round(Pair& pair, StreamId stream) {
  const auto before = pair.client.channel.unsent(stream).size();
  const auto out = pair.client.produce();
  const auto sent = before - pair.client.channel.unsent(stream).size();
  EXPECT_TRUE(pair.server.receive(out));
  EXPECT_TRUE(pair.client.receive(pair.server.produce()));
  return sent;
}

TEST(Streams, AFastReaderBehindALongPipeGetsAMegabyteAndMore) {
  Pair pair;
  const auto stream = pair.open();
  const std::string text(60'000'000, 't');
  EXPECT_TRUE(pair.client.channel.write(stream, as_bytes(text)));
  std::size_t rounds = 1;
  EXPECT_EQ(sent_in_a_round(pair, stream), kInitialStreamWindow);
  while (sent_in_a_round(pair, stream) < 1U << 20U) ASSERT_LT(++rounds, 10);
  EXPECT_LE(rounds, 7) << "it doubles every round";
  std::size_t most = 0;
  for (int i = 0; i < 10; ++i) most = std::max(most, sent_in_a_round(pair, stream));
  EXPECT_GE(most, 1U << 20U);
  EXPECT_LE(most, 2U << 20U) << "and leaves something in the pool";
  EXPECT_EQ(pair.server.channel.buffered(), 0);
}

TEST(Streams, APoolSharedByManyIsNeverOverdrawnAndComesBack) {
  Pair pair;
  const std::string text(20'000'000, 't');
  std::vector<StreamId> streams;
  for (int round = 0; round < 3; ++round) {
    streams.clear();
    for (int i = 0; i < 20; ++i) streams.push_back(pair.open());
    for (const auto stream : streams) EXPECT_TRUE(pair.client.channel.write(stream, as_bytes(text)));
    for (int i = 0; i < 12; ++i) {
      EXPECT_TRUE(pair.server.receive(pair.client.produce()));
      EXPECT_TRUE(pair.client.receive(pair.server.produce()));
    }
    pair.server.stalls_all = true;
    pair.run_until_quiet();
    EXPECT_LE(pair.server.channel.buffered(), 20 * kInitialStreamWindow + kSharedWindow);
    EXPECT_GE(pair.server.channel.buffered(), kSharedWindow / 2) << "much was promised, in every round";
    pair.server.stalls_all = false;
    for (const auto stream : streams) {
      pair.client.channel.release(stream);
      pair.server.channel.release(stream);
    }
    pair.run_until_quiet();
    EXPECT_EQ(pair.server.channel.buffered(), 0);
  }
}

TEST(Streams, AStreamThatFinishedGivesItsShareOfThePoolBack) {
  Pair pair;
  const std::string text(20'000'000, 't');
  const auto first = pair.open();
  EXPECT_TRUE(pair.client.channel.write(first, as_bytes(text)));
  EXPECT_TRUE(pair.client.channel.finish(first));
  pair.run_until_quiet();
  for (int i = 0; i < 3; ++i) {  // the first one is never released
    const auto next = pair.open();
    EXPECT_TRUE(pair.client.channel.write(next, as_bytes(text)));
    std::size_t most = 0;
    for (int round = 0; round < 9; ++round) most = std::max(most, sent_in_a_round(pair, next));
    EXPECT_GE(most, 1U << 20U) << i;
    EXPECT_TRUE(pair.client.channel.finish(next));
    pair.run_until_quiet();
  }
}

TEST(Streams, ReadingWhatIsLeftAfterAFinGivesNoMoreCreditAndThePoolBack) {
  Pair pair;
  const auto stream = pair.open();
  const std::string text(10'000'000, 't');
  EXPECT_TRUE(pair.client.channel.write(stream, as_bytes(text)));
  while (sent_in_a_round(pair, stream) < 1U << 20U) continue;
  pair.server.stalls_all = true;
  pair.run_until_quiet();
  EXPECT_TRUE(pair.client.channel.withdraw(stream).size() > 0);
  EXPECT_TRUE(pair.client.channel.finish(stream));
  pair.run_until_quiet();
  EXPECT_GE(pair.server.channel.buffered(), 1U << 20U);
  pair.server.stalls_all = false;
  pair.server.read(stream);
  EXPECT_FALSE(pair.server.channel.wants_to_send());
  for (int i = 0; i < 2; ++i) {  // two more come to as much as the first, which only the whole pool can give
    const auto next = pair.open();
    EXPECT_TRUE(pair.client.channel.write(next, as_bytes(text)));
    std::size_t most = 0;
    for (int round = 0; round < 9; ++round) most = std::max(most, sent_in_a_round(pair, next));
    EXPECT_GE(most, 1U << 20U) << i;
  }
}

// It makes each window as wide as it gets; then all readers stall, and it sends until it may send no more.
TEST(Streams, NoPeerMakesAChannelKeepMoreThanItSaid) {
  Victim victim;
  std::vector<std::uint32_t> credit(256, kInitialStreamWindow);
  const auto note_windows = [&](const std::string& sent) {
    std::size_t at = 0;
    while ((at = sent.find("WINDOW ", at)) != std::string::npos) {
      at += 7;
      const auto stream = std::stoul(sent.substr(at));
      credit[stream / 2] += static_cast<std::uint32_t>(std::stoul(sent.substr(sent.find(' ', at))));
    }
  };
  const auto spend = [&](std::size_t most_each) {
    for (StreamId i = 0; i < 256; ++i)
      for (auto left = std::min<std::size_t>(credit[i], most_each); left != 0;) {
        const auto size = std::min<std::size_t>(left, 32'000);
        EXPECT_TRUE(victim.feed(Plaintext().data(2 * i + 1, std::string(size, 'x'))));
        credit[i] -= static_cast<std::uint32_t>(size);
        left -= size;
        note_windows(victim.sent());
      }
  };
  Plaintext opens;
  for (StreamId i = 0; i < 256; ++i) opens.open(2 * i + 1);
  EXPECT_TRUE(victim.feed(opens));
  for (int round = 0; round < 6; ++round) spend(1U << 20U);
  victim.side.stalls_all = true;
  spend(SIZE_MAX);
  EXPECT_LE(victim.side.channel.buffered(), 256 * kInitialStreamWindow + kSharedWindow);
  EXPECT_GE(victim.side.channel.buffered(), 256 * kInitialStreamWindow + kSharedWindow / 4);
  for (const auto left : credit) EXPECT_EQ(left, 0);
  EXPECT_EQ(victim.feed(Plaintext().data(1, "x")), fail(Errc::malformed));
  EXPECT_EQ(victim.side.channel.buffered(), 0);
}

}  // namespace
}  // namespace pake::channel
