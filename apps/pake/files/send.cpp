#include "files/send.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "files/channel.h"
#include "files/lan.h"
#include "files/report.h"
#include "files/sending.h"
#include "meeting/direct.h"
#include "meeting/meet.h"
#include "meeting/via.h"
#include "network/problems.h"
#include "options/value.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/identity/code.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/signal.h"
#include "pipe/address_words.h"
#include "pipe/code_acceptor.h"
#include "pipe/trace.h"
#include "process/output.h"
#include "process/process.h"
#include "process/run.h"
#include "terminal/escape.h"
#include "terminal/qr.h"

namespace pake::cli::files {
namespace {

using pake::files::Entry;
using pake::files::EntryKind;
using pake::files::Missing;
using pake::files::Source;
using pake::files::Summary;

constexpr std::size_t kMostSilent = 64;     // callers at once that have said nothing yet
constexpr std::size_t kFilesOfOurOwn = 32;  // what is open beside the callers, generously
constexpr std::size_t kEndless = SIZE_MAX;  // tries at what cannot be guessed
constexpr std::size_t kNotesShown = 10;
constexpr std::chrono::milliseconds kPortPause{100};
constexpr std::chrono::seconds kLeave{3};  // the server, for a direct way

std::string reason_in_words(Missing reason) {
  switch (reason) {
    case Missing::no_room:
      return "its disk is full";
    case Missing::exists:
      return "other files have these names there";
    case Missing::cannot_write:
      return "it cannot write there";
    case Missing::not_sent:
      return "they could not be read here";
    case Missing::nothing:
      break;
  }
  return "it does not say why";
}

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

Expected<Source> one_entry(EntryKind kind, std::string name, std::uint64_t size) {
  Source source;
  source.entries.push_back({.kind = kind, .size = size, .path = std::move(name)});
  source.locals.emplace_back();
  return source;
}

Expected<Source> look_at(const SendOptions& options) {
  if (options.text) {
    if (!options.paths.empty())
      return std::unexpected(Problem{.exit_code = kExitUsage, .error = "--text and files are two transfers"});
    if (options.text->size() > pake::files::kMaxText)
      return std::unexpected(Problem{.exit_code = kExitUsage,
                                     .error = fmt::format("a text has at most {} bytes", pake::files::kMaxText),
                                     .hint = "send it as a file: pake send -"});
    return one_entry(EntryKind::text, "text", options.text->size());
  }
  if (options.paths.empty())
    return std::unexpected(
        Problem{.exit_code = kExitUsage, .error = "there is nothing to send", .hint = "pake send photo.jpg"});
  if (std::ranges::find(options.paths, "-") != options.paths.end()) {
    if (options.paths.size() > 1)
      return std::unexpected(Problem{.exit_code = kExitUsage, .error = "stdin is sent alone"});
    return one_entry(EntryKind::stream, options.stdin_name, 0);
  }
  for (const auto& path : options.paths)
    if (const auto accepted = refuse_code(path); !accepted && !exists(path))
      return std::unexpected(Problem{.exit_code = kExitUsage,
                                     .error = "this looks like a code, and a file belongs here: nothing was looked up",
                                     .hint = "who has the code types: pake receive ADDRESS, and the code when asked"});
  auto source = pake::files::scan(options.paths, options.excluded);
  if (!source)
    return std::unexpected(
        Problem{.exit_code = kExitFailed,
                .error = source.error().path.empty()
                             ? source.error().reason
                             : fmt::format("cannot send {}: {}", escape(source.error().path), source.error().reason)});
  if (source->entries.empty()) return std::unexpected(Problem{.error = "nothing of this can be sent"});
  return std::move(*source);
}

void note_left_out(const Source& source) {
  for (std::size_t i = 0; i < source.left_out.size() && i < kNotesShown; ++i)
    say_note(fmt::format("not sent: {}: {}", escape(source.left_out[i].path), source.left_out[i].reason));
  if (source.left_out.size() > kNotesShown)
    say_note(fmt::format("not sent: {} more", source.left_out.size() - kNotesShown));
}

Expected<void> judge(const Sendable& what) {
  if (!what.summary) return std::unexpected(channel_cut());
  const auto& summary = *what.summary;
  if (summary.missing == 0) return {};
  if (what.unreadable != 0 && summary.missing <= what.unreadable)
    return std::unexpected(Problem{.error = fmt::format("{} of the files could not be read", what.unreadable)});
  return std::unexpected(Problem{
      .exit_code = kExitCutShort,
      .error = fmt::format("the other side did not store {} of {} files: {}", summary.missing,
                           summary.missing + summary.stored + summary.unchanged, reason_in_words(summary.reason))});
}

class Sender {
 public:
  Sender(const SendOptions& options, Source source, std::optional<pipe::Trace>& trace,
         std::shared_ptr<meeting::MeetingPoint> point)
      : options_(options), source_(std::move(source)), trace_(trace), point_(std::move(point)) {}

