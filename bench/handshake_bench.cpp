// The CPU time of the channel's handshakes, a side each, and of OpenSSL's full TLS 1.3 handshake (X25519, ECDSA P-256)
// beside it. A login's key stretching is not in it: it costs what its profile costs, on a worker thread.
#include <benchmark/benchmark.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <utility>

#include "pake/channel/client_handshake.h"
#include "pake/channel/messages.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/rng.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "tls.h"

namespace {

using namespace pake;
using namespace pake::channel;
using namespace pake::bench;

double cpu_seconds() {
  timespec now{};
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) std::abort();
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Calls `work` and adds what it took to `seconds`.
template <class Work>
auto timed(double& seconds, Work work) {
  const auto start = cpu_seconds();
  auto result = work();
  seconds += cpu_seconds() - start;
  return result;
}

struct Seconds {
  double client = 0, server = 0;
};

// --- The channel. A failed step throws std::bad_expected_access and ends the program.

/// A server that knows alice, and what alice knows.
class Parties {
 public:
  explicit Parties(Suite suite)
      : suite_(suite),
        keys_(std::make_shared<const opaque::ServerKeys>(opaque::ServerKeys::generate(opaque_suite(), rng_).value())) {
    opaque::ClientRegistration client(opaque_suite(), SecretBuffer::copy_of(kPassword));
    auto requested = std::move(client).create_registration_request(rng_).value();
    const auto response =
        opaque::create_registration_response(requested.registration_request, *keys_, credential_identifier(kName),
                                             GuessPermit::uncounted_for_study())
            .value();
    const auto ksf = crypto::ksf_parameters(kProfile, opaque::sizes(opaque_suite()).Nh);
    auto finished = std::move(requested.next)
                        .finalize_registration_request(response, {.identities = {.client = kName}, .ksf = ksf}, rng_)
                        .value();
    record_ = std::move(finished.record);

    std::vector<TicketKey> keys(1);
    ticket_keys_ = std::make_shared<const TicketKeys>(std::move(keys));
    ticket_.ticket =
        seal_ticket(*ticket_keys_, {.name = to_buffer(kName), .server_name = to_buffer(as_bytes("example.org"))},
                    ticket_.secret, rng_)
            .value();
  }

  /// One handshake from the client's configuration to both sides' keys.
  void handshake(Seconds& seconds) {
    auto client = timed(seconds.client, [&] { return begin(); });
    auto server = timed(seconds.server, [&] {
      return ServerHandshake({.fastest_aead = AeadId::aes_256_gcm, .ticket_keys = ticket_keys_}, rng_);
    });
    while (server.want() != Want::done) {
      if (client.want() == Want::ksf) {
        auto job = client.take_job().value();
        job->run();
        timed(seconds.client, [&] { return client.resume(std::move(job)); }).value();
      } else if (client.want() == Want::send) {
        const auto frame = timed(seconds.client, [&] { return client.take_message(); }).value();
        timed(seconds.server, [&] { return server.receive(frame); }).value();
      } else if (server.want() == Want::decision) {
        auto decision = decide();
        timed(seconds.server, [&] { return server.decide(std::move(decision)); }).value();
      } else {
        const auto frame = timed(seconds.server, [&] { return server.take_message(); }).value();
        timed(seconds.client, [&] { return client.receive(frame); }).value();
      }
    }
    const auto at_client = client.take_keys().value();
    const auto at_server = server.take_keys().value();
    if (!ct_equal(at_client.client.reveal(), at_server.client.reveal())) std::abort();
  }

 private:
  static constexpr auto kProfile = crypto::KsfProfile::small;
  inline static const Bytes kName = as_bytes("alice");
  inline static const Bytes kPassword = as_bytes("correct horse battery staple");

  [[nodiscard]] opaque::SuiteId opaque_suite() const {
    return suite_ == Suite::opaque_p256 ? opaque::SuiteId::p256 : opaque::SuiteId::ristretto255;
  }

  ClientHandshake begin() {
    ClientConfig config{.server_name = to_buffer(as_bytes("example.org")), .fastest_aead = AeadId::aes_256_gcm};
    switch (kind_of(suite_)) {
      case HandshakeKind::login:
        config.login_suites = {suite_};
        return ClientHandshake::by_password(config, {.name = kName, .password = kPassword}, rng_).value();
      case HandshakeKind::code:
        return ClientHandshake::by_code(config, {.selector = {}, .code = kPassword}, rng_).value();
      case HandshakeKind::resume:
        return ClientHandshake::by_ticket(config, ticket_, rng_).value();
    }
    std::abort();
  }

