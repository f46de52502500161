#include "bench/measure.h"

#include <ctime>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "pake/channel/channel.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/rng.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"

namespace pake::cli::bench {
namespace {

using namespace channel;

/// Seconds of CPU of this thread.
double cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + (1e-9 * static_cast<double>(now.tv_nsec));
}

/// Calls `work` and adds what it took to `seconds`.
template <class Work>
void timed(double& seconds, Work&& work) {
  const auto start = cpu_time();
  std::forward<Work>(work)();
  seconds += cpu_time() - start;
}

constexpr auto kProfile = crypto::KsfProfile::small;
const Bytes kServerName = as_bytes("example.org");
const Bytes kName = as_bytes("alice");
const Bytes kPassword = as_bytes("correct horse battery staple");

/// A server that knows alice, and what alice knows. Both are ours, so a step that fails ends the program
/// (std::bad_expected_access).
class Parties {
 public:
  explicit Parties(Suite suite) : suite_(suite) {
    if (kind_of(suite_) == HandshakeKind::login) enroll();
    if (kind_of(suite_) == HandshakeKind::resume)
      ticket_.ticket = seal_ticket(*ticket_keys_, {.name = to_buffer(kName), .server_name = to_buffer(kServerName)},
                                   ticket_.secret, rng_)
                           .value();
  }

  /// `count` handshakes, step by step: all clients', all servers', and so on, as on two machines with much to do.
  void run(std::size_t count, double& client_seconds, double& server_seconds) {
    std::vector<ClientHandshake> clients;
    std::vector<ServerHandshake> servers;
    std::vector<Buffer> frames(count);
    clients.reserve(count);
    servers.reserve(count);
    timed(client_seconds, [&] {
      for (std::size_t i = 0; i < count; ++i) clients.push_back(begin());
    });
    timed(server_seconds, [&] {
      for (std::size_t i = 0; i < count; ++i)
        servers.push_back(ServerHandshake({.fastest_aead = AeadId::aes_256_gcm, .ticket_keys = ticket_keys_}, rng_));
    });
    while (servers.back().want() != Want::done) {
      timed(client_seconds, [&] {
        for (std::size_t i = 0; i < count; ++i) frames[i] = clients[i].take_message().value();
      });
      timed(server_seconds, [&] {
        for (std::size_t i = 0; i < count; ++i) {
          servers[i].receive(frames[i]).value();
          if (servers[i].want() == Want::decision) servers[i].decide(decide()).value();
          if (servers[i].want() == Want::send) frames[i] = servers[i].take_message().value();
        }
      });
      if (servers.back().want() == Want::done) break;
      timed(client_seconds, [&] {
        for (std::size_t i = 0; i < count; ++i) clients[i].receive(frames[i]).value();
      });
      for (auto& client : clients) stretch(client, client_seconds);
    }
    timed(client_seconds, [&] {
      for (auto& client : clients) static_cast<void>(client.take_keys().value());
    });
    timed(server_seconds, [&] {
      for (auto& server : servers) static_cast<void>(server.take_keys().value());
    });
  }

 private:
  void enroll() {
    keys_ = std::make_shared<const opaque::ServerKeys>(opaque::ServerKeys::generate(opaque_suite(), rng_).value());
    opaque::ClientRegistration client(opaque_suite(), SecretBuffer::copy_of(kPassword));
    auto requested = std::move(client).create_registration_request(rng_).value();
    const auto response =
        opaque::create_registration_response(requested.registration_request, *keys_, credential_identifier(kName),
                                             GuessPermit::uncounted_for_study())
            .value();
    const auto ksf = crypto::ksf_parameters(kProfile, opaque::sizes(opaque_suite()).Nh);
    record_ = std::move(requested.next)
                  .finalize_registration_request(response, {.identities = {.client = kName}, .ksf = ksf}, rng_)
                  .value()
                  .record;
  }

