#include "terminal/prompt.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include "process/unique_fd.h"
#include "terminal/job_control.h"

namespace pake::cli {
namespace {

std::unexpected<Problem> complain(std::string error) { return std::unexpected(Problem{.error = std::move(error)}); }

void as_lines(termios& modes) {
  modes.c_lflag |= static_cast<tcflag_t>(ICANON | ISIG | ECHO | ECHOE | ECHOK);
  modes.c_iflag |= static_cast<tcflag_t>(ICRNL);
}
void as_lines_unseen(termios& modes) {
  as_lines(modes);
  modes.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
}

bool can_erase() {
  const char* const type = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return type != nullptr && std::string_view(type) != "dumb" && *type != '\0';
}

class Question {
 public:
  Question(std::string_view question, Echo echo)
      : question_(question),
        echo_(echo),
        terminal_(::open("/dev/tty", O_RDWR | O_CLOEXEC)),
        modes_(terminal_.get()),
        keys_(open_keys(terminal_.get())) {}

  Expected<SecretBuffer> ask(std::size_t longest) {
    if (terminal_.get() < 0) return complain("there is no terminal to ask on");
    if (!show()) return complain("the terminal cannot be used from the background");
    for (;;) {
      std::array<pollfd, 2> ready = {{{.fd = terminal_.get(), .events = POLLIN, .revents = 0},
                                      {.fd = signals_.fd(), .events = POLLIN, .revents = 0}}};
      if (::poll(ready.data(), ready.size(), ends_ == 0 ? -1 : 0) < 0 && errno != EINTR)
        return complain(fmt::format("cannot wait for the terminal: {}", explain_errno(errno)));
      if (const int signal = ends_ != 0 ? ends_ : signals_.take(); signal != 0) {
        if (const int ends = act_on(signal); ends != 0)
          return std::unexpected(Problem{.exit_code = kExitSignal + ends, .error = "interrupted at the prompt"});
      } else if (ready[0].revents != 0) {
        if (auto line = read_line(longest)) return *std::move(line);
      }
    }
  }

 private:
  bool show() {
    if (!wait_for_foreground(terminal_.get())) return false;
    forget_stops();
    modes_.find();
    modes_.set(echo_ == Echo::on ? as_lines : as_lines_unseen);
    say(question_);
    return true;
  }

  // The signals of a stop that is over: shown twice, the question would throw away what was typed to the first.
  void forget_stops() {
    while (const int signal = signals_.take())
      if (signal != SIGCONT && signal != SIGTSTP && signal != SIGWINCH) ends_ = signal;
  }

  // 0, or the signal if that ends the program.
  int act_on(int signal) {
    if (signal == SIGWINCH) return 0;
    if (signal == SIGCONT) return show() ? 0 : SIGHUP;
    modes_.restore();
    say("\n");
    if (signal != SIGTSTP) return signal;
    stop_by_signal();
    return show() ? 0 : SIGHUP;
  }

  // Nothing if a shell has taken the line while this program was stopped.
  std::optional<Expected<SecretBuffer>> read_line(std::size_t longest) {
    ssize_t count = 0;  // a terminal hands over whole lines
    const auto line =
        SecretBuffer::make(longest + 2, [&](MutableBytes out) { count = ::read(keys_.get(), out.data(), out.size()); });
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (count < 0) return complain(fmt::format("cannot read the terminal: {}", explain_errno(errno)));
    auto text = line.reveal().first(static_cast<std::size_t>(count));
    const bool is_whole = !text.empty() && text.back() == '\n';
    if (is_whole) text = text.first(text.size() - 1);
    modes_.restore();  // and what was too long goes
    if (echo_ == Echo::off)
      say(can_erase() ? "\r\x1b[K" : "\n");
    else if (!is_whole)
      say("\n");
    if (text.size() > longest) return complain(fmt::format("more than {} bytes were typed", longest));
    return SecretBuffer::copy_of(text);
  }

  void say(std::string_view text) const { static_cast<void>(::write(terminal_.get(), text.data(), text.size())); }

  std::string_view question_;
  Echo echo_;
  UniqueFd terminal_;
  SignalPipe signals_{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT};
  TerminalModes modes_;
  UniqueFd keys_;
  int ends_ = 0;  // a signal that came while this program was stopped
};

}  // namespace

bool has_terminal() { return UniqueFd(::open("/dev/tty", O_RDWR | O_CLOEXEC)).get() >= 0; }

Expected<SecretBuffer> prompt(std::string_view question, Echo echo, std::size_t longest) {
  return Question(question, echo).ask(longest);
}

}  // namespace pake::cli
