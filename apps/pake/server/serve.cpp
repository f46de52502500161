#include "server/serve.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "network/problems.h"
#include "options/quiet.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/loops.h"
#include "pake/server/metrics.h"
#include "pake/server/server.h"
#include "process/output.h"
#include "process/service_manager.h"
#include "process/unique_fd.h"
#include "server/data.h"
#include "server/serve_options.h"
#include "server/sessions.h"
#include "terminal/escape.h"
#include "trace/trace.h"

namespace pake::cli::server {
namespace {

using pake::server::Accounts;
using pake::server::Config;
using pake::server::Log;
using pake::server::LogLevel;
using pake::server::Server;

/// Tells of each of `signals`, one after the other, on a thread of its own: what it does may block.
class SignalThread {
 public:
  /// Blocks them for this thread and all that it starts from now on: made before any other thread.
  SignalThread(std::initializer_list<int> signals, std::function<void(int)> on_signal)
      : on_signal_(std::move(on_signal)) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_.emplace(::signalfd(-1, &set, SFD_CLOEXEC));
    stop_.emplace(::eventfd(0, EFD_CLOEXEC));
  }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;
  ~SignalThread() { stop(); }

  /// While it lives, a signal that ends a program ends this one at once, even in a name look-up.
  class Unblocked {
   public:
    Unblocked() { mask(SIG_UNBLOCK); }
    Unblocked(const Unblocked&) = delete;
    Unblocked& operator=(const Unblocked&) = delete;
    ~Unblocked() { mask(SIG_BLOCK); }

   private:
    static void mask(int how) {
      sigset_t set;
      sigemptyset(&set);
      for (const int signal : {SIGTERM, SIGINT}) sigaddset(&set, signal);
      ::pthread_sigmask(how, &set, nullptr);
    }
  };

  [[nodiscard]] bool is_good() const { return signals_->get() >= 0 && stop_->get() >= 0; }
  void start() {
    thread_ = std::jthread([this] { run(); });
  }
  /// From now on nobody is told.
  void stop() {
    if (!thread_.joinable()) return;
    static_cast<void>(::eventfd_write(stop_->get(), 1));
    thread_.join();
  }

 private:
  void run() {
    for (;;) {
      std::array<pollfd, 2> ready = {{{.fd = stop_->get(), .events = POLLIN, .revents = 0},
                                      {.fd = signals_->get(), .events = POLLIN, .revents = 0}}};
      if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
      if (ready[0].revents != 0) return;
      signalfd_siginfo info{};
      if (ready[1].revents != 0 && ::read(signals_->get(), &info, sizeof info) == sizeof info)
        on_signal_(static_cast<int>(info.ssi_signo));
    }
  }

  std::function<void(int)> on_signal_;
  std::optional<UniqueFd> signals_, stop_;
  std::jthread thread_;
};

// As many connections as the system allows: an idle one costs little.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
}

Expected<std::shared_ptr<Log>> open_log(const ServeOptions& options) {
  auto opened = Log::open(to_log_options(options));
  if (auto* const log = std::get_if<std::shared_ptr<Log>>(&opened)) return std::move(*log);
  return std::unexpected(Problem{.error = fmt::format("cannot write the log: {}", std::get<std::string>(opened)),
                                 .hint = "log.file in the configuration names it"});
}

Expected<Data> open_or_create(const ServeOptions& options) {
  crypto::SystemRng rng;
  const auto now = wall_now();
  const auto make_keys = [&](std::uint32_t epoch) {
    std::vector<store::EpochKeys> keys;
    for (const auto suite : {channel::Suite::opaque_ristretto255, channel::Suite::opaque_p256})
      keys.push_back(pake::server::make_epoch_keys(suite, options.ksf, epoch, now, rng));
    return store::StoreResult<std::vector<store::EpochKeys>>(std::move(keys));
  };
  const auto place = place_of(options.data);
  PAKE_TRY(auto data,
           to_data(store::open_or_create_data(place,
                                              {.make_keys = make_keys,
                                               .parameters = {.epoch = 1,
                                                              .suite = static_cast<std::uint8_t>(options.suite),
                                                              .ksf_profile = static_cast<std::uint8_t>(options.ksf)}},
                                              now, rng)));
  if (data.is_first_start) {
    say_note(fmt::format("first start: made the store {} and the key file {}", place.store_or_default(),
                         place.key_file_or_default().string()));
    say_note("nothing works without the key file: back it up apart from the store, by pake keys backup");
  }
  return data;
}

class Serving {
 public:
  Serving(std::shared_ptr<ServeOptions> options, Invocation invocation)
      : options_(std::move(options)), invocation_(std::move(invocation)) {}