  net::Awaitable<Expected<void>> run(net::Loops& loops) {
    // Its threads are there before the code is at stake.
    const auto threads = loops.start_workers(std::max(1U, std::thread::hardware_concurrency()));
    if (!threads)
      co_return std::unexpected(Problem{.error = fmt::format("cannot begin: {}", threads.error().explain())});
    auto& loop = loops.main();
    auto outcome = co_await run_to_its_end(loop);
    place_.stream.reset();  // it belongs to the loop
    if (point_) co_await point_->leave(loop);
    co_return outcome;
  }

 private:
  net::Awaitable<Expected<void>> run_to_its_end(net::Loop& loop) {
    std::shared_ptr<BlockingFile> in;
    try {
      if (source_.entries.front().kind == EntryKind::stream) {
        PAKE_CO_TRYV(check_stdin());
        in = std::make_shared<BlockingFile>(loop, STDIN_FILENO);
      }
    } catch (const std::system_error& error) {
      co_return std::unexpected(
          Problem{.error = fmt::format("cannot read stdin: {}", explain_errno(error.code().value()))});
    }
    for (std::size_t receiver = 0; receiver < options_.receivers; ++receiver) {
      const auto what = std::make_shared<Sendable>(source_, options_.text, in, report_);
      PAKE_CO_TRYV(co_await serve(loop, what, receiver == 0));
      PAKE_CO_TRYV(judge(*what));
    }
    co_return report_.finish({});
  }

  // The port was this program's a moment ago: who else has it now may give it back.
  static net::Awaitable<Expected<net::Listener>> listen(net::Loop& loop, net::Address address, net::Deadline deadline) {
    for (;;) {
      auto listener = co_await net::listen(loop, address, net::kNever);
      if (listener) co_return std::move(*listener);
      if (deadline == net::kNever || net::Clock::now() + kPortPause >= deadline ||
          !co_await loop.sleep_until(net::after(kPortPause)))
        co_return std::unexpected(cannot_listen(address, listener.error()));
    }
  }

  // One receiver, to its end.
  net::Awaitable<Expected<void>> serve(net::Loop& loop, std::shared_ptr<Sendable> what, bool is_first) {
    PAKE_CO_TRY(auto peer, co_await (point_ ? wait_via(loop, is_first) : wait_at_address(loop, is_first)));
    auto way = point_ ? Way::new_meeting : Way::settled;
    for (;;) {
      auto continuation = continuation_of(*peer.link);
      const auto link = std::exchange(peer.link, nullptr);
      const auto path = std::make_shared<std::optional<meeting::DirectPath>>();
      auto result = co_await run_channel(loop, link, [this, &loop, what, way, path](auto over) {
        return send_or_move(loop, std::move(over), what, way, path);
      });
      report_.end();
      if (result.outcome && *path) {
        auto direct = co_await (*path)->take();
        if (direct) {
          peer = std::move(*direct);
          way = Way::direct;
          say_note(meeting::connected_directly(peer.address));
          report_.way("directly", net::to_string(peer.address));
          continue;
        }
        result = {.outcome = std::unexpected(std::move(direct.error())), .is_cut = true};
      }
      if (result.outcome) break;
      if (!result.is_cut || !what->can_continue() || options_.wait.count() == 0) co_return result.outcome;
      say_note(fmt::format("{}: waiting {} s for the other side to come back", result.outcome.error().error,
                           options_.wait.count()));
      what->rules.begin_again();
      PAKE_CO_TRY(peer, co_await wait_again(loop, std::move(continuation)));
      way = point_ ? Way::old_meeting : Way::settled;
      say_note(fmt::format("connected again{}: {}", point_ ? " through" : "", net::to_string(peer.address)));
    }
    report_.summary(*what->summary);
    co_return Expected<void>();
  }

