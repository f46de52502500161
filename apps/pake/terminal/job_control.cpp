#include "terminal/job_control.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace pake::cli {
namespace {

std::atomic<int> signals_to = -1;  // the pipe's end that handle_signal writes to

extern "C" void handle_signal(int signal) {
  const int before = errno;
  const auto number = static_cast<unsigned char>(signal);
  static_cast<void>(::write(signals_to.load(), &number, 1));
  errno = before;
}

bool same(const termios& a, const termios& b) {
  return a.c_iflag == b.c_iflag && a.c_oflag == b.c_oflag && a.c_cflag == b.c_cflag && a.c_lflag == b.c_lflag &&
         std::memcmp(static_cast<const void*>(a.c_cc), static_cast<const void*>(b.c_cc), sizeof a.c_cc) == 0;
}

// Waits until the one who tries to stop this process has done so.
void raise_unblocked(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigset_t before;
  ::pthread_sigmask(SIG_UNBLOCK, &set, &before);
  static_cast<void>(::raise(signal));  // it comes to this thread, and it has stopped all of them when raise returns
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

bool is_in_foreground(int terminal) {
  const auto group = ::tcgetpgrp(terminal);
  return group < 0 || group == ::getpgrp();  // a terminal that controls nobody
}

bool wait_for_foreground(int terminal) {
  while (!is_in_foreground(terminal)) {
    struct sigaction action{};
    ::sigaction(SIGTTIN, nullptr, &action);
    const bool is_orphan = ::getsid(::getppid()) != ::getsid(0);  // the system does not stop a group that nobody minds
    if (action.sa_handler == SIG_IGN || is_orphan) return false;
    ::kill(0, SIGTTIN);
  }
  return true;
}

UniqueFd open_keys(int terminal) {
  if (::tcgetsid(terminal) != ::getsid(0)) return UniqueFd(-1);
  return UniqueFd(::open("/dev/tty", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

void stop_by_signal() {
  struct sigaction ours{};
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  ::sigaction(SIGTSTP, &plain, &ours);
  raise_unblocked(SIGTSTP);
  ::sigaction(SIGTSTP, &ours, nullptr);
}

SignalPipe::SignalPipe(std::initializer_list<int> signals) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;
  reading_ = ends[0];
  signals_to = ends[1];
  for (const int signal : signals) {
    struct sigaction action{};
    action.sa_handler = &handle_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    struct sigaction before{};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) continue;
    ::sigaction(signal, &action, nullptr);
    before_.emplace(signal, before);
  }
}

SignalPipe::~SignalPipe() {
  for (const auto& [signal, action] : before_) ::sigaction(signal, &action, nullptr);
  if (reading_ < 0) return;
  ::close(signals_to.exchange(-1));
  ::close(reading_);
}

int SignalPipe::take() const noexcept {
  unsigned char number = 0;
  return ::read(reading_, &number, 1) == 1 ? number : 0;
}

void TerminalModes::find() {
  termios now{};
  if (::tcgetattr(terminal_, &now) != 0) return;
  if (ours_ && same(now, *ours_)) return;  // nobody has changed them
  const bool is_an_editors = (now.c_lflag & ICANON) == 0U;
  if (!found_ || !is_an_editors) found_ = now;
}

void TerminalModes::set(void (*change)(termios&)) {
  if (!found_) return;
  auto wanted = *found_;
  change(wanted);
  ::tcsetattr(terminal_, TCSAFLUSH, &wanted);
  ours_ = wanted;
}

void TerminalModes::restore() {
  if (!found_ || !ours_) return;
  ::tcsetattr(terminal_, TCSAFLUSH, &*found_);
  ours_.reset();
}

}  // namespace pake::cli
