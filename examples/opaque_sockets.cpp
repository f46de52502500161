// OPAQUE over sockets of your own: every message has a size that both sides know, so that nothing frames them. The
// client is one thread here and the server another, with a pair of sockets between them.
#include <sys/socket.h>
#include <unistd.h>
#include <chrono>

#include <cstdio>
#include <optional>
#include <thread>

#include "pake/opaque.h"

namespace opaque = pake::opaque;

namespace {

const auto kSuite = opaque::SuiteId::ristretto255;
const auto kProfile = pake::crypto::KsfProfile::rfc9106_2;
const auto kKsf = pake::crypto::ksf_parameters(kProfile, opaque::sizes(kSuite).Nh);
const opaque::Identities kNames = {.client = pake::as_bytes("alice"), .server = pake::as_bytes("example.org")};

bool send_all(int socket, pake::Bytes bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

std::optional<pake::Buffer> receive(int socket, std::size_t size) {  // set SO_RCVTIMEO: a peer may never send
  pake::Buffer bytes(size);
  for (std::size_t have = 0; have < size;) {
    const auto got = ::recv(socket, bytes.data() + have, size - have, 0);
    if (got <= 0) return std::nullopt;
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

// The client's login: KE1, KE2, KE3.
std::optional<pake::SessionKey> log_in(int socket, std::string_view password) {
  pake::crypto::SystemRng rng;
  auto started = opaque::ClientLogin(kSuite, pake::SecretBuffer::copy_of(pake::as_bytes(password))).generate_ke1(rng);
  if (!started || !send_all(socket, started->ke1)) return std::nullopt;
  const auto ke2 = receive(socket, opaque::sizes(kSuite).KE2());
  if (!ke2) return std::nullopt;
  auto finished = std::move(started->next).generate_ke3(*ke2, {.identities = kNames, .ksf = kKsf});
  if (!finished) return std::nullopt;  // a wrong password, or not the server that has the record: do not say which
  if (!send_all(socket, finished->ke3)) return std::nullopt;
  return std::move(finished->session_key);
}

// The server's side of it. `stored` is what the store has under the name, or nothing: an unknown name goes the same
// way.
std::optional<pake::SessionKey> answer(int socket, const opaque::KeyRing& ring, pake::GuessBudget& guesses,
                                       const std::optional<pake::Buffer>& stored) {
  pake::crypto::SystemRng rng;
  const auto ke1 = receive(socket, opaque::sizes(kSuite).KE1());
  auto permit = guesses.take();  // nothing left: say "try again later" to known and unknown names alike
  if (!ke1 || !permit) return std::nullopt;
  const auto user = ring.credential(pake::as_bytes("user 4711"), stored);
  if (!user) return std::nullopt;
  auto answered = opaque::ServerLogin(kSuite, std::move(*permit))
                      .generate_ke2(*ke1,
                                    {.record = user->record.record,
                                     .credential_identifier = pake::as_bytes("user 4711"),
                                     .identities = kNames},
                                    *user->keys->in_memory(), rng);
  if (!answered || !send_all(socket, answered->ke2)) return std::nullopt;  // the guess is spent from here on
  const auto ke3 = receive(socket, opaque::sizes(kSuite).KE3());
  if (!ke3) return std::nullopt;
  auto key = std::move(answered->next).server_finish(*ke3);  // and given back if this verifies
  if (!key) return std::nullopt;
  return std::move(*key);
}

// A registration answer can be a guess at what a stolen record holds: five a name and day, and none comes back.
pake::GuessBuckets registrations({.burst = 5, .refill = std::chrono::hours{24} / 5});

// Registration, which wants a connection that is confidential and authenticated already; see opaque_registration.cpp.
pake::Buffer registered(const opaque::KeyRing& ring, std::string_view password) {
  pake::crypto::SystemRng rng;
  auto client = opaque::ClientRegistration(kSuite, pake::SecretBuffer::copy_of(pake::as_bytes(password)))
                    .create_registration_request(rng)
                    .value();
  const auto response = opaque::create_registration_response(
                            client.registration_request, *ring.current(kSuite)->keys, pake::as_bytes("user 4711"),
                            registrations.take(pake::as_bytes("user 4711"), std::chrono::steady_clock::now()).value())
                            .value();
  const auto finished =
      std::move(client.next).finalize_registration_request(response, {.identities = kNames, .ksf = kKsf}, rng).value();
  auto record = opaque::RegistrationRecord::decode(kSuite, finished.record).value();
  return opaque::StoredRecord{.suite = kSuite, .ksf = kProfile, .epoch = 1, .record = std::move(record)}.encode();
}

}  // namespace

int main() {
  pake::crypto::SystemRng rng;
  opaque::KeyRing ring(opaque::FakeKey::make([&](pake::MutableBytes out) { rng.fill(out); }));
  if (!ring.add(opaque::StoredKeys::generate(kSuite, kProfile, 1, rng).value())) return 1;
  if (!ring.activate({.epoch = 1, .suite = kSuite, .ksf = kProfile})) return 1;
  pake::GuessBudget guesses(10);
  const std::optional<pake::Buffer> stored = registered(ring, "correct horse");

  int sockets[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) return 1;
  std::optional<pake::SessionKey> at_server;
  std::thread server([&] { at_server = answer(sockets[1], ring, guesses, stored); });
  const auto at_client = log_in(sockets[0], "correct horse");
  ::shutdown(sockets[0], SHUT_WR);
  server.join();
  ::close(sockets[0]);
  ::close(sockets[1]);

  const bool same = at_client && at_server && pake::ct_equal(at_client->reveal(), at_server->reveal());
  std::puts(same ? "Alice and the server have the same key" : "no login");
  return same && guesses.available() == 10 ? 0 : 1;
}
