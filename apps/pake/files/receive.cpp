#include "files/receive.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "files/channel.h"
#include "files/lan.h"
#include "files/receiving.h"
#include "files/report.h"
#include "meeting/direct.h"
#include "meeting/meet.h"
#include "meeting/via.h"
#include "network/problems.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pipe/given_code.h"
#include "pipe/trace.h"
#include "process/output.h"
#include "process/process.h"
#include "process/run.h"
#include "terminal/escape.h"
#include "terminal/prompt.h"

namespace pake::cli::files {
namespace {

using pake::files::Target;

constexpr std::chrono::milliseconds kFirstPause{200};
constexpr std::chrono::milliseconds kLongestPause{2000};
constexpr std::chrono::seconds kLeave{3};         // the server, for a direct way
constexpr std::size_t kMostAnnouncers = 3;        // of one selector, each of which gets a guess
constexpr std::size_t kMostAddresses = 16;        // at which somebody is looked for
constexpr std::chrono::seconds kToSayGoodbye{5};  // everything is stored, and the other side may not know it

class Receiver {
 public:
  Receiver(const ReceiveOptions& options, pipe::GivenCode given, std::optional<Target> target,
           std::optional<pipe::Trace>& trace, std::shared_ptr<meeting::MeetingPoint> point)
      : options_(options),
        given_(std::move(given)),
        trace_(trace),
        point_(std::move(point)),
        what_(std::make_shared<Receivable>(options, std::move(target), report_)) {
    static_cast<void>(raise_file_limit());  // many small files are open at once
  }

  net::Awaitable<Expected<void>> run(net::Loops& loops) {
    // Its threads are there before the code is at stake.
    const auto threads = loops.start_workers(std::max(1U, std::thread::hardware_concurrency()));
    if (!threads)
      co_return std::unexpected(Problem{.error = fmt::format("cannot begin: {}", threads.error().explain())});
    auto outcome = co_await run_to_its_end(loops.main());
    what_.reset();  // its file belongs to the loop
    if (point_) co_await point_->leave(loops.main());
    co_return outcome;
  }

 private:
  net::Awaitable<Expected<void>> run_to_its_end(net::Loop& loop) {
    try {
      what_->out = std::make_shared<BlockingFile>(loop, STDOUT_FILENO);
    } catch (const std::system_error& error) {
      co_return std::unexpected(Problem{.error = fmt::format("cannot begin: {}", explain_errno(error.code().value()))});
    }
    PAKE_CO_TRY(auto link, co_await first_link(loop));
    if (!point_) say_note("connected: both sides know the code");
    for (bool is_new_meeting = point_ != nullptr;;) {
      continuations_.insert(continuations_.begin(), continuation_of(*link));
      if (continuations_.size() > 2) continuations_.pop_back();
      const auto over = std::exchange(link, nullptr);
      const auto path = std::make_shared<std::optional<meeting::DirectPath>>();
      auto result = co_await run_channel(loop, over, [this, &loop, what = what_, is_new_meeting, path](auto channel) {
        return receive_or_move(loop, std::move(channel), what, is_new_meeting, path);
      });
      is_new_meeting = false;
      report_.end();
      if (result.outcome && *path) {
        auto direct = co_await (*path)->take();
        if (direct) {
          link = std::move(direct->link);
          say_note(meeting::connected_directly(direct->address));
          report_.way("directly", net::to_string(direct->address));
          continue;
        }
        result = {.outcome = std::unexpected(std::move(direct.error())), .is_cut = true};
      }
      if (result.outcome) break;
      if (!result.is_cut || !what_->can_continue() || options_.wait.count() == 0) co_return result.outcome;
      auto again = co_await dial_again(loop, result.outcome.error().error);
      if (!again && what_->is_told && is_complete()) {
        say_note("everything is stored; the other side may not know it");
        break;
      }
      if (!again) co_return std::unexpected(std::move(again.error()));
      link = std::move(*again);
    }
    report_.summary(what_->summary());
    co_return report_.finish(judge());
  }

