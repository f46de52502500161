// One channel at each end: the life of a channel, from its first record to its end.
#include "pake/channel/channel.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

#include "channel_impl.h"
#include "pake/testing/hex.h"
#include "record_access.h"
#include "sides.h"

namespace pake::channel {

struct ChannelTestAccess {
  static void send_from(Channel& channel, std::uint64_t sequence) {
    RecordTestAccess::begin_at(channel.impl_->sealer_, sequence);
  }
};

namespace {

using std::chrono::seconds;
using testing::Pair;
using testing::Plaintext;
using testing::Side;
using testing::Victim;

TEST(Channel, OpeningAStreamCostsNoRoundTrip) {
  Pair pair;
  const auto stream = pair.open("echo", "argument");
  EXPECT_TRUE(pair.client.channel.write(stream, as_bytes("hello")));
  EXPECT_TRUE(pair.client.channel.finish(stream));
  const auto wire = pair.client.produce();
  EXPECT_EQ(wire.size(), kRecordOverhead + (8 + 1 + 4 + 8) + (8 + 5) + 8) << "one record";
  EXPECT_EQ(pair.client.events(), "written 1");
  EXPECT_TRUE(pair.server.receive(wire));
  EXPECT_EQ(pair.server.events(), "opened 1 echo/argument, finished 1");
  EXPECT_EQ(pair.server.text[1], "hello");
}

TEST(Channel, CarriesBytesBothWaysAndEndsInTwoCloses) {
  for (const auto aead : {AeadId::aes_256_gcm, AeadId::chacha20_poly1305}) {
    Pair pair(aead);
    const auto stream = pair.open();
    const std::string request(100'000, 'q'), answer(200'000, 'a');
    EXPECT_TRUE(pair.client.channel.write(stream, as_bytes(request)));
    EXPECT_TRUE(pair.client.channel.finish(stream));
    pair.run_until_quiet();
    EXPECT_EQ(pair.server.text[stream], request);
    EXPECT_EQ(pair.server.events(), "opened 1 echo/, finished 1");
    EXPECT_TRUE(pair.server.channel.write(stream, as_bytes(answer)));
    EXPECT_TRUE(pair.server.channel.finish(stream));
    pair.run_until_quiet();
    EXPECT_EQ(pair.client.text[stream], answer);
    EXPECT_EQ(pair.client.events(), "written 1, finished 1");
    pair.client.channel.release(stream);
    pair.server.channel.release(stream);

    pair.client.channel.close(CloseCode::done);
    pair.run_until_quiet();
    EXPECT_EQ(pair.server.events(), "written 1, closed 0");
    EXPECT_EQ(pair.client.events(), "closed 0");
    EXPECT_EQ(pair.client.channel.end(), EndReason::closed);
    EXPECT_EQ(pair.server.channel.end(), EndReason::closed);
    EXPECT_TRUE(pair.client.channel.end_of_input());
    EXPECT_TRUE(pair.server.channel.end_of_input());
    EXPECT_EQ(pair.server.channel.deadline(), Instant::max());
  }
}

TEST(Channel, AnyOutputBufferWillDo) {
  for (const std::size_t room : {Channel::kMinOutput, std::size_t{3000}, kMaxRecordSize, std::size_t{1} << 20U}) {
    Pair pair;
    const std::string argument(1279 - 4, 'x'), text(16'384, 't');
    for (int i = 0; i < 10; ++i) {
      const auto stream = pair.open("long", argument);
      EXPECT_TRUE(pair.client.channel.write(stream, as_bytes(text)));
    }
    EXPECT_TRUE(pair.server.receive(pair.client.produce(room)));
    for (StreamId stream = 1; stream <= 19; stream += 2) EXPECT_EQ(pair.server.text[stream], text) << room;
  }
}

TEST(Channel, AnySplitOfTheInputWillDo) {
  Pair sender;
  const auto stream = sender.open();
  const std::string text(300, 't');
  EXPECT_TRUE(sender.client.channel.write(stream, as_bytes(text)));
  auto wire = sender.client.produce();
  EXPECT_TRUE(sender.client.channel.finish(stream));
  const auto more = sender.client.produce();
  wire.insert(wire.end(), more.begin(), more.end());
  for (std::size_t at = 0; at <= wire.size(); ++at) {
    Pair pair;
    EXPECT_TRUE(pair.server.receive(Bytes(wire).first(at)));
    EXPECT_TRUE(pair.server.receive(Bytes(wire).subspan(at)));
    EXPECT_EQ(pair.server.text[stream], text);
    EXPECT_EQ(pair.server.events(), "opened 1 echo/, finished 1");
  }
}

// --- What is not the peer's, and what is missing.

TEST(Channel, EveryBitOnTheWireMatters) {
  Pair sender;
  const auto stream = sender.open();
  EXPECT_TRUE(sender.client.channel.write(stream, as_bytes("some text")));
  EXPECT_TRUE(sender.client.channel.finish(stream));
  const auto wire = sender.client.produce();
  for (std::size_t bit = 0; bit < 8 * wire.size(); ++bit) {
    Pair pair;
    auto flipped = wire;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    static_cast<void>(pair.server.receive(flipped));
    EXPECT_EQ(pair.server.events(), "") << bit;
    EXPECT_TRUE(pair.server.text.empty()) << bit;
    EXPECT_FALSE(pair.server.channel.end_of_input()) << bit;
    // A longer length is a record that is not whole; all others are seen at once.
    const auto end = pair.server.channel.end();
    EXPECT_TRUE(end == EndReason::not_authentic || end == EndReason::violation || end == EndReason::cut) << bit;
    EXPECT_EQ(end == EndReason::cut, bit / 8 >= 1 && bit / 8 < 4 &&
                                         flipped[2] * 256 + flipped[3] > wire[2] * 256 + wire[3] && flipped[1] == 0 &&
                                         flipped[2] * 256 + flipped[3] <= 32'784)
        << bit;
  }
}

TEST(Channel, ARecordThatDoesNotOpenIsAnsweredWithClose2) {
  Victim victim;
  auto record = victim.seal(Plaintext().open(1).bytes());
  record.back() ^= 1U;
  EXPECT_EQ(victim.side.receive(record), fail(Errc::auth_failed));
  EXPECT_EQ(victim.side.channel.end(), EndReason::not_authentic);
  EXPECT_EQ(victim.sent(), "CLOSE 2");
  EXPECT_EQ(victim.side.receive(record), fail(Errc::auth_failed)) << "and stays so";
  EXPECT_EQ(victim.sent(), "");
}

TEST(Channel, EveryTruncationIsAnErrorUntilTheCloseIsRead) {
  Pair sender;
  const auto stream = sender.open();
  EXPECT_TRUE(sender.client.channel.write(stream, as_bytes("some text")));
  EXPECT_TRUE(sender.client.channel.finish(stream));
  sender.client.channel.close(CloseCode::done);
  const auto wire = sender.client.produce();
  for (std::size_t size = 0; size <= wire.size(); ++size) {
    Pair pair;
    EXPECT_TRUE(pair.server.receive(Bytes(wire).first(size)));
    const auto status = pair.server.channel.end_of_input();
    if (size == wire.size()) {
      EXPECT_TRUE(status);
      EXPECT_EQ(pair.server.channel.end(), std::nullopt) << "our own Close is still to be sent";
      pair.server.produce();
      EXPECT_EQ(pair.server.channel.end(), EndReason::closed);
    } else {
      EXPECT_EQ(status, fail(Errc::unavailable)) << size;
      EXPECT_EQ(pair.server.channel.end(), EndReason::cut) << size;
      EXPECT_FALSE(pair.server.channel.wants_to_send());
    }
  }
}

TEST(Channel, AnAlertInPlaceOfTheServersFirstRecordIsARefusal) {
  const auto alert = Alert{.code = AlertCode::throttled, .retry_after = 7}.encode();
  Victim client(Role::client);
  EXPECT_EQ(client.side.receive(alert), fail(Errc::auth_failed));
  EXPECT_EQ(client.side.channel.end(), EndReason::refused);
  ASSERT_TRUE(client.side.channel.alert());
  EXPECT_EQ(client.side.channel.alert()->retry_after, 7);
  EXPECT_EQ(client.sent(), "");

  Victim later(Role::client);
  EXPECT_TRUE(later.feed(Plaintext().frame(StreamFrameType::ping, 0, "01234567")));
  EXPECT_EQ(later.side.receive(alert), fail(Errc::malformed));
  EXPECT_EQ(later.side.channel.end(), EndReason::violation);

  Victim server(Role::server);
  EXPECT_EQ(server.side.receive(alert), fail(Errc::malformed));
  EXPECT_EQ(server.side.channel.end(), EndReason::violation);
  EXPECT_FALSE(server.side.channel.alert());

  Victim malformed(Role::client);
  EXPECT_EQ(malformed.side.receive(testing::Plaintext().raw(pake::testing::unhex("050000050900000000")).bytes()),
            fail(Errc::malformed));
  EXPECT_EQ(malformed.side.channel.end(), EndReason::violation);
}

// --- Close.

TEST(Channel, ACloseWaitsForWhatWasWritten) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1)));
  const std::string text(20'000, 't');
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
  EXPECT_TRUE(victim.side.channel.finish(1));
  victim.side.channel.close(CloseCode::going_away);
  victim.side.channel.close(CloseCode::done);
  EXPECT_EQ(victim.sent(), "DATA 1 16384");
  EXPECT_FALSE(victim.side.channel.wants_to_send()) << "no credit";
  EXPECT_TRUE(victim.feed(Plaintext().window(1, 10'000)));
  EXPECT_EQ(victim.sent(), "DATA 1 3616, FIN 1, CLOSE 1");
  EXPECT_EQ(victim.side.channel.end(), std::nullopt) << "the peer has not closed";
  EXPECT_TRUE(victim.feed(Plaintext().data(1, "late"))) << "and may still send";
  EXPECT_EQ(victim.side.text[1], "late");
  EXPECT_TRUE(victim.feed_close(0));
  EXPECT_EQ(victim.side.channel.end(), EndReason::closed);
}

TEST(Channel, AReadCloseIsAnsweredWhenAllIsSentThatCanBe) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1).open(3).fin(3)));
  const std::string text(20'000, 't');
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
  EXPECT_TRUE(victim.side.channel.write(3, as_bytes(text)));
  static_cast<void>(victim.side.events());
  EXPECT_TRUE(victim.feed_close(0));
  EXPECT_EQ(victim.side.events(), "reset 1 0, closed 0") << "stream 1 was cut, stream 3 was not";
  EXPECT_EQ(victim.side.channel.end(), std::nullopt);
  EXPECT_EQ(victim.side.channel.finish(3), fail(Errc::unavailable));
  EXPECT_EQ(victim.side.channel.receive({}, {}), 0);
  EXPECT_EQ(victim.sent(), "DATA 3 16384, CLOSE 0") << "no more credit can come";
  EXPECT_EQ(victim.side.channel.end(), EndReason::closed);
}

TEST(Channel, AfterTheClosesNothingIsReadAndNothingIsSent) {
  Victim victim;
  EXPECT_TRUE(victim.feed_close(1));
  EXPECT_EQ(victim.side.events(), "closed 1");
  EXPECT_EQ(victim.sent(), "CLOSE 0");
  auto more = pake::testing::unhex("ffffffffffffffff");
  EXPECT_EQ(victim.side.channel.receive(more, {}), 0) << "whatever it is";
  EXPECT_EQ(victim.side.channel.end(), EndReason::closed);
  EXPECT_EQ(victim.side.channel.open(as_bytes("echo")), fail(Errc::unavailable));
}

TEST(Channel, ACloseWithABadReasonIsAnError) {
  for (const auto code : std::to_array<std::uint8_t>({2, 3, 5, 255})) {
    Victim victim;
    EXPECT_TRUE(victim.feed(Plaintext().open(1)));
    EXPECT_EQ(victim.feed_close(code), fail(Errc::unavailable));
    EXPECT_EQ(victim.side.channel.end(), EndReason::peer_failed);
    EXPECT_EQ(victim.sent(), "CLOSE 0");
  }
}

TEST(Channel, ACloseIsAnsweredByTheApplicationAlone) {
  Victim victim;
  victim.side.answers_close = false;
  EXPECT_TRUE(victim.feed_close(0));
  EXPECT_EQ(victim.side.events(), "closed 0");
  EXPECT_EQ(victim.sent(), "") << "nobody has said that all was delivered";
  const Instant start{};
  EXPECT_EQ(victim.side.channel.deadline(), start + seconds(15));
  victim.side.channel.tick(start + seconds(15));
  EXPECT_EQ(victim.sent(start + seconds(15)), std::string("PONG ") + std::string(8, '\0')) << "the peer waits";
  EXPECT_EQ(victim.side.channel.deadline(), start + seconds(30));
  victim.side.channel.tick(start + seconds(3600));
  EXPECT_EQ(victim.side.channel.end(), std::nullopt);
  victim.side.channel.close(CloseCode::done);
  EXPECT_EQ(victim.sent(), std::string("PONG ") + std::string(8, '\0') + ", CLOSE 0");
  EXPECT_EQ(victim.side.channel.end(), EndReason::closed);
}

TEST(Channel, WhatCouldNotBeDeliveredIsTold) {
  Pair pair;
  pair.server.answers_close = false;
  const auto stream = pair.open();
  EXPECT_TRUE(pair.client.channel.write(stream, as_bytes("text")));
  EXPECT_TRUE(pair.client.channel.finish(stream));
  pair.client.channel.close(CloseCode::done);
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.channel.end(), std::nullopt);
  pair.server.channel.close(CloseCode::not_delivered);
  EXPECT_EQ(pair.client.receive(pair.server.produce()), fail(Errc::unavailable));
  EXPECT_EQ(pair.client.channel.end(), EndReason::not_delivered);
  EXPECT_EQ(pair.server.channel.end(), EndReason::closed);
}

