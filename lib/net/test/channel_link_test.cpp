#include "pake/net/channel_link.h"

#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "pake/channel/frame.h"
#include "pake/channel/record.h"
#include "pake/net/frame_tap.h"
#include "pake/net/handshake.h"
#include "pake/net/signal.h"
#include "pake/testing/fixed_rng.h"
#include "support.h"

namespace pake::net {
namespace {

using channel::EndReason;

/// The outcome of one side's handshake.
using ClientResult = std::expected<ClientChannel, HandshakeError>;
using ServerResult = std::expected<ServerChannel, HandshakeError>;

/// Two sides on one loop, that share a code, or do not.
struct World {
  explicit World(Loop& its_loop) : loop(its_loop), pair(its_loop) {}

  Loop& loop;
  Pair pair;
  testing::SeededRng rng{1};
  channel::KeyCache cache;
  GuessBudget budget{1};
  HandshakeTimeouts timeouts{.hello = 60s, .decision = 60s, .answer = 60s, .login_finish = 60s, .finish = 60s};
  std::vector<HandshakeStage> stages;

  channel::Decision answer(std::string_view code) {
    return channel::CodeAnswer{.code = SecretBuffer::copy_of(as_bytes(code)), .permit = std::move(*budget.take())};
  }

  Awaitable<ServerResult> serve_with(Decide decide) {
    const ServerSide side{.decide = std::move(decide),
                          .rng = rng,
                          .cache = cache,
                          .timeouts = timeouts,
                          .on_stage = [this](HandshakeStage stage) { stages.push_back(stage); }};
    co_return co_await accept_channel(loop, pair.right, side);
  }

  Awaitable<ServerResult> serve(std::string_view code) {
    return serve_with(
        [=, this](const channel::ClientRequest&) -> Awaitable<channel::Decision> { co_return answer(code); });
  }

