// `pake lab residues`: the active attack on the paper's own form of RSA-EKE, where the side that has the key sends its
// modulus in clear (Patel 1997; MacKenzie, Patel and Swaminathan 2000).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "lab/guess.h"
#include "lab/words.h"
#include "pake/base/bytes.h"
#include "pake/crypto/power_residues.h"
#include "pake/net/address.h"

namespace pake::cli::lab {

struct ResiduesOptions {
  net::Address address;
  std::optional<std::string> words;
  std::optional<std::string> output;
  std::size_t runs = 40;
  CipherMode mode = CipherMode::gcm;
  bool json = false;
};

/// Returns the exit code: 0 if one word is left, 1 if several are, or none.
[[nodiscard]] int residues(const ResiduesOptions& options);

/// The words that no run has ruled out.
///
/// The attacker sends its own modulus, of whose numbers few are cubes, and random bytes for the encrypted exponent. C
/// decrypts them to some e and answers E_pw(R^e mod n). A word that gives an exponent divisible by 3 promises a cube:
/// if the answer, decrypted under it, is none, the word is wrong. A third of the words makes that promise, and all but
/// one in 3^8 of the wrong ones break it.
class Sieve {
 public:
  Sieve(const Words& words, CipherMode mode);

  /// @param encrypted_e  the cipher blocks that were sent as E_pw(e)
  /// @param encrypted_c  those that came back as E_pw(c)
  void observe(const crypto::CubeModulus& modulus, Bytes encrypted_e, Bytes encrypted_c);

  [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
  /// Numbers in the list.
  [[nodiscard]] const std::vector<std::size_t>& words_left() const noexcept { return left_; }

 private:
  const Words& words_;
  CipherMode mode_;
  std::vector<std::size_t> left_;
};

/// The words that are to be expected after some runs, computed from the modulus: 1 + (words - 1) (1 - 1/3 (1 -
/// 3^-8))^runs.
[[nodiscard]] double expected_left(std::size_t words, std::size_t runs);

/// 1 if an exponent, made odd as C makes it, is divisible by 3.
[[nodiscard]] bool is_divisible_by_3(Bytes exponent) noexcept;

}  // namespace pake::cli::lab