TEST(Channel, WhoHasFailedClosesAtOnce) {
  for (const auto code : {CloseCode::rules_broken, CloseCode::internal_error, CloseCode::not_delivered}) {
    Victim victim;
    EXPECT_TRUE(victim.feed(Plaintext().open(1)));
    const std::string text(20'000, 't');
    EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
    victim.side.channel.close(CloseCode::done);
    victim.side.channel.close(code);
    EXPECT_EQ(victim.sent(), "CLOSE " + std::to_string(std::to_underlying(code)));
    EXPECT_TRUE(victim.feed_close(0));
    EXPECT_EQ(victim.side.channel.end(), EndReason::closed);
  }
}

TEST(Channel, APeerThatNeverClosesIsLeftAtTheDeadline) {
  Victim victim;
  const Instant start{};
  victim.side.channel.close(CloseCode::going_away, start + seconds(60));
  victim.side.channel.close(CloseCode::done, start + seconds(30));
  victim.side.channel.close(CloseCode::done, start + seconds(90));
  EXPECT_EQ(victim.sent(), "CLOSE 1");
  for (int i = 1; i < 30; ++i) {
    const auto now = start + seconds(i);
    EXPECT_TRUE(victim.feed(Plaintext().frame(StreamFrameType::ping, 0, "01234567"), now));
    victim.side.channel.tick(now);
    EXPECT_EQ(victim.side.channel.end(), std::nullopt);
    EXPECT_LE(victim.side.channel.deadline(), start + seconds(30));
  }
  victim.side.channel.tick(start + seconds(30));
  EXPECT_EQ(victim.side.channel.end(), EndReason::unanswered);
  EXPECT_EQ(victim.sent(), "");
  EXPECT_EQ(victim.feed(Plaintext().frame(StreamFrameType::ping, 0, "01234567")), fail(Errc::unavailable));
}

TEST(Channel, TheDeadlineHoldsAlsoForAPeerThatTakesNothing) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1)));
  const std::string text(20'000, 't');
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes(text)));
  victim.side.channel.close(CloseCode::done, Instant{} + seconds(10));
  EXPECT_EQ(victim.sent(), "DATA 1 16384");
  victim.side.channel.tick(Instant{} + seconds(10));
  EXPECT_EQ(victim.side.channel.end(), EndReason::unanswered);
}

