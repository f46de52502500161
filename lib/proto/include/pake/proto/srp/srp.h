// SRP-6a (RFC 5054, Section 2; RFC 2945 for the proofs), as it is deployed: the conventions differ from peer to peer,
// and a Mode names each of them.
//
//   client: start -- I, A --> AwaitingChallenge::prove(s, B) -- M1 --> AwaitingServerProof::finish(M2) --> keys
//   server: respond(A) -- s, B --> AwaitingClientProof::finish(M1) -- M2 --> keys              any failure: spent
//
// Every step consumes its state: another call on it is Errc::misuse. The error is for the log; the peer is told only
// that it is over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"
#include "pake/proto/guess.h"
#include "pake/proto/state.h"

namespace pake::crypto {
class ModularGroup;
}  // namespace pake::crypto

PAKE_EXPORT_BEGIN

namespace pake::srp {

/// Which of the conventions: docs/srp.md has them side by side.
enum class Mode : std::uint8_t {  // on disk: never renumber
  rfc5054 = 1,                    // RFC 5054; its premaster secret is `premaster`. M1 and M2 as pysrp_rfc5054 has them
  pysrp = 2,                      // the Python package `srp` as it comes
  pysrp_rfc5054 = 3,              // the same after rfc5054_enable()
  homekit = 4,                    // HomeKit's pairing (3072 bits, SHA-512; I = "Pair-Setup")
  no_username = 5,                // pysrp_rfc5054 with no_username_in_x(): x does not depend on I
  rfc2945_insecure = 6,           // SRP-3: two guesses a run for an active attacker. For study and vectors
  // Amazon Cognito's user pools: 3072 bits with g = 2, SHA-256. I is the pool's name (its id behind the underscore) ||
  // the
  // user's. There is a Claim, and no M2
  cognito = 7,
  // Proton: SHA-512, numbers little-endian. P is bcrypt's text (see proton_setting), and I is not hashed
  proton = 8,
  fast_srp_hap = 9,             // the npm package of that name
  secure_remote_password = 10,  // the npm package of that name: 2048 bits, SHA-256
};

/// RFC 5054, Appendix A. The two smallest are for old peers alone.
enum class Group : std::uint8_t {  // on disk: never renumber
  bits_1024_weak = 1,
  bits_1536_weak = 2,
  bits_2048 = 3,
  bits_3072 = 4,
  bits_4096 = 5,
  bits_6144 = 6,
  bits_8192 = 7,
  proton = 8,  // a Modulus
};

/// A modulus of Proton's: its server hands one out a user, signed with OpenPGP. The signature is the caller's to
/// verify.
class Modulus {
 public:
  /// @param N  256 bytes, little-endian. Errc::malformed unless it is a safe prime of 2,048 bits and 3 modulo 8 (then 2
  ///           generates the whole group). Takes some tenths of a second: keep it
  [[nodiscard]] static Result<Modulus> decode(Bytes N);
  Modulus(Modulus&&) noexcept;
  Modulus& operator=(Modulus&&) noexcept;
  ~Modulus();