  Expected<void> run() {
    PAKE_TRY(auto config, to_config(*options_, invocation_.configuration.has_value()));
    PAKE_TRY(const auto addresses, to_addresses(*options_));
    const auto handed = take_handed_sockets();
    raise_file_limit();
    SignalThread signals({SIGTERM, SIGINT, SIGHUP}, [this](int signal) { on_signal(signal); });
    PAKE_TRY(const auto data, open_or_create(*options_));
    PAKE_TRY(log_, open_log(*options_));
    const auto cores = std::max(1U, std::thread::hardware_concurrency());
    net::Loops loops(options_->threads != 0 ? options_->threads : cores);
    const ServerEnd end(server_);
    auto made = Server::make(loops, std::move(config), std::make_shared<Accounts>(data.store, data.keyring), log_);
    if (!made) return std::unexpected(Problem{.error = "the system has no threads left"});
    server_ = std::move(*made);
    PAKE_TRY(const auto trace, trace::Trace::open(options_->trace));
    if (trace.is_wanted())
      server_->follow_connections(
          [trace](std::unique_ptr<net::Stream> stream) { return trace.follow(std::move(stream)); });
    if (!signals.is_good()) return std::unexpected(Problem{.error = "no file descriptors are left"});
    if (auto ready = server_->prepare(); !ready) return std::unexpected(to_problem(std::move(ready.error())));
    if (handed.empty()) PAKE_TRYV(listen_on(addresses));
    for (const int socket : handed) PAKE_TRYV(listen_on(socket));
    listen_for_control();
    PAKE_TRYV(serve_metrics(loops.main()));
    signals.start();
    tell_service_manager("READY=1");
    loops.run(server_->run());
    signals.stop();
    log_->write(LogLevel::info, "stopped");
    return trace.finish();
  }

 private:
  /// The server goes before its loops, whichever way `run` ends.
  class ServerEnd {
   public:
    explicit ServerEnd(std::unique_ptr<Server>& server) : server_(server) {}
    ServerEnd(const ServerEnd&) = delete;
    ServerEnd& operator=(const ServerEnd&) = delete;
    ~ServerEnd() { server_.reset(); }

   private:
    std::unique_ptr<Server>& server_;
  };

  // Says so once it listens at all of them: whoever has read it ends the server in order.
  Expected<void> listen_on(const std::vector<net::Address>& addresses) {
    std::vector<net::Address> bound;
    {
      const SignalThread::Unblocked unblocked;
      for (const auto& address : addresses) {
        auto listening = server_->listen(address);
        if (!listening) return std::unexpected(cannot_listen(address, listening.error()));
        bound.push_back(std::move(*listening));
      }
    }
    for (const auto& address : bound) say_listening(address);
    return {};
  }

  // A socket of the service manager's.
  Expected<void> listen_on(int socket) {
    const auto bound = server_->listen_on(socket);
    if (!bound)
      return std::unexpected(Problem{
          .error = fmt::format("cannot take the socket {} of the service manager: {}", socket, bound.error().explain()),
          .hint = "its unit must say ListenStream= and Accept=no"});
    say_listening(*bound);
    return {};
  }

  void say_listening(const net::Address& address) {
    const auto text = net::to_string(address);
    if (says_words()) say_note("listening on " + text);
    log_->write(LogLevel::info, "listening", {{.key = "address", .value = text}});
  }

  // Who is in, for the operator: without it the server does its work all the same.
  void listen_for_control() {
    const auto path = control_path(place_of(options_->data).directory.string());
    const auto listening = path.size() <= net::kMaxUnixPath
                               ? server_->listen_for_control({.path = path})
                               : net::Outcome<void>(net::fail(net::Error::Kind::other, ENAMETOOLONG));
    if (!listening)
      log_->write(LogLevel::warning, "no-control-socket",
                  {{.key = "path", .value = path}, {.key = "error", .value = listening.error().explain()}});
  }

  Expected<void> serve_metrics(net::Loop& loop) {
    if (!options_->metrics) return {};
    const auto address = parse_address_to_listen(*options_->metrics);
    const auto* const tcp = address ? std::get_if<net::TcpAddress>(&*address) : nullptr;
    if (tcp == nullptr || tcp->host.empty())
      return std::unexpected(
          Problem{.exit_code = kExitUsage,
                  .error = fmt::format("--metrics: {} is no address of this machine", escape(*options_->metrics)),
                  .hint = "--metrics 127.0.0.1:9464"});
    const auto at = [&] {
      const SignalThread::Unblocked unblocked;
      return pake::server::serve_metrics(loop, *tcp, *server_);
    }();
    if (!at) return std::unexpected(cannot_listen(*address, at.error()));
    const auto text = net::to_string(net::Address(*at));
    if (says_words()) say_note("metrics on " + text);
    log_->write(LogLevel::info, "metrics", {{.key = "address", .value = text}});
    return {};
  }

