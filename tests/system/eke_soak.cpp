// Many clients at once against the real `pake eke listen`, while silent connections hang: eke_soak PAKE SESSIONS SILENT
//
// Every session authenticates; when all have, the listener's memory is read; then each chats and quits. The clients
// share one key pair, since what is looked at here is the listener.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pake/crypto/rng.h"
#include "pake/net/coroutine.h"
#include "pake/net/drive.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"
#include "pake/proto/eke/rsa_eke.h"
#include "pake/testing/hex.h"
#include "process/process.h"
#include "process/unique_fd.h"

namespace pake::soak {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kPatience = 300s;  // nothing here may take so long
constexpr std::size_t kLines = 3;

/// The program under test, on a port that the system chose.
class ListenerProcess {
 public:
  explicit ListenerProcess(const std::string& pake) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::perror("pipe");
    cli::UniqueFd reading(ends[0]);
    cli::UniqueFd writing(ends[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
      ::dup2(writing.get(), STDERR_FILENO);
      ::execl(pake.c_str(), pake.c_str(), "eke", "listen", "127.0.0.1:0", "--deadline", "600", nullptr);
      ::_exit(127);
    }
    address_ = net::parse_address(announced(reading.get())).value();
    said_.emplace(std::move(reading));
  }

  [[nodiscard]] const net::Address& address() const { return address_; }

  [[nodiscard]] std::size_t resident_bytes() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string word; status >> word;)
      if (std::size_t kilobytes = 0; word == "VmRSS:" && status >> kilobytes) return kilobytes * 1024;
    return 0;
  }
  [[nodiscard]] std::size_t open_files() const {
    const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid_) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
  }
  /// Ends it; true when it ended as a listener does that is told to.
  bool stop() const {
    int status = 0;
    ::kill(pid_, SIGTERM);
    return ::waitpid(pid_, &status, 0) == pid_ && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
  }

 private:
  static std::string announced(int fd) {
    constexpr std::string_view kMark = "listening on ";
    std::string said;
    std::array<char, 256> chunk{};
    for (;;) {
      const auto found = said.find(kMark);
      const auto end = said.find('\n', found);
      if (found != std::string::npos && end != std::string::npos)
        return said.substr(found + kMark.size(), end - found - kMark.size());
      const auto count = ::read(fd, chunk.data(), chunk.size());
      if (count <= 0) return {};
      said.append(chunk.data(), static_cast<std::size_t>(count));
    }
  }

  pid_t pid_ = -1;
  net::Address address_;
  std::optional<cli::UniqueFd> said_;  // kept open: the listener has more to say
};

crypto::RsaKeyPair fixed_key() {
  static const auto pkcs8 = [] {
    std::ifstream file(PAKE_VECTORS "/rsa_eke.json");
    return testing::unhex(nlohmann::json::parse(file).at("keys").at(0).at("pkcs8").get<std::string>());
  }();
  return crypto::RsaKeyPair::from_pkcs8(pkcs8).value();
}

class Soak {
 public:
  Soak(const ListenerProcess& listener, std::size_t sessions, std::size_t silent)
      : listener_(listener), sessions_(sessions), silent_(silent) {}

  /// True when every session came to its end.
  bool run() {
    loops_.run(run_all());
    return finished_ == sessions_;
  }

