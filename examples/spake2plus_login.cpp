// SPAKE2+: a prover with a password logs in at a verifier that holds a record of it. An arrow is what travels.
#include <cstdio>

#include "pake/spake2plus.h"

namespace spake2plus = pake::spake2plus;

int main() {
  pake::crypto::SystemRng rng;
  pake::GuessBudget guesses(10);
  constexpr auto kSuite = spake2plus::Suite::p256_sha256_hmac;
  const spake2plus::Identities names = {.prover = pake::as_bytes("alice"), .verifier = pake::as_bytes("door 1")};
  const spake2plus::Inputs inputs = {.Context = pake::as_bytes("example lock"), .identities = names};

  // Once; the record goes to the verifier over a channel that is authenticated and confidential. Takes a while: it
  // stretches the password.
  const auto pbkdf = pake::crypto::ksf_parameters(pake::crypto::KsfProfile::small, 0);
  const auto secret = spake2plus::ProverSecret::from_password(kSuite, pbkdf, pake::as_bytes("correct horse"), names);
  if (!secret) return 1;
  const auto record = secret->verifier_record();

  auto prover = spake2plus::start(inputs, *secret, rng);
  auto permit = guesses.take();
  if (!prover || !permit) return 1;
  auto verifier = spake2plus::respond(inputs, record, std::move(*permit), prover->shareP, rng);  // shareP -> verifier
  if (!verifier) return 1;
  auto at_prover = std::move(prover->next).finish(verifier->shareV, verifier->confirmV);  // shareV, confirmV -> prover
  if (!at_prover) return 1;                                                  // another password, or no verifier of it
  auto at_verifier = std::move(verifier->next).finish(at_prover->confirmP);  // confirmP -> verifier
  if (!at_verifier) return 1;

  const bool same = pake::ct_equal(at_prover->K_shared.reveal(), at_verifier->reveal());
  std::puts(same ? "prover and verifier have the same key" : "the keys differ");
  return same ? 0 : 1;
}
