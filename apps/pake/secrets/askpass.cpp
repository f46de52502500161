#include "secrets/askpass.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "pake/internal/try.h"
#include "process/unique_fd.h"
#include "secrets/secret_source.h"
#include "terminal/job_control.h"
#include "terminal/prompt.h"

namespace pake::cli {
namespace {

std::string_view environment(const char* name) {
  const char* const value = ::secure_getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::unexpected<Problem> complain(const std::string& program, const std::string& what) {
  return std::unexpected(Problem{.error = fmt::format("the program of PAKE_ASKPASS, {}, {}", program, what)});
}

/// How the program begins: what it prints comes here, and signals are as they were before this program ignored some.
class Beginning {
 public:
  explicit Beginning(int out) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    sigset_t usual;
    sigemptyset(&usual);
    ::posix_spawnattr_setsigmask(&attributes_, &usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    ::posix_spawnattr_setsigdefault(&attributes_, &usual);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Beginning(const Beginning&) = delete;
  Beginning& operator=(const Beginning&) = delete;
  ~Beginning() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  /// An errno, or 0.
  int spawn(pid_t& process, const std::string& program, std::string question) const {
    std::string name = program;
    std::array<char*, 3> arguments = {name.data(), question.data(), nullptr};
    return ::posix_spawnp(&process, program.c_str(), &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Expected<void> wait_for(pid_t process, const std::string& program) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0)
    if (errno != EINTR) return complain(program, fmt::format("cannot be waited for: {}", explain_errno(errno)));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status))
    return complain(program, fmt::format("gave no password: it ended with {}", WEXITSTATUS(status)));
  return complain(program, "gave no password: a signal ended it");
}

// 0 once there is something to read, or its end; or the signal that came first.
int wait_for_output(int fd, const SignalPipe& signals) {
  for (;;) {
    std::array<pollfd, 2> ready = {
        {{.fd = fd, .events = POLLIN, .revents = 0}, {.fd = signals.fd(), .events = POLLIN, .revents = 0}}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return 0;
    if (const int signal = signals.take(); signal != 0) return signal;
    if (ready[0].revents != 0) return 0;
  }
}

Bytes first_line(Bytes text) {
  const auto end = std::ranges::find_if(text, [](std::uint8_t byte) { return byte == '\n' || byte == '\r'; });
  return text.first(static_cast<std::size_t>(end - text.begin()));
}

}  // namespace

std::optional<std::string> askpass_program() {
  const auto program = environment("PAKE_ASKPASS");
  const auto require = environment("PAKE_ASKPASS_REQUIRE");
  if (program.empty() || require == "never") return std::nullopt;
  if (require != "force" && require != "prefer" && has_terminal()) return std::nullopt;
  return std::string(program);
}

Expected<SecretBuffer> ask_by_program(const std::string& program, std::string_view question, std::size_t longest) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return complain(program, explain_errno(errno));
  const UniqueFd reading(ends[0]);
  const SignalPipe signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  pid_t process = 0;
  {
    const UniqueFd writing(ends[1]);
    if (const int error = Beginning(writing.get()).spawn(process, program, std::string(question)); error != 0)
      return complain(program, fmt::format("cannot be run: {}", explain_errno(error)));
  }
  int signal = 0;
  const auto text = read_all(reading.get(), longest + 2, fmt::format("what {} prints", program), [&] {
    signal = wait_for_output(reading.get(), signals);
    return signal == 0;
  });
  if (!text || signal != 0) ::kill(process, SIGTERM);
  if (signal != 0)
    return std::unexpected(
        Problem{.exit_code = kExitSignal + signal, .error = fmt::format("interrupted while {} asked", program)});
  const auto ended = wait_for(process, program);
  if (!text) return std::unexpected(text.error());
  PAKE_TRYV(ended);
  const auto line = first_line(text->reveal());
  if (line.empty()) return complain(program, "gave an empty password");
  return SecretBuffer::copy_of(line);
}

}  // namespace pake::cli
