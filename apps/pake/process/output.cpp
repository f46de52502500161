#include "process/output.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

namespace pake::cli {
namespace {

// 0, or the errno of the write that failed.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {  // somebody who shares it has made it non-blocking
      pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
      static_cast<void>(::poll(&room, 1, -1));
      continue;
    }
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

std::atomic<bool> notes_are_said = true;

using Guard = std::function<int(const std::function<int()>& write)>;
std::mutex guard_mutex;
Guard guard;

// write_all, which leaves the line alone that is being typed at a terminal.
int show(int fd, const std::string& text) {
  const auto write = [&] { return write_all(fd, text); };
  const std::scoped_lock lock(guard_mutex);
  return guard && ::isatty(fd) == 1 ? guard(write) : write();
}

}  // namespace

Output::Output(int fd, std::function<void()> on_broken) : fd_(fd), on_broken_(std::move(on_broken)) {}

void Output::line(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  if (failure_ != 0) return;
  failure_ = show(fd_, std::string(text) + '\n');
  if (failure_ != 0 && on_broken_) on_broken_();
}

int Output::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

Expected<void> Output::outcome() const {
  const int error = failure();
  if (error == 0) return {};
  return std::unexpected(Problem{.error = fmt::format("cannot write to stdout: {}", explain_errno(error))});
}

void say(std::string_view kind, std::string_view text) {
  static_cast<void>(show(STDERR_FILENO, fmt::format("{}: {}\n", kind, text)));
}

void guard_screen(Guard wanted) {
  const std::scoped_lock lock(guard_mutex);
  guard = std::move(wanted);
}

void leave_notes_out() { notes_are_said = false; }

bool says_notes() { return notes_are_said; }

void say_note(std::string_view text) {
  if (notes_are_said) say("note", text);
}

int report(const Problem& problem) {
  say_error(problem.error);
  if (!problem.hint.empty()) say_hint(problem.hint);
  return problem.exit_code;
}

}  // namespace pake::cli
