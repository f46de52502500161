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
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/relay.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using How = StreamEnd::How;

constexpr const char* kPath = "PATH=/usr/local/bin:/usr/bin:/bin";
constexpr auto kEndsBy = 5s;     // after its streams have ended in order
constexpr auto kTermGrace = 2s;  // after SIGTERM

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

// The errno, or the child: leader of a session and group of its own, with nothing of ours but the three descriptors.
struct Spawned {
  int error = 0;
  pid_t pid = 0;
};

Spawned spawn(ExecService& program, const ServiceClient& client, int socket) {
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
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  Spawned spawned;
  spawned.error =
      ::posix_spawn(&spawned.pid, program.argv.front().c_str(), &actions, &attributes, argv.data(), envp.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return spawned;
}

// Waits for the child without holding the loop up: until `deadline`, or for ever.
net::Awaitable<std::optional<int>> reap(net::Loop& loop, pid_t pid, net::Deadline deadline) {
  auto pause = 5ms;
  for (;;) {
    int status = 0;
    const auto ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) co_return status;
    if (ended < 0 && errno != EINTR) co_return 0;
    if (net::Clock::now() >= deadline) co_return std::nullopt;
    if (!co_await loop.sleep_until(net::after(pause))) co_return std::nullopt;
    pause = std::min(2 * pause, 200ms);
  }
}

net::Awaitable<int> end_program(net::Loop& loop, pid_t pid, bool is_cut) {
  if (is_cut) ::kill(-pid, SIGTERM);
  if (const auto status = co_await reap(loop, pid, net::after(is_cut ? kTermGrace : kEndsBy))) {
    if (is_cut) ::kill(-pid, SIGKILL);  // what it has left behind
    co_return *status;
  }
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  co_return status;
}

std::string explain(int status) {
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return "status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

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
  const auto end = co_await net::relay(loop, std::move(stream), std::move(backend));
  const auto status = co_await end_program(loop, spawned.pid, !end.complete);
  co_return StreamEnd{.how = !end.complete ? How::cut
                             : status == 0 ? How::complete
                                           : How::failed,
                      .from_client = end.from_first,
                      .to_client = end.from_second,
                      .detail = status == 0 ? std::string() : explain(status)};
}

}  // namespace pake::server