 private:
  friend struct ModulusAccess;  // the room's own door
  explicit Modulus(std::unique_ptr<const crypto::ModularGroup> group) noexcept;
  std::unique_ptr<const crypto::ModularGroup> group_;
};

struct Parameters {
  Mode mode = Mode::rfc5054;
  Group group = Group::bits_3072;
  crypto::HashId hash = crypto::HashId::sha256;
  const Modulus* modulus = nullptr;  // of Group::proton; it outlives all that is made with it
};

/// Whether there is such a mode, group and hash, and they go together (SRP-3 is defined with SHA-1, the modes of one
/// deployment with its group and hash).
[[nodiscard]] bool is_valid(const Parameters& parameters) noexcept;
/// Bytes of N: 128 to 1,024.
[[nodiscard]] std::size_t group_size(Group group) noexcept;
/// Bytes of M1, and of M2: the hash's, save 256 in Proton's mode.
[[nodiscard]] std::size_t proof_size(const Parameters& parameters) noexcept;

inline constexpr std::size_t kMaxNameSize = 255, kMaxSaltSize = 255;
inline constexpr std::size_t kSaltSize = 16;  // of those that are made here
inline constexpr std::size_t kProtonSaltSize = 10;

/// The setting with which crypt(3), that is bcrypt, makes a password into the P of Proton's mode (versions 3 and 4 of
/// its password hash): "$2y$10$" || bcrypt's base64 of (s || "proton"). Errc::misuse for another size than
/// kProtonSaltSize.
[[nodiscard]] Result<Buffer> proton_setting(Bytes s);

/// What a run leaves once the peer has proved that it knows the password.
struct Keys {
  /// The session key: H(S), SRP-3's interleaved hash, Cognito's 16 bytes by HKDF. Proton has none: there it is SHA-512
  /// of `premaster`, this library's choice.
  SecretUpTo<64, struct SrpKeyTag> K;
  /// S without leading zeros: RFC 5054's premaster secret. In Proton's mode its "shared session": S, 256 bytes,
  /// little-endian. Else not for use.
  SecretBuffer premaster;
};

/// What a client of Cognito signs beside its name, as M1. The server sends SECRET_BLOCK with s and B (its bytes, not
/// their base64), and gets it back with the client's TIMESTAMP and M1: that it is the same, and the time near, is for
/// the caller to see.
struct Claim {
  Bytes SECRET_BLOCK, TIMESTAMP;
};

// --- What a server stores

/// s and v = g^x. Whoever steals it can try passwords against it, at the cost of a fast hash and an exponentiation; to
/// play the client it takes the password.
class Verifier {
 public:
  /// x = H(s | H(I | ":" | P)); I and P as bytes: the caller has normalised them (RFC 5054 names SASLprep).
  /// Errc::misuse if the parameters are invalid, P is empty, I has a colon or more than kMaxNameSize bytes, or s
  /// more than kMaxSaltSize.
  /// In Cognito's mode s is hashed as the number that it is there: without leading zeros.
  [[nodiscard]] static Result<Verifier> make(const Parameters& parameters, Bytes I, Bytes P, Bytes s);
  /// With a salt of kSaltSize random bytes, of which the first is not zero (old peers take a salt for a number).
  /// Errc::misuse in Proton's mode, whose P is made with the salt.
  [[nodiscard]] static Result<Verifier> make(const Parameters& parameters, Bytes I, Bytes P, Rng& rng);
  /// Of a server that has s and v from elsewhere. Errc::malformed if v is not from 1 to N - 1 (in Proton's mode: 2
  /// to N - 2, little-endian).
  [[nodiscard]] static Result<Verifier> import(const Parameters& parameters, Bytes s, Bytes v);

  /// The verifier that stands in for a name without one, always the same for the same arguments: the salt is stable,
  /// and the run fails at M1. Making one costs an exponentiation, so a server that must not show which names exist
  /// makes one in every run (the machine does).
  /// @param server_secret  32 random bytes or more, kept for good; Errc::misuse for fewer
  [[nodiscard]] static Result<Verifier> fake(const Parameters& parameters, Bytes server_secret, Bytes I);

  [[nodiscard]] const Parameters& parameters() const noexcept { return parameters_; }
  [[nodiscard]] Bytes s() const noexcept { return s_; }
  /// group_size bytes, in the mode's order.
  [[nodiscard]] Bytes v() const noexcept { return v_.reveal(); }

  /// In the envelope of everything that is stored:
  ///
  ///   "pake" || kind (1) = 04 || version (1) = 01 || mode (1) || 00 || epoch (4) || group (1) || hash (1) || lp1(s) ||
  ///   v
  [[nodiscard]] SecretBuffer encode(std::uint32_t epoch = 0) const;
  /// Errc::malformed for anything that `encode` does not write.
  /// @param modulus  for a verifier of Group::proton, which does not hold it: without it, that is malformed
  [[nodiscard]] static Result<Verifier> decode(Bytes bytes, const Modulus* modulus = nullptr);

 private:
  Verifier(const Parameters& parameters, Bytes s, SecretBuffer v)
      : parameters_(parameters), s_(to_buffer(s)), v_(std::move(v)) {}

