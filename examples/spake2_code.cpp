// SPAKE2: two who share a password agree on a key. An arrow is what travels between them.
#include <cstdio>

#include "pake/spake2.h"

namespace spake2 = pake::spake2;

int main() {
  pake::crypto::SystemRng rng;
  pake::GuessBudget guesses(3);
  const spake2::Inputs inputs = {.A = pake::as_bytes("alice"), .B = pake::as_bytes("bob")};
  // Both stretch the password alike.
  const auto mhf = pake::crypto::ksf_parameters(pake::crypto::KsfProfile::small, 0);
  const auto w =
      spake2::PasswordScalar::from_password(spake2::Suite::p256_sha256_hmac, mhf, pake::as_bytes("correct horse"));
  if (!w) return 1;

  auto alice = spake2::initiate(inputs, *w, rng);
  auto permit = guesses.take();
  if (!alice || !permit) return 1;
  auto bob = spake2::respond(inputs, *w, std::move(*permit), alice->pA, rng);  // pA -> Bob
  if (!bob) return 1;
  auto at_alice = std::move(alice->next).finish(bob->pB, bob->cB);  // pB, cB -> Alice
  if (!at_alice) return 1;                                          // another password
  auto at_bob = std::move(bob->next).finish(at_alice->cA);          // cA -> Bob
  if (!at_bob) return 1;

  const bool same = pake::ct_equal(at_alice->Ke.reveal(), at_bob->reveal());
  std::puts(same ? "Alice and Bob have the same key" : "the keys differ");
  return same ? 0 : 1;
}
