#include "process.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>

namespace pake::cli {

void harden_process() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);  // also where core_pattern is a pipe, which the limit does not stop
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
}

std::size_t raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

}  // namespace pake::cli