  // In a new meeting: ends early with `path`, if the two are to go on by it.
  net::Awaitable<Expected<void>> receive_or_move(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                 std::shared_ptr<Receivable> what, bool is_new_meeting,
                                                 std::shared_ptr<std::optional<meeting::DirectPath>> path) {
    if (is_new_meeting) {
      if (options_.via.may_go_directly()) {
        PAKE_CO_TRY(*path, co_await meeting::seek_direct_path(loop, link, {.cache = cache_, .trace = trace_}));
      }
      if (*path) {
        link->close(channel::CloseCode::done, net::after(kLeave));
        co_return Expected<void>();
      }
      say_note(meeting::connected_through(*point_));
      report_.way("through", point_->name());
    }
    co_return co_await receive_over(loop, std::move(link), std::move(what));
  }

  net::Awaitable<Expected<std::shared_ptr<net::ChannelLink>>> first_link(net::Loop& loop) {
    if (!options_.lan) return dial(loop, given_.selector, given_.code.reveal(), net::after(options_.deadline));
    return find(loop);
  }

  // Whoever announces the selector is tried with the code: a guess that is spent, so three at most.
  net::Awaitable<Expected<std::shared_ptr<net::ChannelLink>>> find(net::Loop& loop) {
    const auto deadline = net::after(options_.deadline);
    std::uint32_t selector = 0;
    std::from_chars(given_.selector.data(), given_.selector.data() + given_.selector.size(), selector);
    PAKE_CO_TRY(auto announcements, AnnouncementListener::open(loop, selector));
    std::vector<std::string> impostors;
    std::set<std::string> said;
    for (std::size_t tried = 0; impostors.size() < kMostAnnouncers && tried < kMostAddresses; ++tried) {
      auto announcer = co_await announcements.next(deadline);
      if (!announcer) break;
      address_ = *announcer;
      auto link = co_await dial(loop, given_.selector, given_.code.reveal(), net::after(options_.deadline));
      if (link) co_return link;
      const auto name = net::to_string(address_);
      if (link.error().exit_code == kExitAuthFailed) impostors.push_back(name);
      if (link.error().exit_code == kExitUnreachable)
        announcements.forget(*announcer);  // it got no guess, and may later
      if (said.insert(name).second)
        say_note(
            fmt::format("{} announces {} and is not the other side: {}", name, given_.selector, link.error().error));
    }
    if (impostors.empty())
      co_return std::unexpected(
          Problem{.exit_code = kExitUnreachable,
                  .error = fmt::format("nobody in this network announces {}", given_.selector),
                  .hint = "start the other side with pake send --lan, or type its address: pake receive HOST:PORT"});
    auto problem = pipe::wrong_code(given_.source, "pake send --lan");
    problem.error = fmt::format("wrong code, or impostors: {}", fmt::join(impostors, ", "));
    co_return std::unexpected(std::move(problem));
  }

  net::Awaitable<Expected<std::unique_ptr<net::Stream>>> connect(net::Loop& loop, net::Deadline deadline) {
    if (point_) co_return co_await meeting::join(loop, *point_, given_.selector, deadline);
    auto connected = co_await net::connect(loop, address_, deadline);
    if (!connected) co_return std::unexpected(cannot_connect(address_, connected.error(), "pake send"));
    co_return trace_ ? trace_->follow(std::move(*connected)) : std::move(*connected);
  }

  net::Awaitable<Expected<std::shared_ptr<net::ChannelLink>>> dial(net::Loop& loop, std::string selector, Bytes secret,
                                                                   net::Deadline deadline) {
    PAKE_CO_TRY(auto stream, co_await connect(loop, deadline));
    auto handshake = channel::ClientHandshake::by_code({}, {.selector = as_bytes(selector), .code = secret}, rng_);
    if (!handshake) co_return std::unexpected(Problem{.error = "cannot begin the handshake"});
    auto channel =
        co_await net::connect_channel(loop, stream, *std::move(handshake), cache_, {.answer = options_.deadline});
    if (!channel)
      co_return std::unexpected(no_channel(
          channel.error(),
          {.wrong_secret = pipe::wrong_code(given_.source, "pake send"), .busy = "somebody else is trying this code"}));
    co_return std::move(channel->link);
  }

