// SPAKE2+ offline (RFC 9383, Section 3.2): from a password to what the prover uses and what the verifier stores.
//
//   w0s || w1s = PBKDF(len(pw) || pw || len(idProver) || idProver || len(idVerifier) || idVerifier)
//   w0 = w0s mod p,  w1 = w1s mod p,  L = w1*P
//
// The prover's secret is w0 and w1, the verifier's record w0 and L. Who steals the record can play the verifier, and
// try passwords against it at the cost of the PBKDF; to play the prover it takes the password.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"
#include "pake/crypto/group.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/spake2plus/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2plus {

/// Who the two are. Empty: not known; it is hashed as such.
struct Identities {
  OwnedBytes prover = {};
  OwnedBytes verifier = {};
};

class VerifierRecord;

/// w0 and w1: as good as the password.
class ProverSecret {
 public:
  /// From the PBKDF's output, w0s || w1s: an even number of bytes, at least 2 * half_size and at most 1,024. The two
  /// halves are its two halves, whatever its length.
  /// Errc::misuse for another length or an unknown suite, Errc::malformed if w0 or w1 is zero (never seen).
  [[nodiscard]] static Result<ProverSecret> from_pbkdf_output(Suite suite, Bytes output);

  /// From the password, by the KSF with `salt` and cost in it. Takes as long as the KSF: for a worker thread.
  /// Errc::misuse for an empty password or an unknown suite.
  /// @param output_size  0: 2 * half_size. It enters the result, so a profile fixes it
  [[nodiscard]] static Result<ProverSecret> from_password(Suite suite, const crypto::KsfParameters& pbkdf,
                                                          Bytes password, const Identities& identities,
                                                          std::size_t output_size = 0);

  /// w0 || w1, each big-endian in scalar_size bytes.
  [[nodiscard]] static Result<ProverSecret> decode(Suite suite, Bytes bytes);
  [[nodiscard]] SecretBuffer encode() const;

  /// What the verifier is to store. It goes there over a channel that is authenticated and confidential.
  [[nodiscard]] VerifierRecord verifier_record() const;

  [[nodiscard]] Suite suite() const noexcept { return suite_; }
  [[nodiscard]] ProverSecret copy() const;

 private:
  friend struct Access;
  ProverSecret(Suite suite, crypto::Scalar w0, crypto::Scalar w1) noexcept
      : suite_(suite), w0_(std::move(w0)), w1_(std::move(w1)) {}

  Suite suite_;
  crypto::Scalar w0_, w1_;
};

/// w0 and L.
class VerifierRecord {
 public:
  /// w0 || L: scalar_size + share_size bytes (97 for P-256). Errc::malformed for another size, a w0 that is zero or not
  /// reduced, an L that would not do as a share.
  [[nodiscard]] static Result<VerifierRecord> decode(Suite suite, Bytes bytes);
  [[nodiscard]] SecretBuffer encode() const;

  /// The record that stands in for a name without one, always the same for the same two arguments: the run then goes on
  /// as any other and fails at confirmP. Making one costs a multiplication, so a verifier that must not show which
  /// names exist makes one in every run (the machine does).
  /// @param server_secret  32 random bytes or more, kept for good; Errc::misuse for fewer
  [[nodiscard]] static Result<VerifierRecord> fake(Suite suite, Bytes server_secret, Bytes name);

  [[nodiscard]] Suite suite() const noexcept { return suite_; }

 private:
  friend struct Access;
  VerifierRecord(Suite suite, crypto::Scalar w0, crypto::Element L) noexcept
      : suite_(suite), w0_(std::move(w0)), L_(std::move(L)) {}

  Suite suite_;
  crypto::Scalar w0_;
  crypto::Element L_;
};

/// len(pw) || pw || len(idProver) || idProver || len(idVerifier) || idVerifier
[[nodiscard]] SecretBuffer pbkdf_input(Bytes password, const Identities& identities);

/// A record in the envelope of everything that is stored: what it is, how its password was stretched, and under which
/// epoch of the application's keys.
///
///   "pake" || kind (1) = 03 || version (1) = 01 || suite (1) || ksf (1) || epoch (4, big-endian) || w0 || L
///
/// `ksf` is 0 if it is none of the profiles. Nothing here is encrypted: that is the store's seal.
struct StoredVerifierRecord {
  std::uint8_t ksf = 0;  // a crypto::KsfProfile, or 0
  std::uint32_t epoch = 0;
  VerifierRecord record;

  [[nodiscard]] SecretBuffer encode() const;
  /// Errc::malformed for anything that `encode` does not write.
  [[nodiscard]] static Result<StoredVerifierRecord> decode(Bytes bytes);
};

}  // namespace pake::spake2plus

PAKE_EXPORT_END
