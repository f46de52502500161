#include "exec.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "forwarding_stream.h"
#include "pake/base/ct.h"
#include "pake/crypto/base64.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/relay.h"
#include "pake/net/signal.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using How = StreamEnd::How;

constexpr const char* kPath = "PATH=/usr/local/bin:/usr/bin:/bin";
constexpr auto kEndsBy = 5s;     // after its streams have ended in order
constexpr auto kTermGrace = 2s;  // after SIGTERM
constexpr auto kKillTime = 2s;   // after SIGKILL, if the server itself ends

std::vector<std::string> environment_of(const ExecService& program, const ServiceClient& client) {
  std::vector<std::string> environment = {kPath, "PAKE_USER=" + client.user};
  for (const auto& [name, value] : program.environment) {
    std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(name + "="); });
    environment.push_back(name + "=" + value);
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

constexpr int kKeyDescriptor = 3;

// The end of a pipe in which the key lies, in base64 and alone on its line, as `pake connect --export` prints it; or
// -1.
int pipe_with(const ExportedKey& key) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return -1;
  auto line = crypto::base64_encode(key.reveal());
  line.push_back('\n');
  const auto written = ::write(ends[1], line.data(), line.size());  // it fits into an empty pipe
  wipe(line);
  ::close(ends[1]);
  if (written == static_cast<ssize_t>(line.size())) return ends[0];
  ::close(ends[0]);
  return -1;
}

// The errno, or the child: leader of a session and group of its own, with nothing of ours but the three descriptors,
// and a fourth if it gets a key.
struct Spawned {
  int error = 0;
  pid_t pid = 0;
};

