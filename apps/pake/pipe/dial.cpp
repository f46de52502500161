#include "pipe/dial.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "meeting/direct.h"
#include "meeting/meet.h"
#include "meeting/via.h"
#include "network/problems.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/identity/code.h"
#include "pake/internal/try.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pipe/conversation.h"
#include "pipe/exported.h"
#include "pipe/given_code.h"
#include "pipe/port.h"
#include "pipe/trace.h"
#include "process/output.h"
#include "process/run.h"

namespace pake::cli::pipe {
namespace {

class Dialler {
 public:
  Dialler(const DialOptions& options, GivenCode given, std::optional<Trace>& trace,
          std::shared_ptr<meeting::MeetingPoint> point)
      : options_(options), given_(std::move(given)), trace_(trace), point_(std::move(point)) {}

  net::Awaitable<Expected<void>> run(net::Loops& loops) {
    auto& loop = loops.main();
    auto outcome = co_await run_to_its_end(loop);
    if (point_) co_await point_->leave(loop);
    co_return outcome;
  }

 private:
  net::Awaitable<Expected<std::unique_ptr<net::Stream>>> connect(net::Loop& loop) {
    const auto deadline = net::after(options_.deadline);
    if (point_) co_return co_await meeting::join(loop, *point_, given_.selector, deadline);
    auto connected = co_await net::connect(loop, options_.address, deadline);
    if (!connected)
      co_return std::unexpected(cannot_connect(options_.address, connected.error(), options_.spellings.start));
    co_return trace_ ? trace_->follow(std::move(*connected)) : std::move(*connected);
  }

  net::Awaitable<Expected<void>> run_to_its_end(net::Loop& loop) {
    PAKE_CO_TRY(auto listeners, co_await listen_locally(loop, options_.locals));
    std::shared_ptr<StandardFiles> files;
    if (listeners.empty() && !options_.use) {
      PAKE_CO_TRY(files, take_standard_files(loop));
    }
    PAKE_CO_TRY(auto stream, co_await connect(loop));
    auto handshake = channel::ClientHandshake::by_code(
        {}, {.selector = as_bytes(given_.selector), .code = given_.code.reveal()}, rng_);
    if (!handshake) co_return std::unexpected(Problem{.error = "cannot begin the handshake"});
    auto channel =
        co_await net::connect_channel(loop, stream, *std::move(handshake), cache_, {.answer = options_.deadline});
    if (!channel)
      co_return std::unexpected(
          no_channel(channel.error(), {.wrong_secret = wrong_code(given_.source, options_.spellings.start),
                                       .busy = "somebody else is trying this code"}));
    auto link = std::move(channel->link);
    if (point_) {
      PAKE_CO_TRY(auto peer,
                  co_await meeting::choose_way(
                      loop, *point_, {.address = options_.via.login.destination.address, .link = std::move(link)},
                      meeting::Came::second, {.cache = cache_, .trace = trace_}));
      link = std::move(peer.link);
    } else {
      say_note("connected: both sides know the code");
    }

    if (options_.use) co_return co_await options_.use(loop, link);
    if (options_.export_label) co_return co_await print_exported_at_both_ends(link, *options_.export_label);
    if (!listeners.empty()) {
      for (const auto& listener : listeners)
        say_note(fmt::format("{} leads to the other side; Ctrl-C ends this", net::to_string(listener.address())));
      co_return co_await use_port(loop, link, std::move(listeners),
                                  options_.any_user ? Admits::any_user : Admits::own_user);
    }
    auto pipe = link->open(kService);
    if (!pipe) {
      link->delivered();
      co_return std::unexpected(channel_ended(co_await link->run()));
    }
    co_return co_await converse(loop, std::move(files), link, std::move(*pipe));
  }

  const DialOptions& options_;
  GivenCode given_;
  std::optional<Trace>& trace_;
  std::shared_ptr<meeting::MeetingPoint> point_;  // null: at an address
  crypto::SystemRng rng_;
  channel::KeyCache cache_{2};
};

Expected<int> try_dial(const DialOptions& options) {
  const bool is_via = options.via.is_given();
  PAKE_TRY(auto code, ask_for_code(options.secret, is_via ? Selector::wanted : Selector::none));
  std::optional<Trace> trace;
  if (options.trace) {
    PAKE_TRY(trace, Trace::open(*options.trace));
  }
  std::shared_ptr<meeting::MeetingPoint> point;
  if (is_via) {
    PAKE_TRY(point, meeting::MeetingPoint::open(options.via, trace));
  }
  Dialler dialler(options, std::move(code), trace, std::move(point));
  return finish(trace, run_to_the_end([&](net::Loops& loops) { return dialler.run(loops); }));
}

}  // namespace

int dial(const DialOptions& options) {
  const auto exit_code = try_dial(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::pipe
