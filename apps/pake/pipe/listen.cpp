#include "pipe/listen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "network/own_hosts.h"
#include "network/problems.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/identity/code.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pipe/code_acceptor.h"
#include "pipe/conversation.h"
#include "pipe/trace.h"
#include "process/output.h"
#include "process/process.h"
#include "process/run.h"

namespace pake::cli::pipe {
namespace {

constexpr std::size_t kMostSilent = 64;     // callers at once that have said nothing yet
constexpr std::size_t kFilesOfOurOwn = 24;  // what is open beside the callers, generously

bool is_every_interface(const net::Address& address) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  return tcp != nullptr && (tcp->host.empty() || tcp->host == "0.0.0.0" || tcp->host == "::");
}

// Where the other side can reach this one: of an address that stands for all, one that this machine has.
std::string reachable(net::Address address) {
  auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (is_every_interface(address)) tcp->host = own_hosts().front();
  return net::to_string(address);
}

std::string how_to_dial(const net::Address& address, const identity::Code& code) {
  return fmt::format("the code is  {}\non the other side:  pake dial {}", as_text(code.reveal()), reachable(address));
}

// What a person who does not know networks well needs to know of an address.
void explain_address(const net::Address& address, bool is_plain) {
  const auto* const tcp = std::get_if<net::TcpAddress>(&address);
  if (tcp == nullptr) return;
  auto hosts = own_hosts();
  const auto first = hosts.front();
  if (is_plain) {
    say_note("only programs on this machine reach this address");
    say_hint(fmt::format("`pake listen {0}` lets other machines in; they type: pake dial {1}", tcp->port,
                         net::to_string(net::TcpAddress{.host = first, .port = tcp->port})));
  } else if (is_every_interface(address) && hosts.size() > 1) {
    hosts.erase(hosts.begin());
    say_note(fmt::format("this machine is also {}", fmt::join(hosts, ", ")));
  }
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
    explain_address(listener->address(), options_.is_plain);

    PAKE_CO_TRY(const auto peer, co_await wait_for_peer(loop, std::move(*listener), std::move(code), cache_,
                                                        {.silent = std::min(kMostSilent, files_ - kFilesOfOurOwn),
                                                         .tries = options_.tries,
                                                         .trace = &trace_}));
    say_note(fmt::format("connected: {} knows the code", net::to_string(peer.address)));
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
