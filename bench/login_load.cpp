// Clients of a server that log in by password, many of them: what `bench/serve.py` measures `pake serve` with.
//
// - `login_load ADDRESS USERS logins SECONDS AT_ONCE`: USERS users, `bench0` and so on, log in, each time on a new
//   connection, one line there and back; prints logins, seconds, and the median and 99th percentile in us
// - `... paced SECONDS A_SECOND [STRETCH]`: the same at a pace; each login also waits STRETCH ms where a client would
//   stretch its password
// - `... hold COUNT [STREAMS]`: COUNT sessions, each with an open stream if STREAMS is 1, held until stdin ends; prints
//   `held COUNT`
// - `... echo COUNT`: COUNT lines there and back in one session; median and 99th percentile in us
// - `... probe BLOCKS NAME...`: guesses at names by nobody who knows a password, one after another, the names shuffled
//   within each block; prints for each its name, ns from the hello to the answer, and from the finish to the alert
//   (0: throttled). From the second block on
//
// The password comes from PAKE_PASSWORD. Key stretching is left out: each password is stretched once and the result
// kept (see below), since a client takes a hundred times what the server does.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "arguments.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/ksf.h"
#include "pake/crypto/rng.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"

// --- The stretching: the linker leads calls of crypto::stretch here (--wrap).

namespace {
std::chrono::milliseconds stretching{0};
}

pake::Result<pake::crypto::Digest>
real_stretch(const pake::crypto::KsfParameters& parameters, pake::Bytes input) __asm__(
    "__real__ZN4pake6crypto7stretchERKSt7variantIJNS0_8Argon2idENS0_6ScryptENS0_"
    "28IdentityWithoutAnyProtectionEEESt4spanIKhLm18446744073709551615EE");
pake::Result<pake::crypto::Digest>
kept_stretch(const pake::crypto::KsfParameters& parameters, pake::Bytes input) __asm__(
    "__wrap__ZN4pake6crypto7stretchERKSt7variantIJNS0_8Argon2idENS0_6ScryptENS0_"
    "28IdentityWithoutAnyProtectionEEESt4spanIKhLm18446744073709551615EE");

// What is stretched is the OPRF's output, which is the same at each login of one user.
pake::Result<pake::crypto::Digest> kept_stretch(const pake::crypto::KsfParameters& parameters, pake::Bytes input) {
  static std::mutex mutex;
  static std::map<pake::Buffer, pake::Buffer> kept;
  if (stretching.count() > 0) std::this_thread::sleep_for(stretching);
  const std::scoped_lock lock(mutex);
  auto& result = kept[pake::to_buffer(input)];
  if (result.empty()) {
    auto stretched = real_stretch(parameters, input);
    if (!stretched) return stretched;
    result = pake::to_buffer(stretched->reveal());
    return stretched;
  }
  return pake::crypto::Digest::copy_of(result);
}

namespace {

using namespace pake;
using namespace pake::bench;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};

double micros(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

double quantile(std::vector<double>& sorted, double at) {
  std::ranges::sort(sorted);
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(at * static_cast<double>(sorted.size() - 1))];
}

struct Target {
  net::TcpAddress address;
  std::uint64_t users = 1;
  std::string password;
};

struct Session {
  std::shared_ptr<net::ChannelLink> link;
  std::unique_ptr<net::Stream> echo;
};

// --- By password, as any client does it.

class Load {
 public:
  Load(net::Loop& loop, Target target) : loop_(loop), target_(std::move(target)) {}

  /// Logs in, and says one line; nothing if that failed.
  net::Awaitable<std::optional<Session>> log_in() {
    const auto name = "bench" + std::to_string(turn_++ % target_.users);
    auto stream = co_await net::connect(loop_, target_.address, net::after(kPatience));
    if (!stream) co_return std::nullopt;
    auto handshake = channel::ClientHandshake::by_password(
        {}, {.name = as_bytes(name), .password = as_bytes(target_.password)}, rng_);
    auto channel = co_await net::connect_channel(loop_, *stream, std::move(handshake).value(), cache_);
    if (!channel) co_return std::nullopt;
    Session session{.link = channel->link, .echo = channel->link->open("echo").value()};
    loop_.spawn(run(session.link));
    if (!co_await say_line(session)) co_return std::nullopt;
    co_return session;
  }

  static net::Awaitable<bool> say_line(Session& session) {
    if (!co_await session.echo->write_all(as_bytes("x\n"), net::after(kPatience))) co_return false;
    constexpr std::string_view kAnswer = "receive x\n";
    Buffer answer(kAnswer.size());
    for (std::size_t have = 0; have < answer.size();) {
      const auto count = co_await session.echo->read_some(MutableBytes(answer).subspan(have), net::after(kPatience));
      if (!count) co_return false;
      have += *count;
    }
    co_return as_text(answer) == kAnswer;
  }

