#include "secrets/secret_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "pake/base/ct.h"
#include "pake/internal/try.h"
#include "process/unique_fd.h"

namespace pake::cli {
namespace {

std::unexpected<Problem> complain(std::string error, std::string hint = {}) {
  return std::unexpected(Problem{.exit_code = kExitFailed, .error = std::move(error), .hint = std::move(hint)});
}

Bytes without_newline(Bytes text) {
  if (!text.empty() && text.back() == '\n') text = text.first(text.size() - 1);
  if (!text.empty() && text.back() == '\r') text = text.first(text.size() - 1);
  return text;
}

Expected<SecretBuffer> checked(Bytes password, std::string_view source) {
  if (password.empty()) return complain(fmt::format("{} gives an empty password", source));
  if (password.size() > kMaxPassword)
    return complain(fmt::format("{} gives more than {} bytes, which is no password", source, kMaxPassword));
  return SecretBuffer::copy_of(password);
}

Expected<SecretBuffer> password_from(int fd, std::string_view source) {
  PAKE_TRY(const auto text, read_all(fd, kMaxPassword + 2, source));
  return checked(without_newline(text.reveal()), source);
}

Expected<SecretBuffer> from_fd(int fd) { return password_from(fd, fmt::format("--password-fd {}", fd)); }

Expected<SecretBuffer> from_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return complain(fmt::format("cannot open {}: {}", path, explain_errno(errno)));
  return password_from(file.get(), path);
}

// The variable's bytes, which are then overwritten where they lie, so that /proc and children do not show them. Asked
// for before the program has a second thread.
// NOLINTBEGIN(concurrency-mt-unsafe)
std::optional<SecretBuffer> take_variable() {
  char* const value = std::getenv(kSecretVariable);
  if (value == nullptr) return std::nullopt;
  const MutableBytes bytes(reinterpret_cast<std::uint8_t*>(value), std::strlen(value));
  auto taken = SecretBuffer::copy_of(bytes);
  wipe(bytes);
  ::unsetenv(kSecretVariable);
  return taken;
}
// NOLINTEND(concurrency-mt-unsafe)

/// Holds back the signals that end a program, so that the terminal's echo is restored before they do.
class BlockedSignals {
 public:
  BlockedSignals() : fd_(hold(before_)) {}
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// The signal that has come.
  [[nodiscard]] int take() const {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
  }

 private:
  static int hold(sigset_t& before) {
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&held, signal);
    ::pthread_sigmask(SIG_BLOCK, &held, &before);
    sigdelset(&held, SIGTSTP);
    return ::signalfd(-1, &held, SFD_CLOEXEC);
  }
  sigset_t before_{};
  UniqueFd fd_;
};

/// A terminal that does not show what is typed.
class EchoOff {
 public:
  explicit EchoOff(int fd) : fd_(fd) {
    ::tcgetattr(fd_, &before_);
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(fd_, TCSAFLUSH, &silent);
  }
  EchoOff(const EchoOff&) = delete;
  EchoOff& operator=(const EchoOff&) = delete;
  ~EchoOff() {
    ::tcsetattr(fd_, TCSAFLUSH, &before_);
    static_cast<void>(::write(fd_, "\n", 1));
  }

 private:
  int fd_;
  termios before_{};
};

Expected<SecretBuffer> from_prompt(std::string_view asks) {
  const UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  if (terminal.get() < 0)
    return complain("there is no terminal to ask for the password", "use --password-file FILE or PAKE_PASSWORD");
  const BlockedSignals signals;
  const EchoOff silenced(terminal.get());
  static_cast<void>(::write(terminal.get(), asks.data(), asks.size()));
  std::array<pollfd, 2> ready = {
      {{.fd = terminal.get(), .events = POLLIN, .revents = 0}, {.fd = signals.fd(), .events = POLLIN, .revents = 0}}};
  while (::poll(ready.data(), ready.size(), -1) < 0 && errno == EINTR) {
  }
  if (ready[1].revents != 0)
    return std::unexpected(Problem{.exit_code = kExitSignal + signals.take(), .error = "interrupted at the prompt"});
  ssize_t count = 0;  // a terminal hands over whole lines
  const auto line = SecretBuffer::make(
      kMaxPassword + 2, [&](MutableBytes out) { count = ::read(terminal.get(), out.data(), out.size()); });
  if (count < 0) return complain(fmt::format("cannot read the terminal: {}", explain_errno(errno)));
  return checked(without_newline(line.reveal().first(static_cast<std::size_t>(count))), "the prompt");
}

Expected<std::optional<SecretBuffer>> given(Expected<SecretBuffer> secret) {
  PAKE_TRY(auto value, std::move(secret));
  return std::optional(std::move(value));
}

}  // namespace

void add_secret_options(CLI::App& command, SecretOptions& options) {
  command.add_option("--password-fd", options.fd, "Read the password from this file descriptor")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber.description(""));
  command.add_option("--password-file", options.file, "Read the password from this file")->type_name("FILE");
  command.add_flag("--password-prompt", options.prompt, "Ask for the password on the terminal, without echo");
  command.add_option("--password,--pass,-p", options.in_argv)->group("")->expected(0, 1);  // in no --help
}

bool takes_secret(const CLI::App& command) { return command.get_option_no_throw("--password-fd") != nullptr; }

Expected<SecretBuffer> read_all(int fd, std::size_t limit, std::string_view name) {
  std::size_t size = 0;
  int failed = 0;
  const auto text = SecretBuffer::make(limit + 1, [&](MutableBytes out) {
    while (size < out.size()) {
      const auto count = ::read(fd, out.data() + size, out.size() - size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) failed = errno;
      if (count <= 0) return;
      size += static_cast<std::size_t>(count);
    }
  });
  if (failed != 0) return complain(fmt::format("cannot read {}: {}", name, explain_errno(failed)));
  if (size > limit) return complain(fmt::format("{} has more than {} bytes", name, limit));
  return SecretBuffer::copy_of(text.reveal().first(size));
}

Expected<std::optional<SecretBuffer>> read_secret(const SecretOptions& options) {
  const auto variable = take_variable();
  if (options.in_argv)
    return std::unexpected(
        Problem{.exit_code = kExitUsage,
                .error = "a password on the command line can be read by everybody on this machine: it is refused",
                .hint = "use --password-file FILE, --password-fd N, --password-prompt, or the variable PAKE_PASSWORD"});
  if (options.fd) return given(from_fd(*options.fd));
  if (options.file) return given(from_file(*options.file));
  if (variable) return given(checked(variable->reveal(), kSecretVariable));
  if (options.prompt) return given(from_prompt(options.asks));
  return std::nullopt;
}

}  // namespace pake::cli
