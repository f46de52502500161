// SRP-6a, as HomeKit speaks it: a client logs in at a server that stores a verifier. An arrow is what travels.
#include <cstdio>

#include "pake/srp.h"

namespace srp = pake::srp;

int main() {
  pake::crypto::SystemRng rng;
  pake::GuessBudget guesses(10);
  const srp::Parameters homekit = {
      .mode = srp::Mode::homekit, .group = srp::Group::bits_3072, .hash = pake::crypto::HashId::sha512};
  const auto name = pake::as_bytes("Pair-Setup"), code = pake::as_bytes("587-46-126");

  const auto verifier = srp::Verifier::make(homekit, name, code, rng);  // once; the server stores it
  auto client = srp::start(homekit, name, code, rng);
  auto permit = guesses.take();
  if (!verifier || !client || !permit) return 1;
  auto server = srp::respond(*verifier, name, std::move(*permit), client->A, rng);  // A -> server
  if (!server) return 1;
  auto proof = std::move(client->next).prove(server->s, server->B);  // s, B -> client
  if (!proof) return 1;
  auto at_server = std::move(server->next).finish(proof->M1);     // M1 -> server
  if (!at_server) return 1;                                       // another password
  auto at_client = std::move(proof->next).finish(at_server->M2);  // M2 -> client
  if (!at_client) return 1;

  const bool same = pake::ct_equal(at_server->keys.K.reveal(), at_client->K.reveal());
  std::puts(same ? "client and server have the same key" : "the keys differ");
  return same ? 0 : 1;
}