  Parameters parameters_;
  Buffer s_;
  SecretBuffer v_;
};

// --- The client

/// M1 is out; M2 is to come.
class AwaitingServerProof {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingServerProof(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Errc::malformed if M2 has another size than proof_size, Errc::auth_failed if it is wrong; Errc::misuse
  /// behind a Claim, which is answered by no M2.
  [[nodiscard]] Result<Keys> finish(Bytes M2) &&;

  /// For TLS, whose Finished takes the proofs' place, and for Cognito, which has TLS around it: nothing has shown that
  /// the server holds the verifier.
  [[nodiscard]] Result<Keys> finish_without_confirmation_peer_unproven() &&;

 private:
  StatePtr<State> state_;
};

class AwaitingChallenge {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingChallenge(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  struct Proof;
  /// Errc::malformed unless 0 < B < N in at most group_size bytes, s has at most kMaxSaltSize, and u is not zero;
  /// Errc::misuse in Cognito's mode. (In Proton's, 1 < B < N - 1 in 256 bytes.)
  [[nodiscard]] Result<Proof> prove(Bytes s, Bytes B) &&;
  /// In Cognito's mode, and Errc::misuse in any other.
  [[nodiscard]] Result<Proof> prove(Bytes s, Bytes B, const Claim& claim) &&;

 private:
  StatePtr<State> state_;
};

struct AwaitingChallenge::Proof {
  Buffer M1;  // to send, proof_size bytes
  AwaitingServerProof next;
};

struct ClientStart {
  Buffer A;  // to send, with I or later, with M1
  AwaitingChallenge next;
};
/// Errors as for Verifier::make, and Errc::unavailable if `rng` is broken. The parameters are the client's own
/// choice: what a server names is to be compared with them, never taken.
[[nodiscard]] Result<ClientStart> start(const Parameters& parameters, Bytes I, Bytes P, Rng& rng);

// --- The server

struct ServerFinished {
  Buffer M2;  // to send, proof_size bytes; empty behind a Claim
  Keys keys;
};

/// s and B are out; M1 is to come.
class AwaitingClientProof {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingClientProof(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Verifies M1, refunds the guess and gives M2 and the keys out. Errc::malformed if M1 has another size than
  /// proof_size, Errc::auth_failed if it is wrong: then there is no M2. Errc::misuse in Cognito's mode.
  [[nodiscard]] Result<ServerFinished> finish(Bytes M1) &&;
  /// In Cognito's mode, and Errc::misuse in any other. There is no M2.
  [[nodiscard]] Result<ServerFinished> finish(Bytes M1, const Claim& claim) &&;

  struct Unproven;
  /// For TLS, whose Finished takes the proofs' place: nothing has shown that the client knows the password.
  [[nodiscard]] Result<Unproven> finish_without_confirmation_peer_unproven() &&;

 private:
  StatePtr<State> state_;
};

struct AwaitingClientProof::Unproven {
  Keys keys;
  GuessPermit permit;  // spent: refund it once the application's own confirmation has verified
};

struct ServerResponse {
  Buffer s;  // to send; the verifier's
  Buffer B;
  AwaitingClientProof next;
};
/// Answers A. The permit is spent when this succeeds, and goes back unused when it fails: then nothing leaves.
/// Errc::malformed unless 0 < A < N in at most group_size bytes; Errc::unavailable if `rng` is broken.
[[nodiscard]] Result<ServerResponse> respond(const Verifier& verifier, Bytes I, GuessPermit permit, Bytes A, Rng& rng);

/// B is out; A comes with M1.
class AwaitingShareAndProof {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingShareAndProof(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Errors as for `respond` and AwaitingClientProof::finish.
  [[nodiscard]] Result<ServerFinished> finish(Bytes A, Bytes M1) &&;

 private:
  StatePtr<State> state_;
};

struct ServerChallenge {
  Buffer s;
  Buffer B;
  AwaitingShareAndProof next;
};
/// For clients that send A with M1 (HomeKit, Proton). Errc::misuse for SRP-3, in which whoever sees B first can choose
/// an A by which it tests passwords, and for Cognito, which has no such clients.
[[nodiscard]] Result<ServerChallenge> challenge(const Verifier& verifier, Bytes I, GuessPermit permit, Rng& rng);

}  // namespace pake::srp

PAKE_EXPORT_END
