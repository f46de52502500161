// Which record size? Bytes sealed, sent over a loopback connection and opened by another thread, in records of several
// sizes, beside bytes that are only sent. CPU time is both threads'.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "pake/channel/frame.h"
#include "pake/crypto/aead.h"

namespace {

using namespace pake;
using channel::FrameHeader;

constexpr std::size_t kBufferSize = 256 * 1024;  // of a system call
constexpr std::size_t kTransfer = 64 * 1024 * 1024;
constexpr std::size_t kOverhead = FrameHeader::kSize + crypto::kAeadTagSize;

void must(bool succeeded) {
  if (!succeeded) std::abort();
}

/// Two ends of a TCP connection over loopback.
struct Connection {
  Connection() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    must(bind(listener, generic, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, generic, &size) == 0);
    sender = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(sender, generic, size) == 0);
    receiver = accept(listener, nullptr, nullptr);
    must(receiver >= 0);
    close(listener);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    close(sender);
    close(receiver);
  }

  int sender = -1;
  int receiver = -1;
};

void send_all(int socket, Bytes bytes) {
  while (!bytes.empty()) {
    const auto size = send(socket, bytes.data(), bytes.size(), 0);
    must(size > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

/// One direction: seals or opens, each record under the nonce of its number.
class Records {
 public:
  explicit Records(crypto::Aead aead) : key_(aead, std::array<std::uint8_t, crypto::kAeadKeySize>{}) {}

  void seal(MutableBytes record) {
    const auto length = static_cast<std::uint32_t>(record.size() - FrameHeader::kSize);
    std::ranges::copy(FrameHeader{.type = channel::FrameType::data, .length = length}.encode(), record.begin());
    key_.seal(next(), record.first<FrameHeader::kSize>(), text_of(record), record.last<crypto::kAeadTagSize>());
  }
  void open(MutableBytes record) {
    must(key_.open(next(), record.first<FrameHeader::kSize>(), text_of(record), record.last<crypto::kAeadTagSize>())
             .has_value());
  }

 private:
  static MutableBytes text_of(MutableBytes record) {
    return record.subspan(FrameHeader::kSize, record.size() - kOverhead);
  }
  crypto::AeadNonce next() {
    std::memcpy(nonce_.data(), &number_, sizeof number_);
    ++number_;
    return nonce_;
  }

  crypto::AeadKey key_;
  std::uint64_t number_ = 0;
  std::array<std::uint8_t, crypto::kAeadNonceSize> nonce_{};
};

void send_records(int socket, Records& records, std::size_t record_size, Bytes source) {
  Buffer out(kBufferSize + kOverhead);
  for (std::size_t left = kTransfer; left != 0;) {
    std::size_t used = 0;
    while (left != 0 && used + record_size + kOverhead <= out.size()) {
      const auto record = MutableBytes(out).subspan(used, record_size + kOverhead);
      std::ranges::copy(source.subspan(left % (source.size() - record_size), record_size),
                        record.begin() + FrameHeader::kSize);
      records.seal(record);
      used += record.size();
      left -= record_size;
    }
    send_all(socket, Bytes(out).first(used));
  }
}

void receive_records(int socket, Records& records) {
  Buffer in(kBufferSize + kOverhead);
  std::size_t filled = 0;
  for (std::size_t left = kTransfer; left != 0;) {
    const auto size = recv(socket, in.data() + filled, in.size() - filled, 0);
    must(size > 0);
    MutableBytes rest = MutableBytes(in).first(filled + static_cast<std::size_t>(size));
    while (rest.size() >= FrameHeader::kSize) {
      const auto whole = FrameHeader::kSize + FrameHeader::decode(rest.first<FrameHeader::kSize>()).length;
      if (rest.size() < whole) break;
      records.open(rest.first(whole));
      left -= whole - kOverhead;
      rest = rest.subspan(whole);
    }
    std::memmove(in.data(), rest.data(), rest.size());
    filled = rest.size();
  }
}

void count(benchmark::State& state) {
  const auto gibibytes = static_cast<double>(state.iterations()) * kTransfer / (std::uint64_t{1} << 30U);
  state.counters["cpu_s_per_GiB"] =
      benchmark::Counter(gibibytes, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void sealed(benchmark::State& state, crypto::Aead aead) {
  const auto record_size = static_cast<std::size_t>(state.range(0));
  const Buffer source(1024 * 1024, 's');
  const Connection connection;
  Records sealer(aead), opener(aead);
  for (auto _ : state) {
    std::thread sender([&] { send_records(connection.sender, sealer, record_size, source); });
    receive_records(connection.receiver, opener);
    sender.join();
  }
  count(state);
}

void unsealed(benchmark::State& state) {
  const Buffer source(kBufferSize, 's');
  Buffer in(kBufferSize);
  const Connection connection;
  for (auto _ : state) {
    std::thread sender([&] {
      for (std::size_t left = kTransfer; left != 0; left -= source.size()) send_all(connection.sender, source);
    });
    for (std::size_t left = kTransfer; left != 0;) {
      const auto size = recv(connection.receiver, in.data(), in.size(), 0);
      must(size > 0);
      left -= static_cast<std::size_t>(size);
    }
    sender.join();
  }
  count(state);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::RegisterBenchmark("unsealed", unsealed)->MeasureProcessCPUTime();
  for (const auto aead : {crypto::Aead::aes_256_gcm, crypto::Aead::chacha20_poly1305}) {
    const auto* name = aead == crypto::Aead::aes_256_gcm ? "aes_256_gcm" : "chacha20_poly1305";
    for (const auto size : {8, 16, 32, 64, 128})
      benchmark::RegisterBenchmark(name, sealed, aead)->Arg(size * 1024)->MeasureProcessCPUTime();
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