  // A log of JSON on stderr is not mixed with words.
  [[nodiscard]] bool says_words() const {
    return options_->log_format == pake::server::LogFormat::text || options_->log_file;
  }

  void on_signal(int signal) {
    if (signal == SIGHUP) return reload();
    if (server_->is_draining()) ::_exit(kExitSignal + signal);  // the second one does not wait
    log_->write(LogLevel::info, "draining", {{.key = "signal", .value = std::int64_t{signal}}});
    tell_service_manager("STOPPING=1");
    server_->drain();
  }

  // Into fresh variables: what is wrong changes nothing.
  void reload() {
    auto fresh = std::make_shared<ServeOptions>();
    const auto settings = serve_settings(*fresh);
    const auto applied = apply_settings(settings, invocation_);
    if (!applied) return refuse_reload(applied.error());
    auto config = to_config(*fresh, invocation_.configuration.has_value());
    if (!config) return refuse_reload(config.error());
    auto log = open_log(*fresh);
    if (!log) return refuse_reload(log.error());
    auto keyring = read_keyring(*fresh);
    if (!keyring) return refuse_reload(keyring.error());
    server_->accounts().set_keyring(std::move(*keyring));
    const auto changes = changes_between(serve_settings(*options_), settings);
    server_->set_log(*log);
    server_->reload(std::move(*config));
    log_ = std::move(*log);
    options_ = std::move(fresh);
    log_->write(LogLevel::info, "reloaded",
                {{.key = "changed", .value = fmt::format("{}", fmt::join(changes.taken_over, ","))},
                 {.key = "needs_restart", .value = fmt::format("{}", fmt::join(changes.wait_for_start, ","))}});
  }

  // The file as it is now, of the same store.
  Expected<std::shared_ptr<const pake::server::Keyring>> read_keyring(const ServeOptions& options) {
    const auto place = place_of(options.data);
    auto file = store::read_key_file(place.key_file_or_default(), place.key_file_place);
    if (!file) return std::unexpected(to_problem(std::move(file.error())));
    const auto& info = server_->accounts().store().info();
    if (auto same = store::require_same_key_file(*file, info.key_file, info.where); !same)
      return std::unexpected(to_problem(std::move(same.error())));
    auto keyring = pake::server::Keyring::make(std::move(*file));
    if (!keyring) return std::unexpected(to_problem(std::move(keyring.error())));
    return std::move(*keyring);
  }

  void refuse_reload(const Problem& problem) {
    log_->write(LogLevel::error, "reload-failed", {{.key = "error", .value = problem.error}});
  }

  std::shared_ptr<ServeOptions> options_;
  Invocation invocation_;
  std::shared_ptr<Log> log_;
  std::unique_ptr<Server> server_;
};

}  // namespace

Command serve_command() {
  const auto options = std::make_shared<ServeOptions>();
  Command command{
      .name = "serve",
      .summary = "Let users in by their passwords, and bring them to services",
      .brief =
          "Listens on this machine alone until an ADDRESS says otherwise. At the first start it makes the store and "
          "the key file; `pake user invite` then brings in the first user.",
      .text = {"Each user proves his password by a protocol (OPAQUE) in which the server never sees it, and the server "
               "proves in return that it holds his record: no certificate is needed. What then passes is encrypted.",
               "Without a configuration the service `echo` is offered, and what --service names. A service is a TCP or "
               "unix socket that the server connects to for an authenticated user, or a program that it runs.",
               "If systemd hands sockets in (LISTEN_FDS), they are listened on, and no address.",
               "SIGHUP reads the configuration again; what is wrong with it is logged and changes nothing. SIGTERM and "
               "SIGINT stop listening, let streams end for limits.drain seconds, then end them; a second one ends at "
               "once."},
      .examples = {"pake serve --data /var/lib/pake", "pake serve 0.0.0.0:8088 --service wiki=127.0.0.1:80",
                   "pake serve --config /etc/pake/pake.toml --check-config"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitStore},
      .settings = serve_settings(*options),
      .check = {},
      .run = [options](const Invocation& invocation) {
        const auto done = Serving(options, invocation).run();
        return done ? kExitOk : report(done.error());
      }};
  command.settings.push_back(quiet_setting());
  add_configuration(command);
  command.check = [options, configuration = command.configuration](const Given&) -> Expected<void> {
    PAKE_TRYV(to_config(*options, configuration && configuration->file));
    PAKE_TRYV(to_addresses(*options));
    return {};
  };
  return command;
}

}  // namespace pake::cli::server