  // By what the last channel left, or the one before it: the last one may not have stood at the other side.
  net::Awaitable<Expected<std::shared_ptr<net::ChannelLink>>> dial_again(net::Loop& loop, std::string why) {
    const auto patience = what_->is_told && is_complete() ? std::min(kToSayGoodbye, options_.wait) : options_.wait;
    const auto deadline = net::after(patience);
    say_note(fmt::format("{}: trying for {} s to go on", why, patience.count()));
    auto pause = kFirstPause;
    for (std::size_t attempt = 0;; ++attempt) {
      const auto& continuation = continuations_[attempt % continuations_.size()];
      auto link = co_await dial(loop, continuation.selector, continuation.secret.reveal(),
                                std::min(deadline, net::after(options_.deadline)));
      if (link) {
        say_note("connected again");
        co_return std::move(*link);
      }
      if (net::Clock::now() + pause >= deadline || !co_await loop.sleep_until(net::after(pause)))
        co_return std::unexpected(Problem{.exit_code = kExitCutShort,
                                          .error = "the connection was cut, and there is no way back",
                                          .hint = "start both sides again: what has arrived is not sent again"});
      pause = std::min(2 * pause, kLongestPause);
    }
  }

  [[nodiscard]] bool is_complete() const { return what_->summary().missing == 0 && !what_->is_folder_missing; }

  [[nodiscard]] Expected<void> judge() const {
    if (is_complete()) return {};
    const auto summary = what_->summary();
    const bool is_theirs = summary.reason == pake::files::Missing::not_sent;
    return std::unexpected(Problem{.exit_code = is_theirs ? kExitCutShort : kExitFailed,
                                   .error = summary.missing == 0
                                                ? "not every folder could be made"
                                                : fmt::format("{} of {} files were not stored", summary.missing,
                                                              summary.missing + summary.stored + summary.unchanged)});
  }

  const ReceiveOptions& options_;
  net::Address address_ = options_.address;
  pipe::GivenCode given_;
  std::optional<pipe::Trace>& trace_;
  std::shared_ptr<meeting::MeetingPoint> point_;  // null: at an address
  Report report_{Side::receiver, options_.json};
  std::shared_ptr<Receivable> what_;
  std::vector<Continuation> continuations_;  // the newest first, two at most
  crypto::SystemRng rng_;
  channel::KeyCache cache_{2};
};

Expected<int> try_receive(const ReceiveOptions& options) {
  if (options.out == "-" && options.json)
    return std::unexpected(Problem{.exit_code = kExitUsage, .error = "--out - and --json both want stdout"});
  if (!options.yes && !has_terminal())
    return std::unexpected(
        Problem{.exit_code = kExitUsage,
                .error = "there is no terminal to ask whether the files are wanted: nothing was sent",
                .hint = "--yes accepts what the other side offers"});
  if (options.out == "-") PAKE_TRYV(check_stdout());
  std::optional<Target> target;
  if (options.out != "-") {
    auto opened = Target::open(options.out);
    if (!opened)
      return std::unexpected(
          Problem{.error = fmt::format("cannot write into {}: {}", escape(options.out), opened.error().explain())});
    target.emplace(std::move(*opened));
  }
  const bool is_via = options.via.is_given();
  PAKE_TRY(auto code, pipe::ask_for_code(options.secret,
                                         options.lan || is_via ? pipe::Selector::wanted : pipe::Selector::allowed));
  std::optional<pipe::Trace> trace;
  if (options.trace) {
    PAKE_TRY(trace, pipe::Trace::open(*options.trace));
  }
  std::shared_ptr<meeting::MeetingPoint> point;
  if (is_via) {
    PAKE_TRY(point, meeting::MeetingPoint::open(options.via, trace));
  }
  Receiver receiver(options, std::move(code), std::move(target), trace, std::move(point));
  return pipe::finish(trace, run_to_the_end([&](net::Loops& loops) { return receiver.run(loops); }));
}

}  // namespace

int receive(const ReceiveOptions& options) {
  const auto exit_code = try_receive(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::files