  enum class Way : std::uint8_t {
    settled,      // at an address: there is no other
    new_meeting,  // through the server, unless there is a direct one
    old_meeting,  // through the server again, after a cut
    direct,
  };

  // In a new meeting: ends early with `path`, if the two are to go on by it.
  net::Awaitable<Expected<void>> send_or_move(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                              std::shared_ptr<Sendable> what, Way way,
                                              std::shared_ptr<std::optional<meeting::DirectPath>> path) {
    const auto kept = std::make_shared<Kept>(loop);
    const bool is_meeting = way == Way::new_meeting || way == Way::old_meeting;
    if (is_meeting) loop.spawn(keep_meeting(loop, point_, place_.selector, place_.token, kept));
    PAKE_CO_TRY(auto stream, co_await first_stream(link));
    if (is_meeting && stream.service == meeting::kDirectService) {
      if (way == Way::new_meeting && options_.via.may_go_directly()) {
        PAKE_CO_TRY(*path, co_await meeting::answer_direct_path(loop, link, std::move(stream.stream),
                                                                {.cache = cache_, .trace = trace_}));
      } else {
        stream.stream->reset(channel::ResetCode::no_such_service);
      }
      if (*path) {
        co_await kept->wait();  // the way back
        link->close(channel::CloseCode::done, net::after(kLeave));
        co_return Expected<void>();
      }
      PAKE_CO_TRY(stream, co_await first_stream(link));
    }
    if (way == Way::new_meeting) {
      say_note(meeting::connected_through(*point_));
      report_.way("through", point_->name());
    }
    co_return co_await send_over(loop, link, std::move(stream), what);
  }

  net::Awaitable<Expected<pipe::AuthenticatedPeer>> wait_at_address(net::Loop& loop, bool is_first) {
    PAKE_CO_TRY(auto listener, co_await listen(loop, address_, net::kNever));
    address_ = listener.address();
    auto code = identity::generate_code(rng_);
    const auto number = options_.lan ? draw_selector(rng_) : 0;
    const auto selector = options_.lan ? std::to_string(number) : "";
    const auto reachable = pipe::reachable(address_);
    PAKE_CO_TRYV(show(fmt::format("{}{}{}", selector, selector.empty() ? "" : "-", as_text(code.reveal())),
                      fmt::format("{}pake receive {}", options_.lan ? "pake receive --lan  or  " : "", reachable),
                      reachable));
    if (is_first) {
      pipe::explain_address(address_, options_.is_plain && !options_.lan,
                            {.here = "pake send --listen", .there = "pake receive"});
      say_what();
    }
    std::optional<Announcer> announcer;
    if (options_.lan) announcer.emplace(loop, rng_, number, std::get<net::TcpAddress>(address_).port);
    PAKE_CO_TRY(auto peer, co_await pipe::wait_for_peer(loop, std::move(listener), std::move(code), cache_,
                                                        {.silent = silent(),
                                                         .tries = options_.tries,
                                                         .start = "pake send",
                                                         .selector = selector,
                                                         .trace = &trace_}));
    say_note(fmt::format("connected: {} knows the code", net::to_string(peer.address)));
    co_return std::move(peer);
  }

  net::Awaitable<Expected<pipe::AuthenticatedPeer>> wait_via(net::Loop& loop, bool is_first) {
    PAKE_CO_TRY(place_, co_await meeting::take_place(loop, *point_, options_.tries));
    const auto code = identity::generate_code(rng_);
    const auto name = std::to_string(place_.selector);
    const auto server = options_.via.for_the_other_side();
    PAKE_CO_TRYV(
        show(fmt::format("{}-{}", name, as_text(code.reveal())), fmt::format("pake receive --via {}", server), server));
    if (is_first) say_what();
    PAKE_CO_TRY(auto peer,
                co_await meeting::wait_for_peer(loop, *point_, place_, code, cache_,
                                                {.tries = options_.tries, .name = name, .start = "pake send"}));
    co_return std::move(peer);
  }

