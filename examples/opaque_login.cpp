// Alice logs in with her password, and both sides have a key. An arrow is what travels, over any connection.
#include <chrono>
#include <cstdio>

#include "pake/opaque.h"

namespace opaque = pake::opaque;

const auto kSuite = opaque::SuiteId::ristretto255;
const auto kProfile = pake::crypto::KsfProfile::rfc9106_2;
const auto kKsf = pake::crypto::ksf_parameters(kProfile, opaque::sizes(kSuite).Nh);
// Both sides, at registration and at every login: a difference shows as a wrong password.
const opaque::Identities kNames = {.client = pake::as_bytes("alice"), .server = pake::as_bytes("example.org")};

// A registration answer can be a guess at what a stolen record holds: five a name and day, and none comes back.
static pake::GuessBuckets registrations({.burst = 5, .refill = std::chrono::hours{24} / 5});

// What the store has of her; opaque_registration.cpp says how it came there, step by step.
static pake::Buffer record_of_alice(const opaque::KeyHolder& keys, pake::Rng& rng) {
  auto alice = opaque::ClientRegistration(kSuite, pake::SecretBuffer::copy_of(pake::as_bytes("correct horse")))
                   .create_registration_request(rng)
                   .value();
  const auto response = opaque::create_registration_response(
                            alice.registration_request, keys, pake::as_bytes("user 4711"),
                            registrations.take(pake::as_bytes("user 4711"), std::chrono::steady_clock::now()).value())
                            .value();
  const auto finished =
      std::move(alice.next).finalize_registration_request(response, {.identities = kNames, .ksf = kKsf}, rng).value();
  auto record = opaque::RegistrationRecord::decode(kSuite, finished.record).value();
  return opaque::StoredRecord{.suite = kSuite, .ksf = kProfile, .epoch = 1, .record = std::move(record)}.encode();
}

int main() {
  pake::crypto::SystemRng rng;
  // The server's keys, of this epoch and of those before it: made once, and stored.
  opaque::KeyRing ring(opaque::FakeKey::make([&](pake::MutableBytes out) { rng.fill(out); }));
  if (!ring.add(opaque::StoredKeys::generate(kSuite, kProfile, 1, rng).value())) return 1;
  if (!ring.activate({.epoch = 1, .suite = kSuite, .ksf = kProfile})) return 1;
  pake::GuessBudget guesses(10);
  const auto stored = record_of_alice(*ring.current(kSuite)->keys, rng);

  auto alice =
      opaque::ClientLogin(kSuite, pake::SecretBuffer::copy_of(pake::as_bytes("correct horse"))).generate_ke1(rng);
  auto permit = guesses.take();
  // A name without a record: std::nullopt, and on we go.
  const auto user = ring.credential(pake::as_bytes("user 4711"), stored);
  if (!alice || !permit || !user) return 1;
  auto server = opaque::ServerLogin(kSuite, std::move(*permit))  // KE1 -> server
                    .generate_ke2(alice->ke1,
                                  {.record = user->record.record,
                                   .credential_identifier = pake::as_bytes("user 4711"),
                                   .identities = kNames},
                                  *user->keys->in_memory(), rng);
  if (!server) return 1;
  const auto at_alice =  // KE2 -> Alice
      std::move(alice->next).generate_ke3(server->ke2, {.identities = kNames, .ksf = kKsf});
  if (!at_alice) return 1;                                                      // a wrong password, or not her server
  const auto at_server = std::move(server->next).server_finish(at_alice->ke3);  // KE3 -> server
  if (!at_server) return 1;

  const bool same = pake::ct_equal(at_alice->session_key.reveal(), at_server->reveal());
  std::puts(same ? "Alice and the server have the same key" : "the keys differ");
  return same ? 0 : 1;
}
