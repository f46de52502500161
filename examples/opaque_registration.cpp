// Alice chooses a password; the server keeps a record from which nobody reads it. An arrow is what travels, over a
// connection that is confidential and whose server she knows already. She logs in with it in opaque_login.cpp: suite,
// profile, identities and credential_identifier are the same there, and must be.
#include <chrono>
#include <cstdio>

#include "pake/opaque.h"

namespace opaque = pake::opaque;

int main() {
  pake::crypto::SystemRng rng;
  const auto suite = opaque::SuiteId::ristretto255;
  const auto profile = pake::crypto::KsfProfile::rfc9106_2;
  const auto ksf = pake::crypto::ksf_parameters(profile, opaque::sizes(suite).Nh);
  const opaque::Identities names = {.client = pake::as_bytes("alice"), .server = pake::as_bytes("example.org")};
  // A registration answer can be a guess at what a stolen record holds: five a name and day, and none comes back.
  pake::GuessBuckets registrations({.burst = 5, .refill = std::chrono::hours{24} / 5});
  const auto server = opaque::StoredKeys::generate(suite, profile, 1, rng);  // once, when the server is set up
  if (!server) return 1;

  auto alice = opaque::ClientRegistration(suite, pake::SecretBuffer::copy_of(pake::as_bytes("correct horse")))
                   .create_registration_request(rng);
  if (!alice) return 1;
  const auto response =  // registration_request -> server
      opaque::create_registration_response(
          alice->registration_request, server->keys, pake::as_bytes("user 4711"),
          registrations.take(pake::as_bytes("user 4711"), std::chrono::steady_clock::now()).value());
  if (!response) return 1;
  const auto finished =  // registration_response -> Alice, who stretches with 64 MiB
      std::move(alice->next).finalize_registration_request(*response, {.identities = names, .ksf = ksf}, rng);
  if (!finished) return 1;
  auto record = opaque::RegistrationRecord::decode(suite, finished->record);  // record -> server, which checks it
  if (!record) return 1;

  const opaque::StoredRecord stored{.suite = suite, .ksf = profile, .epoch = 1, .record = std::move(*record)};
  std::printf("the server stores %zu bytes\n", stored.encode().size());
}