  Awaitable<ClientResult> dial(std::string_view code) {
    auto handshake = channel::ClientHandshake::by_code({}, {.selector = {}, .code = as_bytes(code)}, rng);
    co_return co_await connect_channel(loop, pair.left, *std::move(handshake), cache, timeouts);
  }
};

/// A client whose records a test makes itself.
struct ByHand {
  channel::ChannelKeys keys;
  Buffer finish;  // to be sent before them
};

Awaitable<ByHand> dial_by_hand(World& world) {
  auto client = *channel::ClientHandshake::by_code({}, {.selector = {}, .code = as_bytes("code")}, world.rng);
  EXPECT_TRUE(co_await world.pair.left->write_all(*client.take_message(), patient()));
  Buffer hello(4096);
  hello.resize(*co_await world.pair.left->read_some(hello, patient()));
  EXPECT_EQ(client.receive(hello), hello.size());
  auto finish = *client.take_message();
  co_return ByHand{.keys = *client.take_keys(), .finish = std::move(finish)};
}

using Body = std::function<Awaitable<void>(World&)>;

Awaitable<void> with_world(Loop& loop, const Body& body) {
  World world(loop);
  co_await body(world);
}

void run(const Body& body) {
  Loops loops(1);
  loops.run(with_world(loops.main(), body));
}

/// What the client does with its channel, and the server with its own.
using Use = std::function<Awaitable<void>(ChannelLink&)>;

struct Ends {
  LinkEnd client{.end = EndReason::cut, .transport = {}, .alert = {}};
  LinkEnd server{.end = EndReason::cut, .transport = {}, .alert = {}};
};

Awaitable<void> use_link(ChannelLink& link, const Use& use, Signal& done) {
  co_await use(link);
  link.delivered();
  done.notify();
}

Awaitable<void> run_server(World& world, const Use& use, LinkEnd& end, Signal& over) {
  const auto accepted = co_await world.serve("code");
  EXPECT_TRUE(accepted);
  auto& link = *accepted->link;
  Signal used(world.loop);
  world.loop.spawn(use_link(link, use, used));
  end = co_await link.run();
  EXPECT_TRUE(co_await used.wait(patient()));
  over.notify();
}

Awaitable<void> run_both(World& world, const Use& at_client, const Use& at_server, Ends& ends) {
  Signal server_over(world.loop);
  world.loop.spawn(run_server(world, at_server, ends.server, server_over));
  const auto connected = co_await world.dial("code");
  EXPECT_TRUE(connected);
  auto& link = *connected->link;
  Signal used(world.loop);
  world.loop.spawn(use_link(link, at_client, used));
  ends.client = co_await link.run();
  EXPECT_TRUE(co_await used.wait(patient()));
  EXPECT_TRUE(co_await server_over.wait(patient()));
}

Ends run_channel(const Use& at_client, const Use& at_server) {
  Ends ends;
  run([&](World& world) { return run_both(world, at_client, at_server, ends); });
  return ends;
}

Awaitable<std::string> read_to_end(Stream& stream) {
  std::string text;
  Buffer piece(3000);
  for (;;) {
    const auto count = co_await stream.read_some(piece, patient());
    if (!count) {
      EXPECT_EQ(count.error(), Error::Kind::closed);
      co_return text;
    }
    text += as_text(Bytes(piece).first(*count));
  }
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

TEST(Signal, RemembersANotifyAndEndsByItsDeadline) {
  run([](World& world) -> Awaitable<void> {
    const auto signal = std::make_shared<Signal>(world.loop);
    signal->notify();
    signal->notify();
    EXPECT_TRUE(co_await signal->wait(patient()));
    EXPECT_EQ((co_await signal->wait(soon())).error(), Error::Kind::timed_out);
    world.loop.post(signal, [](Signal& to) { to.notify(); });
    EXPECT_TRUE(co_await signal->wait(patient()));
  });
}

TEST(Handshake, AWrongCodeFailsBothSidesAndSpendsTheGuess) {
  run([](World& world) -> Awaitable<void> {
    std::optional<ServerResult> served;
    Signal over(world.loop);
    world.loop.spawn([](World& w, std::optional<ServerResult>& result, Signal& done) -> Awaitable<void> {
      result.emplace(co_await w.serve("code"));
      done.notify();
    }(world, served, over));
    const auto dialled = co_await world.dial("other");
    EXPECT_TRUE(co_await over.wait(patient()));
    EXPECT_FALSE(dialled);
    EXPECT_FALSE(*served);
    EXPECT_EQ(dialled.error().failure->error, Errc::auth_failed);
    EXPECT_EQ(served->error().failure->received->code, channel::AlertCode::refused);
    EXPECT_EQ(world.budget.available(), 0U);
  });
}

TEST(Handshake, ASilentPeerEndsByTheDeadline) {
  run([](World& world) -> Awaitable<void> {
    world.timeouts.hello = 20ms;
    world.timeouts.answer = 20ms;
    EXPECT_EQ((co_await world.serve("code")).error().error, Error::Kind::timed_out);
    EXPECT_EQ((co_await world.dial("code")).error().error, Error::Kind::timed_out);
    EXPECT_EQ(world.budget.available(), 1U);
  });
}

TEST(Handshake, ASecondHelloHasNoMoreTimeThanTheFirst) {
  run([](World& world) -> Awaitable<void> {
    world.timeouts.hello = 100ms;
    auto client =
        channel::ClientHandshake::by_password({}, {.name = as_bytes("alice"), .password = as_bytes("x")}, world.rng);
    EXPECT_TRUE(co_await world.pair.left->write_all(*client->take_message(), patient()));
    const auto served = co_await world.serve_with([](const channel::ClientRequest&) -> Awaitable<channel::Decision> {
      co_return channel::RetryWith{.suite = channel::Suite::opaque_p256};
    });
    EXPECT_EQ(served.error().error, Error::Kind::timed_out);
    using enum HandshakeStage;
    EXPECT_EQ(world.stages, (std::vector{silent, deciding, silent}));
  });
}

// What a server may do while it decides: nothing at all, what does not fit, or the right thing late.
TEST(Handshake, ADecisionHasADeadlineAndThePeerIsToldAtOnce) {
  run([](World& world) -> Awaitable<void> {
    world.timeouts.decision = 20ms;
    auto client = *channel::ClientHandshake::by_code({}, {.selector = {}, .code = as_bytes("code")}, world.rng);
    EXPECT_TRUE(co_await world.pair.left->write_all(*client.take_message(), patient()));
    Signal told(world.loop);
    bool has_returned = false;
    const auto served =
        co_await world.serve_with([&](const channel::ClientRequest& request) -> Awaitable<channel::Decision> {
          std::array<std::uint8_t, 64> alert{};
          EXPECT_EQ(co_await world.pair.left->read_some(alert, patient()), 9U);  // while this is still running
          EXPECT_EQ(request.kind, channel::HandshakeKind::code);
          has_returned = true;
          co_return world.answer("code");
        });
    EXPECT_TRUE(has_returned) << "what decides is not left behind";
    EXPECT_EQ(served.error().error, Error::Kind::timed_out);
    EXPECT_EQ(served.error().failure->to_send, channel::Alert{.code = channel::AlertCode::unavailable});
    EXPECT_EQ(world.budget.available(), 1U);
  });
}

TEST(Handshake, ADecisionThatDoesNotFitEndsTheRun) {
  run([](World& world) -> Awaitable<void> {
    auto client = *channel::ClientHandshake::by_code({}, {.selector = {}, .code = as_bytes("code")}, world.rng);
    EXPECT_TRUE(co_await world.pair.left->write_all(*client.take_message(), patient()));
    const auto served = co_await world.serve_with(
        [](const channel::ClientRequest&) -> Awaitable<channel::Decision> { co_return channel::TicketAccepted{}; });
    EXPECT_EQ(served.error().failure->error, Errc::misuse);
    EXPECT_EQ(served.error().failure->to_send, channel::Alert{.code = channel::AlertCode::unavailable});
    EXPECT_TRUE(world.pair.right) << "without a channel the stream stays with the caller";
  });
}

TEST(Handshake, TheFinishOfACodeHasATimeOfItsOwn) {
  run([](World& world) -> Awaitable<void> {
    world.timeouts.finish = 20ms;
    auto client = *channel::ClientHandshake::by_code({}, {.selector = {}, .code = as_bytes("code")}, world.rng);
    EXPECT_TRUE(co_await world.pair.left->write_all(*client.take_message(), patient()));
    EXPECT_EQ((co_await world.serve("code")).error().error, Error::Kind::timed_out);
    EXPECT_EQ(world.budget.available(), 0U);
    using enum HandshakeStage;
    EXPECT_EQ(world.stages, (std::vector{silent, deciding, waiting}));
  });
}

TEST(Handshake, CancellationWaitsForWhoeverDecides) {
  Loops loops(1);
  bool has_ended = false;
  std::optional<Error> error;
  const Body body = [&](World& world) -> Awaitable<void> {
    auto client = *channel::ClientHandshake::by_code({}, {.selector = {}, .code = as_bytes("code")}, world.rng);
    EXPECT_TRUE(co_await world.pair.left->write_all(*client.take_message(), patient()));
    const auto served = co_await world.serve_with([&](const channel::ClientRequest&) -> Awaitable<channel::Decision> {
      loops.cancel();
      EXPECT_FALSE(co_await world.loop.sleep_until(patient()));
      for (int i = 0; i < 100; ++i) co_await world.loop.yield();
      has_ended = true;
      co_return channel::Alert{.code = channel::AlertCode::unavailable};
    });
    EXPECT_TRUE(has_ended);
    error = served.error().error;
  };
  loops.run(with_world(loops.main(), body));
  EXPECT_EQ(error, Error::Kind::cancelled);
}

TEST(Handshake, GarbageIsAnsweredWithAnAlert) {
  run([](World& world) -> Awaitable<void> {
    EXPECT_TRUE(co_await world.pair.left->write_all(as_bytes("GET / HTTP/1.1\r\n"), patient()));
    const auto served = co_await world.serve("code");
    EXPECT_FALSE(served);
    EXPECT_EQ(served.error().failure->to_send->code, channel::AlertCode::malformed);
    std::array<std::uint8_t, 64> answer{};
    EXPECT_EQ(co_await world.pair.left->read_some(answer, patient()), 9U);
    EXPECT_EQ(world.budget.available(), 1U);
  });
}

TEST(ChannelLink, CarriesStreamsBothWaysAndClosesInOrder) {
  const auto sent = pattern(3'000'001);
  std::string at_server, at_client;
  const auto ends = run_channel(
      [&](ChannelLink& link) -> Awaitable<void> {
        auto stream = link.open("echo", as_bytes("please"));
        EXPECT_TRUE(stream);
        EXPECT_TRUE(co_await (*stream)->write_all(as_bytes(sent), patient()));
        (*stream)->shutdown_write();
        at_client = co_await read_to_end(**stream);
        link.close(channel::CloseCode::done);
      },
      [&](ChannelLink& link) -> Awaitable<void> {
        auto accepted = co_await link.accept(patient());
        EXPECT_TRUE(accepted);
        EXPECT_EQ(accepted->service, "echo");
        EXPECT_EQ(as_text(accepted->argument), "please");
        at_server = co_await read_to_end(*accepted->stream);
        EXPECT_TRUE(co_await accepted->stream->write_all(as_bytes(at_server).first(2'000'000), patient()));
        accepted->stream->shutdown_write();
        EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
      });
  EXPECT_TRUE(at_server == sent);
  EXPECT_TRUE(at_client == sent.substr(0, 2'000'000));
  EXPECT_EQ(ends.client.end, EndReason::closed);
  EXPECT_EQ(ends.server.end, EndReason::closed);
}

TEST(ChannelLink, AStalledStreamStallsNoOther) {
  std::string heard;
  run_channel(
      [&](ChannelLink& link) -> Awaitable<void> {
        auto stalled = link.open("stalled");
        auto quick = link.open("quick");
        const auto much = pattern(200'000);
        EXPECT_EQ((co_await (*stalled)->write_all(as_bytes(much), soon())).error(), Error::Kind::timed_out);
        EXPECT_TRUE(co_await (*quick)->write_all(as_bytes("hello"), patient()));
        (*quick)->shutdown_write();
        heard = co_await read_to_end(**quick);
        link.close(channel::CloseCode::done);
      },
      [](ChannelLink& link) -> Awaitable<void> {
        const auto stalled = co_await link.accept(patient());
        auto quick = co_await link.accept(patient());
        const auto text = co_await read_to_end(*quick->stream);
        EXPECT_TRUE(co_await quick->stream->write_all(as_bytes(text), patient()));
        quick->stream->shutdown_write();
        EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
      });
  EXPECT_EQ(heard, "hello");
}

TEST(ChannelLink, AStreamLetGoIsResetAtTheOtherSide) {
  run_channel(
      [](ChannelLink& link) -> Awaitable<void> {
        auto stream = link.open("service");
        EXPECT_TRUE(co_await (*stream)->write_all(as_bytes("hello"), patient()));
        std::array<std::uint8_t, 8> answer{};
        EXPECT_EQ((co_await (*stream)->read_some(answer, patient())).error(), Error::Kind::reset);
        EXPECT_EQ((co_await (*stream)->write_all(as_bytes("more"), patient())).error(), Error::Kind::reset);
        link.close(channel::CloseCode::done);
      },
      [](ChannelLink& link) -> Awaitable<void> {
        {
          const auto accepted = co_await link.accept(patient());
          EXPECT_TRUE(accepted);
        }
        EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
      });
}

TEST(ChannelLink, ARefusedStreamSaysWhy) {
  run_channel(
      [](ChannelLink& link) -> Awaitable<void> {
        auto stream = link.open("nothing");
        std::array<std::uint8_t, 8> answer{};
        const auto read = co_await (*stream)->read_some(answer, patient());
        EXPECT_EQ(read.error(), Error::Kind::reset);
        EXPECT_EQ(read.error().reset_code, channel::ResetCode::no_such_service);
        EXPECT_EQ(read.error().explain(), "the peer offers no such service");
        const auto written = co_await (*stream)->write_all(as_bytes("more"), patient());
        EXPECT_EQ(written.error().reset_code, channel::ResetCode::no_such_service);
        EXPECT_EQ((co_await (*stream)->wait_acknowledged(patient())).error().system, EOPNOTSUPP);
        link.close(channel::CloseCode::done);
      },
      [](ChannelLink& link) -> Awaitable<void> {
        const auto accepted = co_await link.accept(patient());
        accepted->stream->reset(channel::ResetCode::no_such_service);
        std::array<std::uint8_t, 8> nothing{};
        EXPECT_EQ((co_await accepted->stream->read_some(nothing, patient())).error(), Error::Kind::reset);
        EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
      });
}

TEST(ChannelLink, TheServerOpensStreamsToo) {
  std::string at_client;
  const auto ends = run_channel(
      [&](ChannelLink& link) -> Awaitable<void> {
        auto accepted = co_await link.accept(patient());
        EXPECT_EQ(accepted->service, "wiki");
        at_client = co_await read_to_end(*accepted->stream);
        EXPECT_TRUE(co_await accepted->stream->write_all(as_bytes("a page"), patient()));
        accepted->stream->shutdown_write();
        EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
        EXPECT_EQ(link.peer_close(), channel::CloseCode::going_away);
      },
      [](ChannelLink& link) -> Awaitable<void> {
        auto stream = link.open("wiki");
        EXPECT_TRUE(stream);
        EXPECT_TRUE(co_await (*stream)->write_all(as_bytes("GET /"), patient()));
        (*stream)->shutdown_write();
        EXPECT_EQ(co_await read_to_end(**stream), "a page");
        link.close(channel::CloseCode::going_away);
      });
  EXPECT_EQ(at_client, "GET /");
  EXPECT_EQ(ends.client.end, EndReason::closed);
  EXPECT_EQ(ends.client.peer_close, channel::CloseCode::going_away);
  EXPECT_EQ(ends.server.end, EndReason::closed);
}

// What comes while a read waits is put into its place as it is opened, before the reader goes on.
TEST(ChannelLink, SaysTheServiceOfTheNextStreamAndKeepsIt) {
  run_channel(
      [](ChannelLink& link) -> Awaitable<void> {
        const auto stream = *link.open("first", as_bytes("one"));
        EXPECT_TRUE(co_await stream->write_all(as_bytes("bytes"), patient()));
        stream->shutdown_write();
        EXPECT_EQ(co_await read_to_end(*stream), "");
        link.close(channel::CloseCode::done);
      },
      [](ChannelLink& link) -> Awaitable<void> {
        EXPECT_EQ(co_await link.next_service(patient()), "first");
        EXPECT_EQ(co_await link.next_service(patient()), "first");
        const auto accepted = co_await link.accept(patient());
        EXPECT_EQ(as_text(accepted->argument), "one");
        EXPECT_EQ((co_await link.next_service(soon())).error(), Error::Kind::timed_out);
        EXPECT_EQ(co_await read_to_end(*accepted->stream), "bytes");
        accepted->stream->shutdown_write();
        EXPECT_EQ((co_await link.next_service(patient())).error(), Error::Kind::closed);
      });
}

TEST(ChannelLink, WhoeverRunsItHearsHowItEnded) {
  std::vector<LinkEnd> told;
  const auto ends = run_channel(
      [&](ChannelLink& link) -> Awaitable<void> {
        link.close(channel::CloseCode::done);
        told.push_back(co_await link.run());
        told.push_back(co_await link.run());
      },
      [](ChannelLink& link) -> Awaitable<void> { EXPECT_FALSE(co_await link.accept(patient())); });
  ASSERT_EQ(told.size(), 2U);
  for (const auto& end : told) {
    EXPECT_EQ(end.end, EndReason::closed);
    EXPECT_EQ(end.peer_close, ends.client.peer_close);
  }
}

TEST(ChannelLink, AReadThatWaitsTakesWhatFitsAndAnInterruptionComesAfterIt) {
  Stream* reader = nullptr;
  run([&](World& world) -> Awaitable<void> {
    world.pair.right = tap_frames(std::move(world.pair.right), [&](Direction passed, Bytes) {
      if (passed == Direction::received && reader != nullptr) reader->interrupt();
    });
    Ends ends;
    co_await run_both(
        world,
        [](ChannelLink& link) -> Awaitable<void> {
          auto stream = link.open("service");
          std::array<std::uint8_t, 1> answer{};
          EXPECT_EQ(co_await (*stream)->read_some(answer, patient()), 1U);
          EXPECT_TRUE(co_await (*stream)->write_all(as_bytes("hello world"), patient()));
          EXPECT_EQ(co_await (*stream)->read_some(answer, patient()), 1U);
          link.close(channel::CloseCode::done);
        },
        [&](ChannelLink& link) -> Awaitable<void> {
          auto accepted = co_await link.accept(patient());
          EXPECT_TRUE(co_await accepted->stream->write_all(as_bytes("!"), patient()));
          std::array<std::uint8_t, 6> piece{};
          reader = accepted->stream.get();
          EXPECT_EQ(co_await reader->read_some(piece, patient()), 6U);
          EXPECT_EQ(as_text(piece), "hello ");
          EXPECT_EQ(co_await reader->read_some(piece, patient()), 5U);
          EXPECT_EQ(as_text(piece), "world ");
          EXPECT_EQ((co_await std::exchange(reader, nullptr)->read_some(piece, patient())).error(),
                    Error::Kind::interrupted);
          EXPECT_TRUE(co_await accepted->stream->write_all(as_bytes("!"), patient()));
          EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
        },
        ends);
  });
}

// The last bytes of a stream, its FIN and the channel's Close may come in one read.
TEST(ChannelLink, WhatCameBeforeTheCloseIsReadAfterIt) {
  std::string heard;
  const auto ends = run_channel(
      [](ChannelLink& link) -> Awaitable<void> {
        auto stream = link.open("service");
        EXPECT_TRUE(co_await (*stream)->write_all(as_bytes("hello"), patient()));
        (*stream)->shutdown_write();
        link.close(channel::CloseCode::done);
        EXPECT_EQ(co_await read_to_end(**stream), "");
      },
      [&](ChannelLink& link) -> Awaitable<void> {
        auto accepted = co_await link.accept(patient());
        accepted->stream->shutdown_write();
        heard = co_await read_to_end(*accepted->stream);
      });
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(ends.client.end, EndReason::closed);
  EXPECT_EQ(ends.server.end, EndReason::closed);
}

TEST(ChannelLink, ACutIsNoEnd) {
  run([](World& world) -> Awaitable<void> {
    Signal over(world.loop);
    LinkEnd at_server{.end = EndReason::closed, .transport = {}, .alert = {}};
    Signal heard(world.loop);
    const Use reads = [&](ChannelLink& link) -> Awaitable<void> {
      auto accepted = co_await link.accept(patient());
      std::array<std::uint8_t, 64> bytes{};
      EXPECT_EQ(co_await accepted->stream->read_some(bytes, patient()), 5U);
      heard.notify();
      EXPECT_EQ((co_await accepted->stream->read_some(bytes, patient())).error(), Error::Kind::reset);
    };
    world.loop.spawn(run_server(world, reads, at_server, over));
    auto client = co_await dial_by_hand(world);
    auto out = std::move(client.finish);
    // A whole channel on this side, written out, and then the transport ends without its Close.
    channel::Channel bare(std::move(client.keys), channel::Role::client, world.cache, Clock::now());
    const auto stream = bare.open(as_bytes("pipe"));
    EXPECT_TRUE(bare.write(*stream, as_bytes("hello")));
    const auto before = out.size();
    out.resize(before + 4096);
    out.resize(before + bare.produce(MutableBytes(out).subspan(before), Clock::now()));
    EXPECT_TRUE(co_await world.pair.left->write_all(out, patient()));
    EXPECT_TRUE(co_await heard.wait(patient()));
    world.pair.left.reset();
    EXPECT_TRUE(co_await over.wait(patient()));
    EXPECT_EQ(at_server.end, EndReason::cut);
    EXPECT_TRUE(at_server.transport);
  });
}

// --- The end of a channel.

TEST(ChannelLink, ACloseIsAnsweredWhenAllIsDelivered) {
  bool is_delivered = false, was_delivered_when_closed = false;
  Ends ends;
  run([&](World& world) -> Awaitable<void> {
    co_await run_both(
        world,
        [&](ChannelLink& link) -> Awaitable<void> {
          auto stream = link.open("store");
          EXPECT_TRUE(co_await (*stream)->write_all(as_bytes("a file"), patient()));
          (*stream)->shutdown_write();
          EXPECT_EQ(co_await read_to_end(**stream), "");
          link.close(channel::CloseCode::done);
          EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
          was_delivered_when_closed = is_delivered;
        },
        [&](ChannelLink& link) -> Awaitable<void> {
          auto accepted = co_await link.accept(patient());
          accepted->stream->shutdown_write();
          EXPECT_EQ(co_await read_to_end(*accepted->stream), "a file");
          EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
          EXPECT_TRUE(co_await world.loop.sleep_until(after(100ms)));  // the disk is slow
          is_delivered = true;
        },
        ends);
  });
  EXPECT_TRUE(was_delivered_when_closed);
  EXPECT_EQ(ends.client.end, EndReason::closed);
  EXPECT_EQ(ends.server.end, EndReason::closed);
}

TEST(ChannelLink, WhatCouldNotBeDeliveredIsTold) {
  const auto ends = run_channel(
      [](ChannelLink& link) -> Awaitable<void> {
        auto stream = link.open("store");
        EXPECT_TRUE(co_await (*stream)->write_all(as_bytes("a file"), patient()));
        (*stream)->shutdown_write();
        EXPECT_EQ(co_await read_to_end(**stream), "");
        link.close(channel::CloseCode::done);
      },
      [](ChannelLink& link) -> Awaitable<void> {
        auto accepted = co_await link.accept(patient());
        accepted->stream->shutdown_write();
        EXPECT_EQ(co_await read_to_end(*accepted->stream), "a file");
        link.delivery_failed();
      });
  EXPECT_EQ(ends.client.end, EndReason::not_delivered);
  EXPECT_EQ(ends.server.end, EndReason::closed);
}

/// A client that keeps the channel alive, takes nothing of what comes if `is_deaf`, and never closes.
Awaitable<void> keep_pinging(World& world, const bool& is_over, bool is_deaf, Signal& done) {
  auto client = co_await dial_by_hand(world);
  channel::RecordSealer sealer(world.cache, client.keys.aead, std::move(client.keys.client));
  auto bytes = std::move(client.finish);
  Buffer sink(64 * 1024);
  while (!is_over) {
    Buffer record(16 + channel::kRecordOverhead);
    record[4] = 6;  // PING
    record[7] = 8;  // its length
    EXPECT_TRUE(sealer.seal(channel::FrameType::data, record));
    bytes.insert(bytes.end(), record.begin(), record.end());
    if (!co_await world.pair.left->write_all(bytes, patient())) break;
    bytes.clear();
    if (is_deaf)
      EXPECT_TRUE(co_await world.loop.sleep_until(after(20ms)));
    else
      static_cast<void>(co_await world.pair.left->read_some(sink, after(20ms)));
  }
  done.notify();
}

LinkEnd run_against_a_pinger(bool is_deaf, const Use& use) {
  LinkEnd end{.end = EndReason::closed, .transport = {}, .alert = {}};
  run([&](World& world) -> Awaitable<void> {
    bool is_over = false;
    Signal done(world.loop), over(world.loop);
    world.loop.spawn(keep_pinging(world, is_over, is_deaf, done));
    co_await run_server(world, use, end, over);
    is_over = true;
    EXPECT_TRUE(co_await done.wait(patient()));
  });
  return end;
}

TEST(ChannelLink, APeerThatNeverClosesIsLeftAtTheDeadline) {
  const auto begin = Clock::now();
  const auto end = run_against_a_pinger(false, [](ChannelLink& link) -> Awaitable<void> {
    link.close(channel::CloseCode::going_away, after(300ms));
    co_return;
  });
  EXPECT_EQ(end.end, EndReason::unanswered);
  EXPECT_GE(Clock::now() - begin, 300ms);
}

TEST(ChannelLink, ADeadlineIsBroughtForwardWhileTheReaderWaits) {
  const auto end = run_against_a_pinger(false, [](ChannelLink& link) -> Awaitable<void> {
    link.close(channel::CloseCode::done, kNever);
    EXPECT_EQ((co_await link.accept(after(100ms))).error(), Error::Kind::timed_out);
    link.close(channel::CloseCode::done, after(50ms));
  });
  EXPECT_EQ(end.end, EndReason::unanswered);
}

// It need not be a peer that answers, nor one that reads: the writer waits in vain.
TEST(ChannelLink, AbortEndsAWriterThatIsStuck) {
  const auto begin = Clock::now();
  const auto end = run_against_a_pinger(true, [](ChannelLink& link) -> Awaitable<void> {
    for (int i = 0; i < 600; ++i) {  // more than the system's buffers hold
      static_cast<void>(link.send_ticket(1, Buffer(channel::kMaxTicketSize)));
      EXPECT_EQ((co_await link.accept(after(1ms))).error(), Error::Kind::timed_out);
    }
    link.abort();
  });
  EXPECT_EQ(end.end, EndReason::aborted);
  EXPECT_LT(Clock::now() - begin, 40s);
}

TEST(ChannelLink, LendsTickets) {
  std::optional<LentTicket> first, last, again;
  const auto ends = run_channel(
      [&](ChannelLink& link) -> Awaitable<void> {
        auto stream = *link.open("ask");
        Buffer byte(1);
        EXPECT_TRUE(co_await stream->read_some(byte, patient()));
        first = link.take_ticket();
        EXPECT_TRUE(co_await stream->write_all(byte, patient()));
        EXPECT_TRUE(co_await stream->read_some(byte, patient()));
        last = link.take_ticket();
        again = link.take_ticket();
        EXPECT_EQ(link.send_ticket(1, as_bytes("from a client")), pake::fail(Errc::misuse));
        link.close(channel::CloseCode::done);
      },
      [](ChannelLink& link) -> Awaitable<void> {
        EXPECT_TRUE(link.send_ticket(60, as_bytes("first")));
        auto accepted = co_await link.accept(patient());
        Buffer byte(1);
        EXPECT_TRUE(co_await accepted->stream->write_all(byte, patient()));
        EXPECT_TRUE(co_await accepted->stream->read_some(byte, patient()));
        EXPECT_TRUE(link.send_ticket(70, as_bytes("second")));
        EXPECT_TRUE(co_await accepted->stream->write_all(byte, patient()));
        EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
      });
  EXPECT_EQ(ends.client.end, EndReason::closed);
  ASSERT_TRUE(first);
  ASSERT_TRUE(last);
  EXPECT_FALSE(again);
  EXPECT_EQ(first->lifetime, 60U);
  EXPECT_EQ(as_text(first->stored.ticket), "first");
  EXPECT_EQ(last->lifetime, 70U);
  EXPECT_EQ(as_text(last->stored.ticket), "second");
  EXPECT_TRUE(ct_equal(first->stored.secret.reveal(), last->stored.secret.reveal()));
}

TEST(FrameTap, TellsEveryFrameAsItStoodOnTheWire) {
  std::vector<channel::FrameType> sent, received;
  run([&](World& world) -> Awaitable<void> {
    world.pair.left = tap_frames(std::move(world.pair.left), [&](Direction passed, Bytes frame) {
      const auto header = channel::FrameHeader::decode(frame.first<4>());
      EXPECT_EQ(frame.size(), 4 + header.length);
      (passed == Direction::sent ? sent : received).push_back(header.type);
    });
    Ends ends;
    co_await run_both(
        world,
        [](ChannelLink& link) -> Awaitable<void> {
          link.close(channel::CloseCode::done);
          co_return;
        },
        [](ChannelLink& link) -> Awaitable<void> {
          EXPECT_EQ((co_await link.accept(patient())).error(), Error::Kind::closed);
        },
        ends);
  });
  using enum channel::FrameType;
  EXPECT_EQ(sent, (std::vector{client_hello, client_finish, close}));
  EXPECT_EQ(received, (std::vector{server_hello, close}));
}

}  // namespace
}  // namespace pake::net