  [[nodiscard]] opaque::SuiteId opaque_suite() const {
    return suite_ == Suite::opaque_p256 ? opaque::SuiteId::p256 : opaque::SuiteId::ristretto255;
  }

  ClientHandshake begin() {
    ClientConfig config{.server_name = to_buffer(kServerName), .fastest_aead = AeadId::aes_256_gcm};
    switch (kind_of(suite_)) {
      case HandshakeKind::login:
        config.login_suites = {suite_};
        return ClientHandshake::by_password(config, {.name = kName, .password = kPassword}, rng_).value();
      case HandshakeKind::code:
        return ClientHandshake::by_code(config, {.selector = {}, .code = kPassword}, rng_).value();
      case HandshakeKind::resume:
        break;
    }
    return ClientHandshake::by_ticket(config, ticket_, rng_).value();
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
        break;
    }
    return TicketAccepted{};
  }

  /// The key stretching of a login, without its time.
  static void stretch(ClientHandshake& client, double& client_seconds) {
    if (client.want() != Want::ksf) return;
    auto job = client.take_job().value();
    job->run();
    timed(client_seconds, [&] { client.resume(std::move(job)).value(); });
  }

  Suite suite_;
  crypto::SystemRng rng_;
  std::shared_ptr<const opaque::ServerKeys> keys_;
  Buffer record_;
  std::shared_ptr<const TicketKeys> ticket_keys_ = std::make_shared<const TicketKeys>(std::vector<TicketKey>(1));
  StoredTicket ticket_;
};

TrafficKey some_key() {
  return TrafficKey::make([](MutableBytes out) { out[0] = 1; });
}

ChannelKeys some_keys(AeadId aead) {
  ChannelKeys keys;
  keys.aead = aead;
  keys.client = some_key();
  keys.server = some_key();
  return keys;
}

/// Hands over what `from` has to send; what arrives is taken at once.
void carry(Channel& from, Channel& to, Buffer& buffer) {
  auto rest = MutableBytes(buffer).first(from.produce(buffer, Instant{}));
  while (from.next_event()) continue;
  while (!rest.empty()) {
    rest = rest.subspan(to.receive(rest, {}).value());
    while (const auto event = to.next_event())
      if (const auto* const readable = std::get_if<Readable>(&*event))
        to.consume(readable->stream, to.unread(readable->stream).size());
  }
}

}  // namespace

HandshakeRates measure_handshakes(Suite suite, std::chrono::seconds time) {
  constexpr std::size_t kAtOnce = 8;
  Parties parties(suite);
  double client = 0, server = 0;
  parties.run(kAtOnce, client, server);  // the first ones make tables
  client = server = 0;
  std::size_t count = 0;
  const auto end = cpu_time() + static_cast<double>(time.count());  // with the stretching, which is most of a login
  do {
    parties.run(kAtOnce, client, server);
    count += kAtOnce;
  } while (cpu_time() < end);
  return {.client = static_cast<double>(count) / client, .server = static_cast<double>(count) / server};
}

double measure_stream(AeadId aead, std::chrono::seconds time) {
  constexpr std::size_t kPiece = std::size_t{256} * 1024;  // what a driver hands to the system in one call
  KeyCache cache;
  Channel client(some_keys(aead), Role::client, cache, {}), server(some_keys(aead), Role::server, cache, {});
  const Buffer bytes(kPiece);
  Buffer buffer(kPiece);
  const auto stream = client.open(as_bytes("discard")).value();
  double seconds = 0, sent = 0;
  do {
    timed(seconds, [&] {
      for (int piece = 0; piece < 16; ++piece, sent += kPiece) {
        client.write(stream, bytes).value();
        while (!client.unsent(stream).empty()) {
          carry(client, server, buffer);
          carry(server, client, buffer);
        }
      }
    });
  } while (seconds < static_cast<double>(time.count()));
  return sent / seconds;
}

}  // namespace pake::cli::bench