TEST(Channel, AbortEndsItAtOnce) {
  Victim victim;
  EXPECT_TRUE(victim.feed(Plaintext().open(1)));
  EXPECT_TRUE(victim.side.channel.write(1, as_bytes("text")));
  victim.side.channel.close(CloseCode::done);
  victim.side.channel.abort();
  EXPECT_EQ(victim.side.channel.end(), EndReason::aborted);
  EXPECT_EQ(victim.sent(), "");
  EXPECT_EQ(victim.side.channel.next_event(), std::nullopt);
  EXPECT_EQ(victim.side.channel.write(1, as_bytes("text")), fail(Errc::unavailable));

  Victim after_failure;
  EXPECT_EQ(after_failure.feed(Plaintext().data(1, "x")), fail(Errc::malformed));
  after_failure.side.channel.abort();
  EXPECT_EQ(after_failure.sent(), "") << "not even its Close";
}

TEST(Channel, TwoClosesMayCross) {
  Pair pair;
  pair.client.channel.close(CloseCode::done);
  pair.server.channel.close(CloseCode::going_away);
  const auto from_client = pair.client.produce(), from_server = pair.server.produce();
  EXPECT_TRUE(pair.client.receive(from_server));
  EXPECT_TRUE(pair.server.receive(from_client));
  EXPECT_EQ(pair.client.channel.end(), EndReason::closed);
  EXPECT_EQ(pair.server.channel.end(), EndReason::closed);
  EXPECT_EQ(pair.client.events(), "closed 1");
  EXPECT_EQ(pair.server.events(), "closed 0");
}

