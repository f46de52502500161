// Private to the room: SRP's values, each by the convention of its mode.
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/secret.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/modular.h"
#include "pake/proto/srp/srp.h"

namespace pake::srp {

using crypto::Digest;
using crypto::Residue;

/// How a mode writes a number as octets: without leading zeros, or with as many as fill the size of N; as Java does,
/// without leading zeros but one where the first bit is set; as PAD from its other end.
enum class Form : std::uint8_t { MIN, PAD, signed_MIN, reversed };

/// Whose formulas, beside those that the forms tell apart.
enum class Scheme : std::uint8_t { srp6a, srp3, cognito, proton };

/// Where the modes differ.
struct Convention {
  Scheme scheme;
  Form g_in_k, shares_in_u, g_in_M1;
  Form shares_in_M;  // in M1 and M2
  Form sent;
  Form S_in_K;
  bool has_name_in_x;
};
[[nodiscard]] const Convention& convention(Mode mode) noexcept;

/// The octets of a number without leading zeros. Their count becomes public: the documents hash so many.
[[nodiscard]] Bytes MIN(Bytes number) noexcept;
/// Left-padded to `size`; longer ones are cut from MIN(number), which the caller has checked.
[[nodiscard]] SecretBuffer PAD(Bytes number, std::size_t size);
/// @param size  of N
[[nodiscard]] SecretBuffer octets(Form form, Bytes number, std::size_t size);

/// Of all but Group::proton.
[[nodiscard]] const crypto::ModularGroup& modular(Group group);
[[nodiscard]] const crypto::ModularGroup& modular(const Parameters& parameters);
[[nodiscard]] Residue generator(const Parameters& parameters);

// k, x and u are numbers here, big-endian, whatever the mode makes of them.

//   k = H(N | PAD(g)), or H(N | MIN(g)); 1 in SRP-3;  ExpandHash(g | N) at Proton
[[nodiscard]] SecretBuffer compute_k(const Parameters& parameters);
//   x = H(s | H(I | ":" | P)), or H(s | H(":" | P));  ExpandHash(P | N) at Proton
[[nodiscard]] SecretBuffer compute_x(const Parameters& parameters, Bytes I, Bytes P, Bytes s);
//   u = H(PAD(A) | PAD(B)), or H(MIN(A) | MIN(B)); the first 4 octets of H(MIN(B)) in SRP-3;  ExpandHash(A | B) at
//   Proton
[[nodiscard]] SecretBuffer compute_u(const Parameters& parameters, Bytes A, Bytes B);
//   A = g^a % N
[[nodiscard]] Residue compute_A(const Parameters& parameters, Bytes a);
//   B = (k*v + g^b) % N
[[nodiscard]] Residue compute_B(const Parameters& parameters, const Residue& v, Bytes b);
//   S = (B - k*g^x)^(a + u*x) % N
[[nodiscard]] Residue client_S(const Parameters& parameters, const Residue& B, Bytes x, Bytes a, Bytes u);
//   S = (A * v^u)^b % N
[[nodiscard]] Residue server_S(const Parameters& parameters, const Residue& A, const Residue& v, Bytes u, Bytes b);
//   K = H(MIN(S)), H(PAD(S)), or SHA_Interleave(S)
//   K = H(PAD(S) | 00000000) | H(PAD(S) | 00000001)               fast-srp-hap with SHA-1
//   K = HKDF(salt = u, ikm = S, "Caldera Derived Key", 16)        Cognito, u and S as Java writes them
using SessionKeyK = SecretUpTo<64, struct SrpKeyTag>;
[[nodiscard]] SessionKeyK compute_K(const Parameters& parameters, Bytes S, Bytes u);
[[nodiscard]] SessionKeyK sha_interleave(Bytes S);
[[nodiscard]] Keys derive_keys(const Parameters& parameters, const Residue& S, Bytes u);

/// What the proofs show knowledge of: K, and S at Proton.
[[nodiscard]] Bytes proven(const Parameters& parameters, const Keys& keys) noexcept;
//   M1 = H((H(N) XOR H(g)) | H(I) | s | A | B | K)                ExpandHash(A | B | S) at Proton
[[nodiscard]] SecretBuffer compute_M1(const Parameters& parameters, Bytes I, Bytes s, Bytes A, Bytes B, Bytes K);
//   M2 = H(A | M1 | K)                                            ExpandHash(A | M1 | S) at Proton
[[nodiscard]] SecretBuffer compute_M2(const Parameters& parameters, Bytes A, Bytes M1, Bytes K);
//   M1 = HMAC(K, I | SECRET_BLOCK | TIMESTAMP)
[[nodiscard]] SecretBuffer compute_claim(const Parameters& parameters, Bytes I, const Claim& claim, Bytes K);

/// What was sent or stored in the mode's order as a number: big-endian, of the size of N.
[[nodiscard]] SecretBuffer number_of(const Parameters& parameters, Bytes bytes);
/// A or B as it is sent.
[[nodiscard]] Buffer to_send(const Parameters& parameters, const Residue& share);
/// Errc::malformed unless 0 < share < N in at most group_size bytes, in the mode's order; at Proton unless
/// 1 < share < N - 1 in exactly group_size bytes.
[[nodiscard]] Result<Residue> decode_share(const Parameters& parameters, Bytes bytes);

// The steps with their secret exponents given, as the vectors have them.
[[nodiscard]] Result<ClientStart> start_with(const Parameters& parameters, Bytes I, Bytes P, SecretBuffer a);
[[nodiscard]] Result<ServerResponse> respond_with(const Verifier& verifier, Bytes I, GuessPermit permit, Bytes A,
                                                  SecretBuffer b);
[[nodiscard]] Result<ServerChallenge> challenge_with(const Verifier& verifier, Bytes I, GuessPermit permit,
                                                     SecretBuffer b);

}  // namespace pake::srp