 private:
  net::Awaitable<void> run_all() {
    const auto files_before = listener_.open_files() + silent_;
    std::vector<std::unique_ptr<net::Stream>> silent;
    for (std::size_t i = 0; i < silent_; ++i) {
      auto stream = co_await net::connect(loops_.main(), listener_.address(), net::after(kPatience));
      if (stream) silent.push_back(std::move(*stream));
    }
    if (!co_await files_come_to(files_before)) co_return fmt::print("not all silent connections were accepted\n");
    const auto memory_before = listener_.resident_bytes();
    const auto began = net::Clock::now();
    for (std::size_t i = 0; i < sessions_; ++i) loops_.main().spawn(session());
    while (authenticated_ + failed_ < sessions_) static_cast<void>(co_await loops_.main().sleep_until(net::after(5ms)));
    const Seconds authenticating = net::Clock::now() - began;
    const auto memory_open = listener_.resident_bytes();
    may_chat_ = true;
    while (finished_ + failed_ < sessions_) static_cast<void>(co_await loops_.main().sleep_until(net::after(5ms)));
    const Seconds all = net::Clock::now() - began;
    const auto per_session = static_cast<double>(memory_open - memory_before) / static_cast<double>(sessions_) / 1024;
    fmt::print("{} sessions at once beside {} silent connections: {} finished, {} failed\n", sessions_, silent_,
               finished_, failed_);
    fmt::print("{:.2f} s until all had authenticated, {:.2f} s until all had chatted and quit\n",
               authenticating.count(), all.count());
    fmt::print("{:.1f} KiB of the listener's memory a session ({:.1f} MiB before, {:.1f} MiB with all of them open)\n",
               per_session, static_cast<double>(memory_before) / 1048576, static_cast<double>(memory_open) / 1048576);
    // The sessions' descriptors go with them, and the silent connections still hang.
    if (co_await files_come_to(files_before)) co_return;
    fmt::print("the listener has {} files open, not {} as before\n", listener_.open_files(), files_before);
    finished_ = 0;
  }

  net::Awaitable<bool> files_come_to(std::size_t count) {
    const auto deadline = net::after(kPatience);
    while (listener_.open_files() != count && net::Clock::now() < deadline)
      static_cast<void>(co_await loops_.main().sleep_until(net::after(5ms)));
    co_return listener_.open_files() == count;
  }

  net::Awaitable<void> session() {
    const bool finished = co_await converse();
    ++(finished ? finished_ : failed_);
  }

  net::Awaitable<bool> converse() {
    auto stream = co_await net::connect(loops_.main(), listener_.address(), net::after(kPatience));
    if (!stream) co_return false;
    pake::eke::RsaConnector machine(
        {.user = "server", .password = SecretBuffer::copy_of(as_bytes("12345678")), .key = fixed_key()}, rng_);
    if (!co_await net::drive(loops_.main(), machine, **stream, {.step = kPatience})) co_return false;
    ++authenticated_;
    while (!may_chat_) static_cast<void>(co_await loops_.main().sleep_until(net::after(100ms)));
    for (std::size_t i = 0; i < kLines; ++i)
      if (!co_await say(**stream, fmt::format("line {}", i))) co_return false;
    std::array<std::uint8_t, 1> rest{};
    co_return co_await (*stream)->write_all(as_bytes(pake::eke::kQuit), net::after(kPatience)) &&
        !co_await (*stream)->read_some(rest, net::after(kPatience));
  }

  static net::Awaitable<bool> say(net::Stream& stream, std::string line) {
    if (!co_await stream.write_all(as_bytes(line), net::after(kPatience))) co_return false;
    const auto expected = pake::eke::answer(line);
    Buffer got(expected.size());
    for (std::size_t size = 0; size < got.size();) {
      const auto count = co_await stream.read_some(MutableBytes(got).subspan(size), net::after(kPatience));
      if (!count) co_return false;
      size += *count;
    }
    co_return got == expected;
  }

  const ListenerProcess& listener_;
  std::size_t sessions_;
  std::size_t silent_;
  net::Loops loops_{1};
  crypto::SystemRng rng_;
  std::size_t authenticated_ = 0;
  std::size_t finished_ = 0;
  std::size_t failed_ = 0;
  bool may_chat_ = false;
};

std::size_t to_number(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace
}  // namespace pake::soak

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() != 3) {
    fmt::print(stderr, "usage: eke_soak PAKE SESSIONS SILENT\n");
    return 2;
  }
  pake::cli::raise_file_limit();
  const pake::soak::ListenerProcess listener(arguments[0]);
  pake::soak::Soak soak(listener, pake::soak::to_number(arguments[1]), pake::soak::to_number(arguments[2]));
  const bool all_finished = soak.run();
  return listener.stop() && all_finished ? 0 : 1;
}
