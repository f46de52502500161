// OPRF: an oblivious pseudorandom function, RFC 9497, mode 0 (the server proves nothing; OPAQUE needs no more).
//
//   client                            server
//   blind(input)       -- blinded_element -->
//                     <-- evaluated_element --   blind_evaluate(key)
//   finalize(input, blind, evaluated_element)
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"

namespace pake::oprf {

/// An input may have at most this many bytes: it is hashed behind a length of two.
inline constexpr std::size_t kMaxInputSize = 65535;

/// contextString = "OPRFV1-" || 0x00 || "-" || identifier (RFC 9497, Section 3.1): 28, 20, 20 or 20 bytes, one of them
/// zero.
[[nodiscard]] Bytes context_string(crypto::GroupId suite) noexcept;

/// A private key and its public key.
struct KeyPair {
  crypto::Scalar sk;
  crypto::Element pk;
};

/// DeriveKeyPair (RFC 9497, Section 3.2.1). The seed may have any length (the RFC's own vectors do not keep to its
/// Ns bytes).
/// @return  Errc::misuse if `info` has more than 65,535 bytes
[[nodiscard]] Result<KeyPair> derive_key_pair(crypto::GroupId suite, Bytes seed, Bytes info);
/// DeriveKeyPair without the public key, which costs a multiplication.
[[nodiscard]] Result<crypto::Scalar> derive_private_key(crypto::GroupId suite, Bytes seed, Bytes info);

struct Blinded {
  crypto::Scalar blind;
  crypto::Element blinded_element;
};

/// Blind (RFC 9497, Section 3.3.1).
/// @return  Errc::misuse if `input` has more than kMaxInputSize bytes
[[nodiscard]] Result<Blinded> blind(crypto::GroupId suite, Bytes input, Rng& rng);

/// BlindEvaluate (RFC 9497, Section 3.3.1) with a key that is not zero.
[[nodiscard]] Result<crypto::Element> blind_evaluate(crypto::GroupId suite, const crypto::Scalar& key,
                                                     const crypto::Element& blinded_element);

/// Finalize (RFC 9497, Section 3.3.1): output_size of the suite's hash (64, 32, 48 or 64 bytes).
/// @return  Errc::misuse if `input` has more than kMaxInputSize bytes
[[nodiscard]] Result<crypto::Digest> finalize(crypto::GroupId suite, Bytes input, const crypto::Scalar& blind,
                                              const crypto::Element& evaluated_element);

}  // namespace pake::oprf
