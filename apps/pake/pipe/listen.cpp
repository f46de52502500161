#include "pipe/listen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

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
#include "pipe/trace.h"
#include "process/output.h"
#include "process/process.h"
#include "process/run.h"

namespace pake::cli::pipe {
namespace {

constexpr std::size_t kMostSilent = 64;     // callers at once that have said nothing yet
constexpr std::size_t kFilesOfOurOwn = 24;  // what is open beside the callers, generously

std::string how_to_dial(const net::Address& address, const identity::Code& code) {
  return fmt::format("the code is  {}\non the other side:  pake dial {}", as_text(code.reveal()), reachable(address));
}

class Host {
 public:
  Host(const ListenOptions& options, std::optional<Trace>& trace) : options_(options), trace_(trace) {}

  net::Awaitable<Expected<void>> run(net::Loops& loops) {
    auto& loop = loops.main();
    PAKE_CO_TRY(auto files, take_standard_files(loop));
    auto listener = co_await net::listen(loop, options_.address, net::kNever);
    if (!listener) co_return std::unexpected(cannot_listen(options_.address, listener.error()));
    crypto::SystemRng rng;
    auto code = identity::generate_code(rng);
    Output screen(STDERR_FILENO);
    screen.line(how_to_dial(listener->address(), code));
    if (screen.failure() != 0)
      co_return std::unexpected(
          Problem{.error = fmt::format("cannot show the code: {}", explain_errno(screen.failure()))});
    explain_address(listener->address(), options_.is_plain, {.here = "pake listen", .there = "pake dial"});

    PAKE_CO_TRY(const auto peer, co_await wait_for_peer(loop, std::move(*listener), std::move(code), cache_,
                                                        {.silent = std::min(kMostSilent, files_ - kFilesOfOurOwn),
                                                         .tries = options_.tries,
                                                         .trace = &trace_}));
    say_note(fmt::format("connected: {} knows the code", net::to_string(peer.address)));
    if (options_.export_label) co_return co_await print_exported(loop, peer.link, *options_.export_label);
    co_return co_await converse(loop, std::move(files), peer.link, nullptr);
  }

 private:
  const ListenOptions& options_;
  std::optional<Trace>& trace_;
  std::size_t files_ = std::max(raise_file_limit(), kFilesOfOurOwn + 1);
  channel::KeyCache cache_{2};
};

Expected<int> try_listen(const ListenOptions& options) {
  std::optional<Trace> trace;
  if (options.trace) {
    PAKE_TRY(trace, Trace::open(*options.trace));
  }
  Host host(options, trace);
  const auto exit_code = run_to_the_end([&](net::Loops& loops) { return host.run(loops); });
  if (trace) PAKE_TRYV(trace->finish());
  return exit_code;
}

}  // namespace

int listen(const ListenOptions& options) {
  const auto exit_code = try_listen(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::pipe
