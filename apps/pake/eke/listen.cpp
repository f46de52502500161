#include "eke/listen.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "eke/traced_run.h"
#include "eke/users_file.h"
#include "network/problems.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/net/acceptor.h"
#include "pake/net/coroutine.h"
#include "pake/net/drive.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"
#include "process/output.h"
#include "process/process.h"
#include "process/run.h"
#include "terminal/escape.h"
#include "trace/trace.h"

namespace pake::cli::eke {
namespace {

constexpr std::size_t kMostThreads = 8;
constexpr std::size_t kFilesOfOurOwn = 64;  // what is open beside the connections, generously
constexpr std::size_t kChatRead = 1024;     // the seed's recv(1024)

// As Python prints what accept() returns; of a unix socket the path that was listened on.
std::string as_python(const net::Address& peer) {
  if (const auto* local = std::get_if<net::UnixAddress>(&peer)) return fmt::format("'unix:{}'", escape(local->path));
  const auto& tcp = std::get<net::TcpAddress>(peer);
  const bool v6 = tcp.host.find(':') != std::string::npos;
  return fmt::format("('{}', {}{})", tcp.host, tcp.port, v6 ? ", 0, 0" : "");
}

/// How one connection ended.
struct Ending {
  int exit_code = kExitOk;
  std::string reason = {};  // empty when it ended as it should
  bool vanished = false;
};

// Cancelled or evicted: the peer has nothing to do with it.
bool is_ours(const net::Error& error) {
  return error == net::Error::Kind::cancelled || error == net::Error::Kind::interrupted;
}

Ending peer_gone(const net::Error& error) {
  return {.exit_code = kExitCutShort, .reason = error.explain(), .vanished = !is_ours(error)};
}

Ending run_failed(const pake::eke::RsaListener& machine, const net::DriveError& failed) {
  if (failed.error == net::Error::Kind::too_long) return {.exit_code = kExitProtocol, .reason = failed.error.explain()};
  const auto failure = machine.failure();
  if (failed.error != net::Error::Kind::run_failed || !failure) return peer_gone(failed.error);
  const bool auth = pake::eke::error_class(*failure) == Errc::auth_failed;
  return {.exit_code = auth ? kExitAuthFailed : kExitProtocol, .reason = std::string(pake::eke::explain(*failure))};
}

void report_failure(Report& report, std::optional<pake::eke::Failure> failure) {
  if (failure == pake::eke::Failure::unknown_user) report.tell({.name = "user_error", .line = "user error"});
  if (failure == pake::eke::Failure::wrong_NS)
    report.tell({.name = "authentication_failed", .line = "Authentication faild"});  // the seed's spelling
}

class Server {
 public:
  Server(const ListenOptions& options, const trace::Trace& trace, pake::eke::UserTable users, std::size_t threads)
      : options_(options), trace_(trace), users_(std::move(users)), loops_(threads), output_(STDOUT_FILENO, [this] {
          loops_.cancel();
        }) {}

  Expected<int> run() {
    auto listener = net::Listener::open(loops_.main(), options_.address);
    if (!listener) return std::unexpected(cannot_listen(options_.address, listener.error()));
    const SignalEnd signals(loops_);
    announce(listener->address());
    loops_.run(serve(std::move(*listener)));
    PAKE_TRYV(output_.outcome());
    return signals.exit_code_or(exit_code_);
  }

 private:
  using Connection = std::unique_ptr<net::Stream>;

  void announce(const net::Address& address) {
    const auto text = net::to_string(address);
    say("note", fmt::format("listening on {}", text));  // with --quiet too: who dials must know it
    if (options_.style.json)
      Report(output_, options_.style).tell({.name = "listening", .line = "", .fields = {{"address", text}}});
  }

  net::Awaitable<void> serve(net::Listener listener) {
    if (options_.once) {
      auto accepted = co_await accept_one(std::move(listener));
      if (accepted) exit_code_ = co_await serve(*accepted, ++last_id_, nullptr);
      co_return;
    }
    const net::Callers callers({.silent = options_.max_connections, .all = options_.max_connections});
    co_await net::accept_loop(loops_.main(), std::make_shared<net::Listener>(std::move(listener)), callers,
                              {.serve = [this](net::Caller caller) { return attend(std::move(caller), ++last_id_); },
                               .home = [this]() -> net::Loop& { return loops_.next(); },
                               .is_full =
                                   [this, callers](const net::Error& error, const net::Address* peer) {
                                     if (peer == nullptr)
                                       return say_error(fmt::format("cannot accept: {}", error.explain()));
                                     say_error(fmt::format("{}: closed at once, {} connections are open",
                                                           label(*peer, ++last_id_), callers.all()));
                                   }});
  }

  // Whoever comes first.
  net::Awaitable<Connection> accept_one(net::Listener listener) {
    constexpr std::chrono::milliseconds kPause{100};
    for (bool is_told = false;;) {
      auto accepted = co_await listener.accept(loops_.main(), net::kNever);
      if (accepted) co_return std::move(*accepted);
      if (is_ours(accepted.error())) co_return nullptr;
      if (!std::exchange(is_told, true)) say_error(fmt::format("cannot accept: {}", accepted.error().explain()));
      if (!co_await loops_.main().sleep_until(net::after(kPause))) co_return nullptr;
    }
  }

