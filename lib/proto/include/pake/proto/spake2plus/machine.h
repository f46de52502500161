// SPAKE2+ behind the common interface. All sizes follow from the suite, so there is no framing:
//
//   prover      [ksf]    send shareP    receive shareV || confirmV    send confirmP
//   verifier    receive shareP    record    send shareV || confirmV    receive confirmP
#pragma once

#include <memory>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/spake2plus/registration.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2plus {

struct Config {
  Suite suite = Suite::p256_sha256_hmac;
  Buffer Context = {};
  Buffer idProver = {};
  Buffer idVerifier = {};
};

// The session key is K_shared. `rng` outlives the machine.

/// Begins with a KSF job, over `idProver` and `idVerifier` as the run has them.
[[nodiscard]] std::unique_ptr<Machine> prover_machine(Config config, crypto::KsfParameters pbkdf, SecretBuffer password,
                                                      Rng& rng);
[[nodiscard]] std::unique_ptr<Machine> prover_machine(Config config, const ProverSecret& secret, Rng& rng);

/// Takes an encoded StoredVerifierRecord of the suite, or none, when it wants a record.
/// @param fake_secret  see VerifierRecord::fake; the name is idProver
[[nodiscard]] std::unique_ptr<Machine> verifier_machine(Config config, SecretBuffer fake_secret, GuessPermit permit,
                                                        Rng& rng);

}  // namespace pake::spake2plus

PAKE_EXPORT_END
