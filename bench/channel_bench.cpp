// The open channel, in memory: records beside those of OpenSSL's TLS 1.3, streams, and throughput from end to end.
#include <benchmark/benchmark.h>
#include <openssl/ssl.h>
#include <sodium.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "pake/channel/channel.h"
#include "pake/channel/record.h"
#include "tls.h"

namespace {

using namespace pake;
using namespace pake::channel;
using namespace pake::bench;

constexpr auto kRecordSizes = std::to_array<std::int64_t>({64, 1024, 16'384, kMaxPlaintextSize});
constexpr std::size_t kBufferSize = 256 * 1024;  // what a driver hands to the system in one call

const char* name_of(AeadId aead) { return aead == AeadId::aes_256_gcm ? "aes_256_gcm" : "chacha20_poly1305"; }

void count_bytes(benchmark::State& state, std::size_t bytes_each) {
  const auto bytes = static_cast<double>(state.iterations()) * static_cast<double>(bytes_each);
  state.counters["bytes"] = benchmark::Counter(bytes, benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
  state.counters["cpu_s_per_GiB"] =
      benchmark::Counter(bytes / (std::uint64_t{1} << 30U), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// --- Records: sealed on one side and opened on the other.

TrafficKey some_key() {
  return TrafficKey::make([](MutableBytes out) { out[0] = 1; });
}

void record(benchmark::State& state, AeadId aead) {
  KeyCache cache;
  RecordSealer sealer(cache, aead, some_key());
  RecordOpener opener(cache, aead, some_key());
  const auto size = static_cast<std::size_t>(state.range(0));
  Buffer bytes(size + kRecordOverhead);
  for (auto _ : state) {
    require(sealer.seal(FrameType::data, bytes).has_value());
    require(opener.open(bytes).has_value());
  }
  count_bytes(state, size);
}

// --- The same by OpenSSL's TLS 1.3, over memory BIOs.

class TlsPair {
 public:
  explicit TlsPair(AeadId aead) {
    const TlsContexts contexts;
    for (auto* context : {contexts.client.get(), contexts.server.get()})
      require(SSL_CTX_set_ciphersuites(context, aead == AeadId::aes_256_gcm ? "TLS_AES_256_GCM_SHA384"
                                                                            : "TLS_CHACHA20_POLY1305_SHA256") == 1);
    client_.reset(SSL_new(contexts.client.get()));
    server_.reset(SSL_new(contexts.server.get()));
    auto* to_server = BIO_new(BIO_s_mem());
    auto* to_client = BIO_new(BIO_s_mem());
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL_set_bio(client_.get(), to_client, to_server);
    SSL_set_bio(server_.get(), to_server, to_client);
    SSL_set_connect_state(client_.get());
    SSL_set_accept_state(server_.get());
    for (int i = 0; i < 4; ++i) {
      SSL_do_handshake(client_.get());
      SSL_do_handshake(server_.get());
    }
    require(SSL_is_init_finished(client_.get()) == 1 && SSL_is_init_finished(server_.get()) == 1);
  }

  void write(Bytes bytes) {
    std::size_t written = 0;
    require(SSL_write_ex(client_.get(), bytes.data(), bytes.size(), &written) == 1 && written == bytes.size());
  }
  void read(MutableBytes bytes) {
    while (!bytes.empty()) {
      std::size_t size = 0;
      require(SSL_read_ex(server_.get(), bytes.data(), bytes.size(), &size) == 1);
      bytes = bytes.subspan(size);
    }
  }

 private:
  Session client_, server_;
};

void tls_record(benchmark::State& state, AeadId aead) {
  TlsPair pair(aead);
  Buffer bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    pair.write(bytes);
    pair.read(bytes);
  }
  count_bytes(state, bytes.size());
}

// --- Whole channels.

ChannelKeys some_keys(AeadId aead) {
  ChannelKeys keys;
  keys.aead = aead;
  keys.client = some_key();
  keys.server = some_key();
  return keys;
}

/// Two channels joined in memory; the applications take everything as it comes and answer a FIN with a FIN.
struct ChannelPair {
  explicit ChannelPair(AeadId aead)
      : client(some_keys(aead), Role::client, cache, {}), server(some_keys(aead), Role::server, cache, {}) {}

  void carry(Channel& from, Channel& to) {
    MutableBytes rest = MutableBytes(buffer).first(from.produce(buffer, Instant{}));
    while (from.next_event()) continue;
    while (!rest.empty()) {
      rest = rest.subspan(to.receive(rest, {}).value());
      while (const auto event = to.next_event()) {
        if (const auto* readable = std::get_if<Readable>(&*event))
          to.consume(readable->stream, to.unread(readable->stream).size());
        if (const auto* finished = std::get_if<Finished>(&*event)) {
          static_cast<void>(to.finish(finished->stream));
          to.release(finished->stream);
        }
      }
    }
  }
  void carry_both_ways() {
    carry(client, server);
    carry(server, client);
  }

  KeyCache cache;
  Channel client, server;
  Buffer buffer = Buffer(kBufferSize);
};

void channel_throughput(benchmark::State& state, AeadId aead) {
  ChannelPair pair(aead);
  const Buffer bytes(kBufferSize);
  const auto stream = pair.client.open(as_bytes("discard")).value();
  for (auto _ : state) {
    require(pair.client.write(stream, bytes).has_value());
    while (!pair.client.unsent(stream).empty()) pair.carry_both_ways();
  }
  count_bytes(state, bytes.size());
}

void tls_throughput(benchmark::State& state, AeadId aead) {
  TlsPair pair(aead);
  Buffer bytes(kBufferSize);
  for (auto _ : state) {
    pair.write(bytes);
    pair.read(bytes);
  }
  count_bytes(state, bytes.size());
}

/// Streams opened, used for 64 bytes, finished by both sides and gone.
void stream_opens(benchmark::State& state, AeadId aead) {
  ChannelPair pair(aead);
  const Buffer bytes(64);
  const auto at_once = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    for (std::size_t i = 0; i < at_once; ++i) {
      const auto stream = pair.client.open(as_bytes("echo")).value();
      require(pair.client.write(stream, bytes).has_value() && pair.client.finish(stream).has_value());
    }
    pair.carry_both_ways();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// --- Why ChaCha20-Poly1305 is OpenSSL's: libsodium's, sealed and opened.

void libsodium_chacha20_poly1305(benchmark::State& state) {
  require(sodium_init() >= 0);
  const std::array<std::uint8_t, 32> key{};
  const std::array<std::uint8_t, 12> nonce{};
  std::array<std::uint8_t, 16> tag{};
  Buffer bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(bytes.data(), tag.data(), nullptr, bytes.data(), bytes.size(),
                                                       nonce.data(), 4, nullptr, nonce.data(), key.data());
    require(crypto_aead_chacha20poly1305_ietf_decrypt_detached(bytes.data(), nullptr, bytes.data(), bytes.size(),
                                                               tag.data(), nonce.data(), 4, nonce.data(),
                                                               key.data()) == 0);
  }
  count_bytes(state, bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto aead : {AeadId::aes_256_gcm, AeadId::chacha20_poly1305}) {
    const auto name = [aead](const char* what) { return std::string(what) + "/" + name_of(aead); };
    for (const auto size : kRecordSizes) {
      benchmark::RegisterBenchmark(name("record").c_str(), record, aead)->Arg(size);
      if (size <= 16'384) benchmark::RegisterBenchmark(name("tls13_record").c_str(), tls_record, aead)->Arg(size);
    }
    benchmark::RegisterBenchmark(name("channel_throughput").c_str(), channel_throughput, aead);
    benchmark::RegisterBenchmark(name("tls13_throughput").c_str(), tls_throughput, aead);
    for (const auto at_once : {1, 32, 256})
      benchmark::RegisterBenchmark(name("stream_opens").c_str(), stream_opens, aead)->Arg(at_once);
  }
  for (const auto size : kRecordSizes)
    benchmark::RegisterBenchmark("libsodium/chacha20_poly1305", libsodium_chacha20_poly1305)->Arg(size);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