  net::Awaitable<void> log_in_until(Clock::time_point end) {
    while (Clock::now() < end) co_await timed_login();
  }

  net::Awaitable<void> timed_login() {
    const auto began = Clock::now();
    auto session = co_await log_in();
    if (!session) {
      ++failed_;
      co_return;
    }
    took_.push_back(micros(Clock::now() - began));
    session->link->abort();
  }

  void print(Clock::duration elapsed) {
    const auto count = took_.size();
    std::printf(
        "{\"logins\": %zu, \"failed\": %zu, \"seconds\": %.3f, \"a_second\": %.1f, \"median_us\": %.0f, \"p99_us\": "
        "%.0f}\n",
        count, failed_, micros(elapsed) / 1e6, static_cast<double>(count) / (micros(elapsed) / 1e6),
        quantile(took_, 0.5), quantile(took_, 0.99));
  }

  [[nodiscard]] net::Loop& loop() { return loop_; }
  std::vector<double>& took() { return took_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }

 private:
  static net::Awaitable<void> run(std::shared_ptr<net::ChannelLink> link) { static_cast<void>(co_await link->run()); }

  net::Loop& loop_;
  Target target_;
  channel::KeyCache cache_;
  crypto::SystemRng rng_;
  std::uint64_t turn_ = 0;
  std::vector<double> took_;
  std::size_t failed_ = 0;
};

net::Awaitable<void> count_down(Load& load, Clock::time_point end, std::shared_ptr<std::size_t> left) {
  co_await load.log_in_until(end);
  --*left;
}

net::Awaitable<void> logins(Load& load, std::chrono::milliseconds time, std::uint64_t at_once) {
  for (std::uint64_t i = 0; i < at_once; ++i) co_await load.timed_login();  // every password has been stretched
  load.took().clear();
  const auto began = Clock::now();
  const auto left = std::make_shared<std::size_t>(at_once);
  for (std::uint64_t i = 0; i < at_once; ++i) load.loop().spawn(count_down(load, began + time, left));
  while (*left > 0) static_cast<void>(co_await load.loop().sleep_until(net::after(std::chrono::milliseconds(5))));
  load.print(Clock::now() - began);
}

net::Awaitable<void> one_paced(Load& load, std::shared_ptr<std::size_t> open) {
  co_await load.timed_login();
  --*open;
}

net::Awaitable<void> paced(Load& load, std::chrono::milliseconds time, std::uint64_t a_second,
                           std::chrono::milliseconds stretch) {
  co_await load.timed_login();
  load.took().clear();
  stretching = stretch;
  const auto began = Clock::now();
  const auto open = std::make_shared<std::size_t>(0);
  std::uint64_t made = 0;
  while (Clock::now() < began + time) {
    ++made;
    ++*open;
    load.loop().spawn(one_paced(load, open));
    static_cast<void>(
        co_await load.loop().sleep_until(began + made * std::chrono::nanoseconds(1'000'000'000 / a_second)));
  }
  while (*open > 0) static_cast<void>(co_await load.loop().sleep_until(net::after(std::chrono::milliseconds(5))));
  load.print(Clock::now() - began);
}

struct Held {
  std::vector<Session> sessions;
  std::uint64_t wanted = 0;
  bool keeps_streams = false;
  std::size_t working = 0, failed = 0;
};

net::Awaitable<void> hold_more(Load& load, std::shared_ptr<Held> held) {
  ++held->working;
  while (held->wanted > 0) {
    --held->wanted;
    auto session = co_await load.log_in();
    if (session && !held->keeps_streams) session->echo.reset();
    if (session)
      held->sessions.push_back(*std::move(session));
    else
      ++held->failed;
  }
  --held->working;
}

net::Awaitable<void> hold(Load& load, std::uint64_t count, bool keeps_streams) {
  constexpr std::size_t kAtOnce = 16;
  const auto held = std::make_shared<Held>();
  held->wanted = count;
  held->keeps_streams = keeps_streams;
  for (std::size_t i = 0; i < kAtOnce; ++i) load.loop().spawn(hold_more(load, held));
  do static_cast<void>(co_await load.loop().sleep_until(net::after(std::chrono::milliseconds(20))));
  while (held->wanted > 0 || held->working > 0);
  say("held " + std::to_string(held->sessions.size()) + " failed " + std::to_string(held->failed));
  // A session answers pings meanwhile.
  std::atomic<bool> is_over = false;
  const std::jthread waiting([&] {
    while (std::getchar() != EOF) {
    }
    is_over = true;
  });
  while (!is_over) static_cast<void>(co_await load.loop().sleep_until(net::after(std::chrono::milliseconds(50))));
  for (auto& session : held->sessions) session.link->abort();
}

net::Awaitable<void> echo(Load& load, std::uint64_t count) {
  auto session = co_await load.log_in();
  if (!session) co_return say("{\"failed\": true}");
  std::vector<double> took;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto began = Clock::now();
    if (!co_await Load::say_line(*session)) co_return say("{\"failed\": true}");
    took.push_back(micros(Clock::now() - began));
  }
  session->link->abort();
  std::printf("{\"lines\": %zu, \"median_us\": %.1f, \"p99_us\": %.1f}\n", took.size(), quantile(took, 0.5),
              quantile(took, 0.99));
}

// --- Guesses, over a blocking socket: nothing here but the system's calls and the clock.

int connect_to(const net::TcpAddress& address) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(address.port);
  ::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
  const int on = 1;
  const linger at_once{.l_onoff = 1, .l_linger = 0};  // no ports in TIME_WAIT
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) std::abort();  // NOLINT: POSIX
  return fd;
}