  Decision decide() {
    switch (kind_of(suite_)) {
      case HandshakeKind::login:
        return LoginAnswer{
            .credential = {.record = {.suite = opaque_suite(),
                                      .ksf = kProfile,
                                      .epoch = 1,
                                      .record = opaque::RegistrationRecord::decode(opaque_suite(), record_).value()},
                           .keys = keys_},
            .permit = GuessPermit::uncounted_for_study()};
      case HandshakeKind::code:
        return CodeAnswer{.code = SecretBuffer::copy_of(kPassword), .permit = GuessPermit::uncounted_for_study()};
      case HandshakeKind::resume:
        return TicketAccepted{};
    }
    std::abort();
  }

  Suite suite_;
  crypto::SystemRng rng_;
  std::shared_ptr<const opaque::ServerKeys> keys_;
  Buffer record_;
  std::shared_ptr<const TicketKeys> ticket_keys_;
  StoredTicket ticket_;
};

// --- TLS 1.3

class Tls {
 public:
  /// One full handshake over memory, from SSL_new to both sides' keys.
  void handshake(Seconds& seconds) {
    const auto client = timed(seconds.client, [&] { return begin(contexts_.client); });
    const auto server = timed(seconds.server, [&] { return begin(contexts_.server); });
    bool client_done = false, server_done = false;
    while (!client_done || !server_done) {
      client_done = timed(seconds.client, [&] { return SSL_connect(client.get()) == 1; });
      pass(client, server);
      server_done = timed(seconds.server, [&] { return SSL_accept(server.get()) == 1; });
      pass(server, client);
    }
    require(SSL_get_verify_result(client.get()) == X509_V_OK && SSL_version(client.get()) == TLS1_3_VERSION);
  }

 private:
  static Session begin(const Context& context) {
    Session session(SSL_new(context.get()));
    SSL_set_bio(session.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return session;
  }

  static void pass(const Session& from, const Session& to) {
    std::array<char, 4096> bytes{};
    int size = 0;
    while ((size = BIO_read(SSL_get_wbio(from.get()), bytes.data(), static_cast<int>(bytes.size()))) > 0)
      require(BIO_write(SSL_get_rbio(to.get()), bytes.data(), size) == size);
  }

  TlsContexts contexts_;
};

// --- What is printed

constexpr int kHandshakes = 200;

template <class Handshakes, class... Arguments>
void one_side(benchmark::State& state, double Seconds::* side, Arguments... arguments) {
  Handshakes handshakes(arguments...);
  Seconds warm;
  handshakes.handshake(warm);
  for (auto _ : state) {
    Seconds seconds;
    handshakes.handshake(seconds);
    state.SetIterationTime(seconds.*side);
  }
}

/// The goal: a resumed handshake costs at most half of a full one of TLS 1.3, both sides together, turn by turn.
void resumed_beside_tls(benchmark::State& state) {
  Parties parties(Suite::x25519);
  Tls tls;
  Seconds warm, resumed, full;
  parties.handshake(warm);
  tls.handshake(warm);
  for (auto _ : state) {
    parties.handshake(resumed);
    tls.handshake(full);
  }
  const auto microseconds = [&](const Seconds& seconds) {
    return 1e6 * (seconds.client + seconds.server) / static_cast<double>(state.iterations());
  };
  state.counters["resumed_us"] = microseconds(resumed);
  state.counters["tls13_us"] = microseconds(full);
  state.counters["ratio"] = microseconds(resumed) / microseconds(full);
}

void add(const std::string& name, auto run) {
  for (const auto& [side, member] : {std::pair{"client", &Seconds::client}, std::pair{"server", &Seconds::server}})
    benchmark::RegisterBenchmark((name + "/" + side).c_str(), [=](benchmark::State& state) { run(state, member); })
        ->UseManualTime()
        ->Iterations(kHandshakes)
        ->Unit(benchmark::kMicrosecond);
}

}  // namespace

int main(int argc, char** argv) {
  const std::pair<const char*, Suite> suites[] = {{"login_ristretto255", Suite::opaque_ristretto255},
                                                  {"login_p256", Suite::opaque_p256},
                                                  {"code_ristretto255", Suite::cpace_ristretto255},
                                                  {"resume_x25519", Suite::x25519}};
  for (const auto& [name, suite] : suites)
    add(name, [=](benchmark::State& state, double Seconds::* side) { one_side<Parties>(state, side, suite); });
  add("tls13_full_x25519_ecdsa_p256",
      [](benchmark::State& state, double Seconds::* side) { one_side<Tls>(state, side); });
  benchmark::RegisterBenchmark("resumed_beside_tls13", resumed_beside_tls)
      ->Iterations(kHandshakes)
      ->Repetitions(11)
      ->ReportAggregatesOnly()
      ->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