  net::Awaitable<void> attend(net::Caller caller, std::uint64_t id) {
    auto& stream = caller.stream();
    static_cast<void>(co_await serve(stream, id, &caller));
  }

  // One connection from its beginning to its end; returns its exit code.
  // @param caller  who may be evicted until it is authenticated, or null
  net::Awaitable<int> serve(net::Stream& stream, std::uint64_t id, net::Caller* caller) {
    Report report(output_, options_.style, id);
    report.detail({.name = "connected",
                   .line = "Connected From " + as_python(stream.peer()),
                   .fields = {{"peer", net::to_string(stream.peer())}}});
    const auto ending = co_await converse(stream, report, caller);
    if (ending.vanished) report.tell({.name = "abnormal_exit", .line = "User Abnormal Exit"});
    if (!ending.reason.empty() && (ending.vanished || ending.exit_code != kExitCutShort))
      say_error(fmt::format("{}: {}", label(stream.peer(), id), ending.reason));
    co_return ending.exit_code;
  }

  net::Awaitable<Ending> converse(net::Stream& stream, Report& report, net::Caller* caller) {
    auto trace = trace_.begin(protocol_of(pake::eke::Form::seed));
    auto first_line = co_await authenticate(caller != nullptr ? caller->loop() : loops_.main(), stream, report, trace);
    if (!first_line) co_return first_line.error();
    if (caller != nullptr) caller->end_waiting();
    report.detail({.name = "N2_equals_NS", .line = "N2 is equal to NS"});
    report.tell({.name = "authenticated", .line = "Authentication success"});
    co_return co_await chat(stream, report, trace, std::move(*first_line));
  }

  // @return what came behind message 7
  net::Awaitable<std::expected<Buffer, Ending>> authenticate(net::Loop& loop, net::Stream& stream, Report& report,
                                                             trace::Trace::Connection& trace) {
    pake::eke::RsaListener machine({.users = users_, .mode = options_.mode, .observer = &report},
                                   GuessPermit::uncounted_for_study(), rng_);
    TracedRun traced(machine, pake::eke::Form::seed, trace);
    auto rest = co_await net::drive(loop, traced, stream, {.step = options_.deadline});
    if (rest) co_return std::move(*rest);
    report_failure(report, machine.failure());
    co_return std::unexpected(run_failed(machine, rest.error()));
  }

  net::Awaitable<Ending> chat(net::Stream& stream, Report& report, trace::Trace::Connection& trace, Buffer line) {
    for (;; line.clear()) {
      if (line.empty()) {
        line.resize(kChatRead);
        const auto count = co_await stream.read_some(line, net::after(options_.idle));
        if (!count) co_return peer_gone(count.error());
        line.resize(*count);
      }
      note_chat(trace, trace::Passed::received, Speaker::connector, line);
      const auto text = as_text(line);
      if (text == pake::eke::kQuit) {
        report.tell({.name = "quit", .line = fmt::format("User {} quit!", escape(report.user()))});
        co_return Ending{};
      }
      report.tell({.name = "say",
                   .line = fmt::format("User {} say: {}", escape(report.user()), escape(text)),
                   .fields = {{"user", report.user()}, {"line", std::string(text)}}});
      const auto answer = pake::eke::answer(text);
      note_chat(trace, trace::Passed::sent, Speaker::listener, answer);
      const auto answered = co_await stream.write_all(answer, net::after(options_.deadline));
      if (!answered) co_return peer_gone(answered.error());
    }
  }

  static std::string label(const net::Address& peer, std::uint64_t id) {
    return fmt::format("connection {}, {}", id, escape(net::to_string(peer)));
  }

  const ListenOptions& options_;
  const trace::Trace& trace_;
  const pake::eke::UserTable users_;
  crypto::SystemRng rng_;
  net::Loops loops_;
  Output output_;
  std::uint64_t last_id_ = 0;  // the main loop's alone
  int exit_code_ = kExitOk;
};

Expected<pake::eke::UserTable> users_of(const ListenOptions& options) {
  PAKE_TRY(auto password, password_or_default(options.secret));
  if (options.users) return read_users(*options.users);
  pake::eke::UserTable table;
  if (!table.add(options.user, std::move(password)))
    return std::unexpected(Problem{.exit_code = kExitUsage, .error = "this name cannot be used"});
  return table;
}

Expected<int> try_listen(ListenOptions options) {
  PAKE_TRY(auto users, users_of(options));
  say_history();
  const auto files = std::max(raise_file_limit(), kFilesOfOurOwn + 1);
  options.max_connections = std::min(options.max_connections, files - kFilesOfOurOwn);
  const auto cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  PAKE_TRY(auto trace, trace::Trace::open(options.trace));
  return trace.finish(Server(options, trace, std::move(users), std::min(cores, kMostThreads)).run());
}

}  // namespace

int listen(const ListenOptions& options) {
  const auto exit_code = try_listen(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::eke