// A frame: type (1) || length (3) || payload. Returns its type.
std::uint8_t read_frame(int fd) {
  std::array<std::uint8_t, 4096> bytes{};
  std::size_t have = 0, size = 4;
  while (have < size) {
    const auto got = ::recv(fd, bytes.data() + have, bytes.size() - have, 0);
    if (got <= 0) std::abort();
    have += static_cast<std::size_t>(got);
    if (have >= 4) size = 4 + (std::size_t{bytes[1]} << 16U | std::size_t{bytes[2]} << 8U | bytes[3]);
  }
  return bytes[0];
}

void send_all(int fd, Bytes bytes) {
  if (::send(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) std::abort();
}

void probe(const Target& target, std::uint64_t blocks, const std::vector<std::string>& names) {
  constexpr std::uint8_t kServerHello = 3, kClientFinish = 4;
  constexpr int kEach = 25;  // of a name in a block
  crypto::SystemRng rng;
  std::mt19937_64 random(std::random_device{}());
  std::vector<std::size_t> order;
  for (std::size_t name = 0; name < names.size(); ++name) order.insert(order.end(), kEach, name);
  Buffer finish = {kClientFinish, 0, 0, 64};
  finish.resize(4 + 64);
  for (std::uint64_t block = 0; block <= blocks; ++block) {
    std::ranges::shuffle(order, random);
    for (const auto which : order) {
      auto handshake =
          channel::ClientHandshake::by_password({.fastest_aead = channel::AeadId::chacha20_poly1305},
                                                {.name = as_bytes(names[which]), .password = as_bytes("a guess")}, rng)
              .value();
      const auto hello = handshake.take_message().value();
      rng.fill(MutableBytes(finish).subspan(4));
      const int fd = connect_to(target.address);
      // The last guess is committed, and the server has come to rest.
      std::this_thread::sleep_for(std::chrono::microseconds(400));
      const auto began = Clock::now();
      send_all(fd, hello);
      const auto type = read_frame(fd);
      const auto answered = Clock::now();
      std::int64_t to_alert = 0;
      if (type == kServerHello) {
        const auto finished = Clock::now();
        send_all(fd, finish);
        read_frame(fd);
        to_alert = std::chrono::nanoseconds(Clock::now() - finished).count();
      }
      ::close(fd);
      if (block > 0)
        std::printf("%s %lld %lld\n", names[which].c_str(),
                    static_cast<long long>(std::chrono::nanoseconds(answered - began).count()),
                    static_cast<long long>(to_alert));
    }
  }
}

int usage() {
  std::fputs(
      "usage: login_load ADDRESS USERS logins SECONDS AT_ONCE | paced SECONDS A_SECOND [STRETCH_MS] | "
      "hold COUNT [STREAMS] | echo COUNT | probe BLOCKS NAME...\n",
      stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  if (argc < 5) return usage();
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const char* const password = std::getenv("PAKE_PASSWORD");
  const Target target{.address = std::get<net::TcpAddress>(net::parse_address(arguments[1]).value()),
                      .users = to_number(arguments[2]),
                      .password = password == nullptr ? "" : password};
  const std::string_view command = arguments[3];
  const auto number = [&](std::size_t i) { return to_number(arguments[i]); };
  if (command == "probe") {
    probe(target, number(4), {arguments.begin() + 5, arguments.end()});
    return 0;
  }
  net::Loops loops(1);
  Load load(loops.main(), target);
  if (command == "logins" && argc == 6)
    loops.run(logins(load, std::chrono::seconds(number(4)), number(5)));
  else if (command == "paced" && argc >= 6)
    loops.run(
        paced(load, std::chrono::seconds(number(4)), number(5), std::chrono::milliseconds(argc > 6 ? number(6) : 0)));
  else if (command == "hold")
    loops.run(hold(load, number(4), argc > 5 && number(5) != 0));
  else if (command == "echo")
    loops.run(echo(load, number(4)));
  else
    return usage();
  return 0;
}