TEST(Channel, TheLastRecordOfADirectionIsItsClose) {
  Pair pair;
  const auto stream = pair.open();
  EXPECT_TRUE(pair.client.channel.write(stream, as_bytes("text")));
  ChannelTestAccess::send_from(pair.client.channel, kMaxRecords - 1);
  pair.client.produce();
  EXPECT_EQ(pair.client.channel.end(), EndReason::exhausted);
  EXPECT_EQ(pair.client.channel.write(stream, as_bytes("text")), fail(Errc::unavailable));
}

// --- Life.

TEST(Channel, ASilentPeerIsPingedAndThenGivenUp) {
  Victim victim;
  auto& channel = victim.side.channel;
  const Instant start{};
  EXPECT_EQ(channel.deadline(), start + seconds(15));
  channel.tick(start + seconds(14));
  EXPECT_FALSE(channel.wants_to_send());
  channel.tick(start + seconds(15));
  EXPECT_EQ(victim.sent(), "PING 8");
  EXPECT_EQ(channel.deadline(), start + seconds(45));
  channel.tick(start + seconds(44));
  EXPECT_EQ(victim.sent(), "") << "one is enough";
  EXPECT_TRUE(victim.feed(Plaintext().frame(StreamFrameType::pong, 0, "01234567"), start + seconds(44)));
  EXPECT_EQ(channel.deadline(), start + seconds(59));
  channel.tick(start + seconds(59));
  EXPECT_EQ(victim.sent(), "PING 8");
  channel.tick(start + seconds(89));
  EXPECT_EQ(channel.end(), EndReason::silent);
  EXPECT_EQ(channel.deadline(), Instant::max());
  EXPECT_EQ(victim.sent(), "");
  EXPECT_EQ(channel.end_of_input(), fail(Errc::unavailable));
}