Spawned spawn(ExecService& program, const ServiceClient& client, int socket) {
  Spawned spawned;
  const int key = client.exported_key ? pipe_with(*client.exported_key) : -1;
  if (client.exported_key && key < 0) {
    spawned.error = errno;
    return spawned;
  }
  auto environment = environment_of(program, client);
  const auto argv = pointers(program.argv);
  const auto envp = pointers(environment);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  if (key >= 0) posix_spawn_file_actions_adddup2(&actions, key, kKeyDescriptor);
  posix_spawn_file_actions_addclosefrom_np(&actions, key >= 0 ? kKeyDescriptor + 1 : kKeyDescriptor);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  spawned.error =
      ::posix_spawn(&spawned.pid, program.argv.front().c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (key >= 0) ::close(key);
  return spawned;
}

// The child's status of waitpid(2), 0 if nobody can say, or nothing while it has not ended.
std::optional<int> status_of(pid_t pid) {
  int status = 0;
  const auto ended = ::waitpid(pid, &status, WNOHANG);
  if (ended == pid) return status;
  if (ended < 0 && errno != EINTR) return 0;
  return std::nullopt;
}

// Waits for the child without holding the loop up: until `deadline`, or for ever.
net::Awaitable<std::optional<int>> reap(net::Loop& loop, pid_t pid, net::Deadline deadline) {
  auto pause = 5ms;
  for (;;) {
    if (const auto status = status_of(pid)) co_return status;
    if (net::Clock::now() >= deadline) co_return std::nullopt;
    if (!co_await loop.sleep_until(net::after(pause))) co_return std::nullopt;
    pause = std::min(2 * pause, 200ms);
  }
}

/// A program that runs, and the client's stream it runs for. Held by all that wait for its end.
struct Program {
  Program(net::Loop& of, pid_t process, std::unique_ptr<net::Stream> client, TellStatus tell_client)
      : loop(of), pid(process), stream(std::move(client)), tell(std::move(tell_client)) {}

  net::Loop& loop;
  pid_t pid;
  std::unique_ptr<net::Stream> stream;
  TellStatus tell;
  bool is_watched = false;
  bool has_output_ended = false;
  std::optional<int> status;  // of waitpid
  net::Signal ended{loop};
};

channel::ProgramStatus to_program_status(int status) {
  using Ended = channel::ProgramStatus::How;
  if (WIFSIGNALED(status)) return {.how = Ended::killed, .value = static_cast<std::uint8_t>(WTERMSIG(status))};
  return {.how = Ended::exited, .value = static_cast<std::uint8_t>(WEXITSTATUS(status))};
}

// The status comes before the end of what the program wrote, or a client would not wait for it.
net::Awaitable<void> watch(std::shared_ptr<Program> program) {
  const auto status = co_await reap(program->loop, program->pid, net::kNever);
  if (!status) co_return;
  program->status = status;
  if (program->tell && program->has_output_ended) {
    if (program->tell(to_program_status(*status)))
      program->stream->shutdown_write();
    else
      program->stream->reset(channel::ResetCode::backend_failed);
  }
  program->ended.notify();
}

void begin_to_watch(const std::shared_ptr<Program>& program) {
  if (!std::exchange(program->is_watched, true)) program->loop.spawn(watch(program));
}

/// The client's stream as the relay has it.
class ClientEnd final : public ForwardingStream {
 public:
  explicit ClientEnd(std::shared_ptr<Program> program)
      : ForwardingStream(*program->stream), program_(std::move(program)) {}

  void shutdown_write() noexcept override {
    if (!program_->tell) return ForwardingStream::shutdown_write();
    program_->has_output_ended = true;
    begin_to_watch(program_);
  }

 private:
  std::shared_ptr<Program> program_;
};

/// The program's end of the socket. A program need not read all that it is sent: what it leaves is dropped, and that it
/// has gone shows as the end of what it wrote.
class ProgramEnd final : public ForwardingStream {
 public:
  explicit ProgramEnd(std::unique_ptr<net::Stream> stream) : ForwardingStream(*stream), stream_(std::move(stream)) {}

  net::Awaitable<net::Outcome<std::size_t>> read_some(MutableBytes into, net::Deadline deadline) override {
    auto count = co_await ForwardingStream::read_some(into, deadline);
    if (!count && count.error() == net::Error::Kind::reset && !is_reset_) co_return net::fail(net::Error::Kind::closed);
    co_return count;
  }
  net::Awaitable<net::Outcome<void>> write_all(Bytes bytes, net::Deadline deadline) override {
    auto written = co_await ForwardingStream::write_all(bytes, deadline);
    if (!written && written.error() == net::Error::Kind::reset && !is_reset_) co_return net::Outcome<void>();
    co_return written;
  }
  void reset(channel::ResetCode code) override {
    is_reset_ = true;
    ForwardingStream::reset(code);
  }

 private:
  std::unique_ptr<net::Stream> stream_;
  bool is_reset_ = false;
};

net::Awaitable<int> end_program(std::shared_ptr<Program> program, bool is_cut) {
  if (is_cut) ::kill(-program->pid, SIGTERM);
  begin_to_watch(program);
  const auto deadline = net::after(is_cut ? kTermGrace : kEndsBy);
  while (!program->status && co_await program->ended.wait(deadline)) {
  }
  if (is_cut || !program->status) ::kill(-program->pid, SIGKILL);  // what it has left behind, too
  while (!program->status && co_await program->ended.wait(net::kNever)) {
  }
  if (program->status) co_return *program->status;
  // The loops are cancelled, and nobody else waits for it.
  const auto status = co_await collect_killed(program->loop, program->pid, net::after(kKillTime));
  co_return status.value_or(SIGKILL);  // as waitpid(2) would say
}

std::string explain(int status) {
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return "status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

net::Awaitable<std::optional<int>> collect_killed(net::Loop& loop, pid_t pid, net::Deadline deadline) {
  constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (;;) {
    if (const auto status = status_of(pid)) co_return status;
    if (net::Clock::now() >= deadline) co_return std::nullopt;
    ::nanosleep(&kLook, nullptr);  // or giving way alone would keep the processor busy
    co_await loop.yield();
  }
}

net::Awaitable<StreamEnd> run_program(net::Loop& loop, ExecService program, ServiceClient client,
                                      std::unique_ptr<net::Stream> stream) {
  std::array<int, 2> pair{};
  Spawned spawned;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    spawned.error = errno;
  } else {
    ::fcntl(pair[0], F_SETFL, O_NONBLOCK);
    spawned = spawn(program, client, pair[1]);
    ::close(pair[1]);
    if (spawned.error != 0) ::close(pair[0]);
  }
  if (spawned.error != 0) {
    stream->reset(channel::ResetCode::backend_unreachable);
    co_return StreamEnd{.how = How::unreachable, .detail = std::generic_category().message(spawned.error)};
  }
  auto backend = net::adopt(loop, pair[0], net::UnixAddress{.path = program.argv.front()});
  const auto running = std::make_shared<Program>(loop, spawned.pid, std::move(stream), std::move(client.tell_status));
  const auto end =
      co_await net::relay(loop, std::make_unique<ClientEnd>(running), std::make_unique<ProgramEnd>(std::move(backend)));
  const auto status = co_await end_program(running, !end.complete);
  co_return StreamEnd{.how = !end.complete ? How::cut
                             : status == 0 ? How::complete
                                           : How::failed,
                      .from_client = end.from_first,
                      .to_client = end.from_second,
                      .detail = status == 0 ? std::string() : explain(status)};
}

}  // namespace pake::server
