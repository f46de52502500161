// Alice chooses a password; the server keeps a record from which nobody reads it. An arrow is what travels, over a
// connection that is confidential and whose server she knows already.
#include <cstdio>

#include "pake/crypto/rng.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "pake/proto/opaque/stored.h"

using namespace pake;

int main() {
  crypto::SystemRng rng;
  const auto suite = opaque::SuiteId::ristretto255;
  const auto profile = crypto::KsfProfile::rfc9106_2;
  const auto ksf = crypto::ksf_parameters(profile, opaque::sizes(suite).Nh);
  const auto server = opaque::StoredKeys::generate(suite, profile, 1, rng);  // once, when the server is set up
  if (!server) return 1;

  auto alice = opaque::ClientRegistration(suite, SecretBuffer::copy_of(as_bytes("correct horse")))
                   .create_registration_request(rng);
  if (!alice) return 1;
  const auto response =  // registration_request -> server
      opaque::create_registration_response(alice->registration_request, server->keys, as_bytes("user 4711"));
  if (!response) return 1;
  const auto finished =  // registration_response -> Alice, who stretches with 64 MiB
      std::move(alice->next)
          .finalize_registration_request(*response, {.identities = {.client = as_bytes("alice")}, .ksf = ksf}, rng);
  if (!finished) return 1;
  auto record = opaque::RegistrationRecord::decode(suite, finished->record);  // record -> server, which checks it
  if (!record) return 1;

  const opaque::StoredRecord stored{.suite = suite, .ksf = profile, .epoch = 1, .record = std::move(*record)};
  std::printf("the server stores %zu bytes\n", stored.encode().size());
}