// The side that only reads says every 15 s that it lives, by its credit if there is any to tell.
TEST(Channel, WhoOnlyReadsGivesASignOfLife) {
  Victim victim;
  auto& channel = victim.side.channel;
  const Instant start{};
  EXPECT_TRUE(victim.feed(Plaintext().open(1).data(1, "some"), start + seconds(1)));
  EXPECT_EQ(channel.deadline(), start + seconds(15));
  channel.tick(start + seconds(14));
  EXPECT_EQ(victim.sent(), "") << "too early";
  channel.tick(start + seconds(15));
  EXPECT_EQ(victim.sent(start + seconds(15)), "WINDOW 1 4");
  EXPECT_EQ(channel.deadline(), start + seconds(16)) << "15 s after what came last";

  victim.side.stalls_all = true;
  EXPECT_TRUE(victim.feed(Plaintext().data(1, "more"), start + seconds(20)));
  channel.tick(start + seconds(30));
  EXPECT_EQ(victim.sent(start + seconds(30)), std::string("PONG ") + std::string(8, '\0')) << "no credit to tell";
  EXPECT_TRUE(victim.feed(Plaintext().frame(StreamFrameType::pong, 0, "01234567"), start + seconds(31)));
  channel.tick(start + seconds(45));
  EXPECT_EQ(victim.sent(start + seconds(45)), "") << "a PONG is not answered";
}

