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

/// Where the modes differ.
struct Convention {
  bool pads_k, pads_u;  // PAD(g) in k, PAD(A) and PAD(B) in u; or MIN
  bool pads_g_in_M1;    // H(PAD(g)), or H(MIN(g))
  bool pads_shares;     // A and B are sent, and hashed in M1 and M2, as PAD; or as MIN
  bool sends_padded;    // what is sent is PAD even where MIN is hashed
  bool has_name_in_x;
  bool is_srp3;  // no k, u of B alone, the interleaved hash
};
[[nodiscard]] const Convention& convention(Mode mode) noexcept;

/// The octets of a number without leading zeros. Their count becomes public: the documents hash so many.
[[nodiscard]] Bytes MIN(Bytes number) noexcept;
/// Left-padded to `size`; longer ones are cut from MIN(number), which the caller has checked.
[[nodiscard]] SecretBuffer PAD(Bytes number, std::size_t size);

[[nodiscard]] const crypto::ModularGroup& modular(Group group);
[[nodiscard]] Residue generator(Group group);

//   k = H(N | PAD(g)), or H(N | MIN(g)); 1 in SRP-3
[[nodiscard]] Digest compute_k(const Parameters& parameters);
//   x = H(s | H(I | ":" | P)), or H(s | H(":" | P))
[[nodiscard]] Digest compute_x(const Parameters& parameters, Bytes I, Bytes P, Bytes s);
//   u = H(PAD(A) | PAD(B)), or H(MIN(A) | MIN(B)); the first 4 octets of H(MIN(B)) in SRP-3
[[nodiscard]] Digest compute_u(const Parameters& parameters, Bytes A, Bytes B);
//   A = g^a % N
[[nodiscard]] Residue compute_A(const Parameters& parameters, Bytes a);
//   B = (k*v + g^b) % N
[[nodiscard]] Residue compute_B(const Parameters& parameters, const Residue& v, Bytes b);
//   S = (B - k*g^x)^(a + u*x) % N
[[nodiscard]] Residue client_S(const Parameters& parameters, const Residue& B, Bytes x, Bytes a, Bytes u);
//   S = (A * v^u)^b % N
[[nodiscard]] Residue server_S(const Parameters& parameters, const Residue& A, const Residue& v, Bytes u, Bytes b);
//   K = H(MIN(S)), or SHA_Interleave(S)
using SessionKeyK = SecretUpTo<64, struct SrpKeyTag>;
[[nodiscard]] SessionKeyK compute_K(const Parameters& parameters, Bytes S);
[[nodiscard]] SessionKeyK sha_interleave(Bytes S);

//   M1 = H((H(N) XOR H(g)) | H(I) | s | A | B | K)
[[nodiscard]] Digest compute_M1(const Parameters& parameters, Bytes I, Bytes s, Bytes A, Bytes B, Bytes K);
//   M2 = H(A | M1 | K)
[[nodiscard]] Digest compute_M2(const Parameters& parameters, Bytes A, Bytes M1, Bytes K);

/// A or B as it is sent.
[[nodiscard]] Buffer to_send(const Parameters& parameters, const Residue& share);
/// Errc::malformed unless 0 < share < N in at most group_size bytes.
[[nodiscard]] Result<Residue> decode_share(const Parameters& parameters, Bytes bytes);

// The steps with their secret exponents given, as the vectors have them.
[[nodiscard]] Result<ClientStart> start_with(const Parameters& parameters, Bytes I, Bytes P, SecretBuffer a);
[[nodiscard]] Result<ServerResponse> respond_with(const Verifier& verifier, Bytes I, GuessPermit permit, Bytes A,
                                                  SecretBuffer b);
[[nodiscard]] Result<ServerChallenge> challenge_with(const Verifier& verifier, Bytes I, GuessPermit permit,
                                                     SecretBuffer b);

}  // namespace pake::srp
