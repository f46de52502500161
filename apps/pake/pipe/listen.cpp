#include "pipe/listen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "meeting/direct.h"
#include "meeting/meet.h"
#include "meeting/via.h"
#include "network/problems.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/identity/code.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pipe/address_words.h"
#include "pipe/code_acceptor.h"
#include "pipe/conversation.h"
#include "pipe/exported.h"
#include "pipe/port.h"
#include "pipe/trace.h"
#include "process/output.h"
#include "process/process.h"
#include "process/run.h"
#include "terminal/qr.h"

namespace pake::cli::pipe {
namespace {

constexpr std::size_t kMostSilent = 64;     // callers at once that have said nothing yet
constexpr std::size_t kFilesOfOurOwn = 24;  // what is open beside the callers, generously

class Host {
 public:
  Host(const ListenOptions& options, std::optional<Trace>& trace, std::shared_ptr<meeting::MeetingPoint> point)
      : options_(options), trace_(trace), point_(std::move(point)) {}

  net::Awaitable<Expected<void>> run(net::Loops& loops) {
    auto& loop = loops.main();
    auto outcome = co_await run_to_its_end(loop);
    if (point_) co_await point_->leave(loop);
    co_return outcome;
  }

 private:
  net::Awaitable<Expected<void>> run_to_its_end(net::Loop& loop) {
    std::shared_ptr<StandardFiles> files;
    if (!options_.service && !options_.use) {
      PAKE_CO_TRY(files, take_standard_files(loop));
    }
    PAKE_CO_TRY(const auto peer, co_await (point_ ? wait_via(loop) : wait_at_address(loop)));
    if (options_.use) co_return co_await options_.use(loop, peer.link);
    if (options_.export_label) co_return co_await print_exported_at_both_ends(peer.link, *options_.export_label);
    if (options_.service) {
      say_note(fmt::format("the other side reaches {} now; Ctrl-C ends this", net::to_string(*options_.service)));
      co_return co_await offer_port(loop, peer.link, *options_.service);
    }
    co_return co_await converse(loop, std::move(files), peer.link, nullptr);
  }

  net::Awaitable<Expected<AuthenticatedPeer>> wait_at_address(net::Loop& loop) {
    auto listener = co_await net::listen(loop, options_.address, net::kNever);
    if (!listener) co_return std::unexpected(cannot_listen(options_.address, listener.error()));
    auto code = identity::generate_code(rng_);
    PAKE_CO_TRYV(show(std::string(as_text(code.reveal())),
                      fmt::format("{} {}", options_.spellings.commands.there, reachable(listener->address()))));
    explain_address(listener->address(), options_.is_plain, options_.spellings.commands);

    PAKE_CO_TRY(auto peer, co_await wait_for_peer(loop, std::move(*listener), std::move(code), cache_,
                                                  {.silent = std::min(kMostSilent, files_ - kFilesOfOurOwn),
                                                   .tries = options_.tries,
                                                   .start = options_.spellings.start,
                                                   .trace = &trace_}));
    say_note(fmt::format("connected: {} knows the code", net::to_string(peer.address)));
    co_return std::move(peer);
  }

  net::Awaitable<Expected<AuthenticatedPeer>> wait_via(net::Loop& loop) {
    PAKE_CO_TRY(auto place, co_await meeting::take_place(loop, *point_, options_.tries));
    const auto code = identity::generate_code(rng_);
    PAKE_CO_TRYV(show(fmt::format("{}-{}", place.selector, as_text(code.reveal())),
                      fmt::format("{} --via {}", options_.spellings.via, options_.via.for_the_other_side())));
    PAKE_CO_TRY(auto peer, co_await meeting::wait_for_peer(loop, *point_, place, code, cache_,
                                                           {.tries = options_.tries,
                                                            .name = std::to_string(place.selector),
                                                            .start = options_.spellings.start}));
    co_return co_await meeting::choose_way(loop, *point_, std::move(peer), meeting::Came::first,
                                           {.cache = cache_, .trace = trace_});
  }

  [[nodiscard]] Expected<void> show(const std::string& code, const std::string& command) const {
    Output screen(STDERR_FILENO);
    screen.line(fmt::format("the code is  {}\non the other side:  {}", code, command));
    if (options_.qr) {
      PAKE_TRY(const auto drawn, qr_code(code));
      screen.line(drawn);
    }
    if (screen.failure() == 0) return {};
    return std::unexpected(Problem{.error = fmt::format("cannot show the code: {}", explain_errno(screen.failure()))});
  }

  const ListenOptions& options_;
  std::optional<Trace>& trace_;
  std::shared_ptr<meeting::MeetingPoint> point_;  // null: at an address
  crypto::SystemRng rng_;
  std::size_t files_ = std::max(raise_file_limit(), kFilesOfOurOwn + 1);
  channel::KeyCache cache_{2};
};

Expected<int> try_listen(const ListenOptions& options) {
  std::optional<Trace> trace;
  if (options.trace) {
    PAKE_TRY(trace, Trace::open(*options.trace));
  }
  std::shared_ptr<meeting::MeetingPoint> point;
  if (options.via.is_given()) {
    PAKE_TRY(point, meeting::MeetingPoint::open(options.via, trace));
  }
  Host host(options, trace, std::move(point));
  return finish(trace, run_to_the_end([&](net::Loops& loops) { return host.run(loops); }));
}

}  // namespace

int listen(const ListenOptions& options) {
  const auto exit_code = try_listen(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::pipe