// 3 s at 10 MB/s, so that the window grows to 2 MiB, and then 4 kB/s: the next quarter of the window takes two minutes,
// and a PING of the sender's waits behind what the network holds.
TEST(Channel, ALinkThatSlowsDownIsNotDeclaredDead) {
  constexpr std::size_t kInTheNetwork = 200'000;
  constexpr auto kStep = std::chrono::milliseconds(100);
  Pair pair;
  const auto stream = pair.open();
  const std::string much(1U << 20U, 'm');
  Buffer under_way;
  for (auto now = Instant{}; now < Instant{} + seconds(300); now += kStep) {
    const std::size_t rate = now < Instant{} + seconds(3) ? 1'000'000 : 400;  // bytes a step
    for (std::size_t left = rate; left != 0;) {
      if (pair.client.channel.unsent(stream).empty()) {
        EXPECT_TRUE(pair.client.channel.write(stream, as_bytes(much)));
      }
      if (under_way.size() < kInTheNetwork && pair.client.channel.wants_to_send()) {
        Buffer out(kInTheNetwork);
        out.resize(pair.client.channel.produce(out, now));
        pair.client.drain_events();
        under_way.insert(under_way.end(), out.begin(), out.end());
      }
      const auto size = std::min({left, under_way.size(), kInTheNetwork});
      if (size == 0) break;
      ASSERT_TRUE(pair.server.receive(Bytes(under_way).first(size), now));
      under_way.erase(under_way.begin(), under_way.begin() + static_cast<std::ptrdiff_t>(size));
      left -= size;
      ASSERT_TRUE(pair.client.receive(pair.server.produce(65'536, now), now));
    }
    pair.client.channel.tick(now);
    pair.server.channel.tick(now);
    ASSERT_TRUE(pair.client.receive(pair.server.produce(65'536, now), now));
    ASSERT_FALSE(pair.client.channel.end()) << (now - Instant{}) / seconds(1) << " s";
    ASSERT_FALSE(pair.server.channel.end()) << (now - Instant{}) / seconds(1) << " s";
    pair.server.text.clear();
  }
}

TEST(Channel, BytesThatAreNoRecordAreNoSignOfLife) {
  Victim victim;
  const auto record = victim.seal(Plaintext().open(1).bytes());
  EXPECT_TRUE(victim.side.receive(Bytes(record).first(record.size() - 1), Instant{} + seconds(40)));
  victim.side.channel.tick(Instant{} + seconds(45));
  EXPECT_EQ(victim.side.channel.end(), EndReason::silent);
}

TEST(Channel, OwesAtMostOnePong) {
  Victim victim;
  Plaintext pings;
  for (int i = 0; i < 1000; ++i) pings.frame(StreamFrameType::ping, 0, "ping" + std::to_string(1000 + i));
  EXPECT_TRUE(victim.feed(pings));
  EXPECT_EQ(victim.sent(), "PONG ping1999");
  EXPECT_EQ(victim.sent(), "");
}

TEST(Channel, TwoIdleChannelsKeepEachOtherAlive) {
  Pair pair;
  for (auto now = Instant{}; now < Instant{} + std::chrono::hours(1); now += seconds(1)) {
    pair.client.channel.tick(now);
    pair.server.channel.tick(now);
    EXPECT_TRUE(pair.server.receive(pair.client.produce(), now));
    EXPECT_TRUE(pair.client.receive(pair.server.produce(), now));
  }
  EXPECT_EQ(pair.client.channel.end(), std::nullopt);
  EXPECT_EQ(pair.server.channel.end(), std::nullopt);
}

// --- Tickets and exported keys.

TEST(Channel, LendsTickets) {
  Pair pair;
  EXPECT_TRUE(pair.server.channel.send_ticket(3600, as_bytes("a ticket")));
  EXPECT_EQ(pair.server.channel.send_ticket(3600, as_bytes("another")), fail(Errc::misuse)) << "one at a time";
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.events(), "ticket 3600 a ticket");
  EXPECT_TRUE(pair.server.channel.send_ticket(1, as_bytes(std::string(kMaxTicketSize, 'x'))));
  pair.run_until_quiet();
  EXPECT_EQ(pair.client.events(), "ticket 1 " + std::string(kMaxTicketSize, 'x'));
  EXPECT_EQ(pair.server.channel.send_ticket(1, {}), fail(Errc::misuse));
  EXPECT_EQ(pair.server.channel.send_ticket(1, as_bytes(std::string(kMaxTicketSize + 1, 'x'))), fail(Errc::misuse));
  EXPECT_EQ(pair.client.channel.send_ticket(1, as_bytes("x")), fail(Errc::misuse));
  EXPECT_TRUE(
      ct_equal(pair.client.channel.resumption_secret().reveal(), pair.server.channel.resumption_secret().reveal()));
}

TEST(Channel, ExportsTheSameAtBothEnds) {
  Pair pair;
  Buffer at_client(32), at_server(32);
  EXPECT_TRUE(pair.client.channel.export_keying_material("label", as_bytes("context"), at_client));
  EXPECT_TRUE(pair.server.channel.export_keying_material("label", as_bytes("context"), at_server));
  EXPECT_EQ(at_client, at_server);
}

// --- The caller's bugs.

TEST(Channel, EventsAreDrainedBeforeTheNextRecord) {
  Victim victim;
  auto first = victim.seal(Plaintext().open(1).bytes()), second = victim.seal(Plaintext().data(1, "x").bytes());
  EXPECT_TRUE(victim.side.channel.receive(first, {}));
  EXPECT_EQ(victim.side.channel.receive(second, {}), fail(Errc::misuse));
  victim.side.drain_events();
  EXPECT_TRUE(victim.side.channel.receive(second, {}));
}

TEST(Channel, RefusesWhatItsCallerMayNotDo) {
  Pair pair;
  auto& client = pair.client.channel;
  EXPECT_EQ(client.open(as_bytes(std::string(256, 's'))), fail(Errc::misuse));
  EXPECT_EQ(client.open(as_bytes("s"), Buffer(1279)), fail(Errc::misuse));
  EXPECT_TRUE(client.open(as_bytes("s"), Buffer(1278)));
  EXPECT_EQ(client.write(3, as_bytes("x")), fail(Errc::misuse)) << "no such stream";
  EXPECT_EQ(client.finish(3), fail(Errc::misuse));
  EXPECT_TRUE(client.write(1, as_bytes("x")));
  EXPECT_EQ(client.write(1, as_bytes("y")), fail(Errc::misuse)) << "x is not written yet";
  EXPECT_TRUE(client.finish(1));
  EXPECT_EQ(client.finish(1), fail(Errc::misuse));
  pair.run_until_quiet();
  EXPECT_EQ(client.write(1, as_bytes("x")), fail(Errc::misuse)) << "finished";
  EXPECT_EQ(client.finish(1), fail(Errc::misuse));
  const auto other = pair.open();
  client.close(CloseCode::done);
  EXPECT_EQ(client.open(as_bytes("echo")), fail(Errc::misuse));
  EXPECT_EQ(client.write(other, as_bytes("x")), fail(Errc::misuse));
  for (const StreamId nobody : {0U, 7U, 4'000'000'000U}) {
    client.reset(nobody, ResetCode::cancelled);
    client.release(nobody);
    client.consume(nobody, 5);
    EXPECT_TRUE(client.unread(nobody).empty());
    EXPECT_TRUE(client.withdraw(nobody).empty());
  }
}

}  // namespace
}  // namespace pake::channel