  Expected<void> show(const std::string& code, const std::string& command, const std::string& address) {
    Output screen(STDERR_FILENO);
    screen.line(fmt::format("the code is  {}\non the other side:  {}", code, command));
    if (options_.qr) {
      PAKE_TRY(const auto drawn, qr_code(code));
      screen.line(drawn);
    }
    if (screen.failure() != 0)
      return std::unexpected(
          Problem{.error = fmt::format("cannot show the code: {}", explain_errno(screen.failure()))});
    report_.waiting(code, address);
    return {};
  }

  void say_what() const {
    note_left_out(source_);
    say_note(fmt::format("to send: {}", offer_in_words(source_.entries)));
  }

  // Whether the server has said that it keeps the meeting.
  struct Kept {
    explicit Kept(net::Loop& loop) : answered(loop) {}
    net::Awaitable<void> wait() {
      if (!is_answered) static_cast<void>(co_await answered.wait(net::after(kLeave)));
    }
    net::Signal answered;
    bool is_answered = false;
  };

  // While the transfer runs. If the server does not answer, a cut ends the transfer.
  static net::Awaitable<void> keep_meeting(net::Loop& loop, std::shared_ptr<meeting::MeetingPoint> point,
                                           std::uint32_t selector, channel::MeetingToken token,
                                           std::shared_ptr<Kept> kept) {
    meeting::Place place;
    place.selector = selector;
    place.token = token;
    static_cast<void>(co_await meeting::keep(loop, *point, place));
    kept->is_answered = true;
    kept->answered.notify();
  }

  net::Awaitable<Expected<pipe::AuthenticatedPeer>> wait_at_meeting(net::Loop& loop, const Continuation& continuation,
                                                                    net::Deadline deadline) {
    PAKE_CO_TRYV(co_await meeting::return_to(loop, *point_, place_, deadline));
    place_.until = deadline;
    co_return co_await meeting::wait_for_peer(
        loop, *point_, place_, continuation.secret, cache_,
        {.tries = channel::kMaxMeetingTries, .name = continuation.selector, .start = ""});
  }

  net::Awaitable<Expected<pipe::AuthenticatedPeer>> wait_again(net::Loop& loop, Continuation continuation) {
    const auto deadline = net::after(options_.wait);
    if (point_) {
      auto peer = co_await wait_at_meeting(loop, continuation, deadline);
      const int code = peer ? kExitOk : peer.error().exit_code;
      if (code == kExitCutShort || code == kExitUnreachable) co_return std::unexpected(not_back());
      co_return peer;
    }
    PAKE_CO_TRY(auto listener, co_await listen(loop, address_, deadline));
    auto peer = co_await pipe::wait_for_peer(loop, std::move(listener), std::move(continuation.secret), cache_,
                                             {.silent = silent(),
                                              .tries = kEndless,
                                              .start = "pake send",
                                              .selector = continuation.selector,
                                              .deadline = deadline,
                                              .trace = &trace_});
    if (!peer && peer.error().exit_code == kExitCutShort) co_return std::unexpected(not_back());
    co_return peer;
  }

  static Problem not_back() {
    return {.exit_code = kExitCutShort,
            .error = "the connection was cut, and the other side did not come back",
            .hint = "run it again: what has arrived is not sent again"};
  }

  [[nodiscard]] std::size_t silent() const { return std::min(kMostSilent, files_ - kFilesOfOurOwn); }

  const SendOptions& options_;
  Source source_;
  std::optional<pipe::Trace>& trace_;
  std::shared_ptr<meeting::MeetingPoint> point_;  // null: at an address
  net::Address address_ = options_.address;
  meeting::Place place_;
  Report report_{Side::sender, options_.json};
  std::size_t files_ = std::max(raise_file_limit(), kFilesOfOurOwn + 1);
  crypto::SystemRng rng_;
  channel::KeyCache cache_{2};
};

Expected<int> try_send(const SendOptions& options) {
  PAKE_TRY(auto source, look_at(options));
  std::optional<pipe::Trace> trace;
  if (options.trace) {
    PAKE_TRY(trace, pipe::Trace::open(*options.trace));
  }
  std::shared_ptr<meeting::MeetingPoint> point;
  if (options.via.is_given()) {
    PAKE_TRY(point, meeting::MeetingPoint::open(options.via, trace));
  }
  Sender sender(options, std::move(source), trace, std::move(point));
  return pipe::finish(trace, run_to_the_end([&](net::Loops& loops) { return sender.run(loops); }));
}

}  // namespace

int send(const SendOptions& options) {
  const auto exit_code = try_send(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::files
