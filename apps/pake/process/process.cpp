#include "process/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <string_view>

namespace pake::cli {
namespace {

// A standard descriptor that is closed would be given to the next file or socket. What takes its place here can be
// neither read nor written, as if it were closed.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0) static_cast<void>(::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

Expected<void> check_open_for(int fd, int other_mode, std::string_view what) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) != other_mode) return {};
  return std::unexpected(Problem{.error = fmt::format("{}: {}", what, explain_errno(EBADF))});
}

}  // namespace

Expected<void> check_stdin() { return check_open_for(STDIN_FILENO, O_WRONLY, "cannot read stdin"); }
Expected<void> check_stdout() { return check_open_for(STDOUT_FILENO, O_RDONLY, "cannot write to stdout"); }

void harden_process() {
  occupy_standard_descriptors();
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);  // also where core_pattern is a pipe, which the limit does not stop
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));  // a file that may not grow is an error to see as well
}

int end_as_told(int exit_code) {
  const int signal = exit_code - kExitSignal;
  if (signal <= 0 || signal > SIGRTMAX) return exit_code;
  static_cast<void>(std::signal(signal, SIG_DFL));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  static_cast<void>(::raise(signal));
  return exit_code;  // it is one that ends nothing
}

std::size_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace pake::cli
