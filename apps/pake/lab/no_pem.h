// What a run would betray if the key went as two bare numbers, without PEM and DER: partitions (Bellovin and Merritt
// 1992, Section 2.4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guess.h"
#include "lab/words.h"
#include "pake/base/bytes.h"
#include "process/problem.h"

namespace pake::cli::lab {

/// A modulus with a prime factor below this is taken for a wrong guess.
inline constexpr std::size_t kSmallFactors = 1000;

inline constexpr std::size_t kBareModulus = 128;  // 1,024 bits
inline constexpr std::size_t kBareExponent = 16;
inline constexpr std::size_t kBareKey = kBareModulus + kBareExponent;  // n || e, whole cipher blocks

[[nodiscard]] bool has_odd_exponent(Bytes bare_key) noexcept;
/// 1,024 bits, and no prime factor below kSmallFactors.
[[nodiscard]] bool has_fitting_modulus(Bytes bare_key) noexcept;

/// The share of random moduli that has_fitting_modulus takes beside its highest and its lowest bit: the product of
/// 1 - 1/p over the odd primes below kSmallFactors.
[[nodiscard]] double share_without_small_factors() noexcept;

/// How many words are left after some runs, and how many are to be expected.
struct Left {
  std::size_t odd = 0;  // where the exponent alone betrays a guess
  double expected_odd = 0;
  std::size_t both = 0;  // exponent and modulus
  double expected_both = 0;
};

/// Makes `runs` runs under `word`, each with a fresh key of 1,024 bits, and holds all words against them.
/// @return after 0, 1, ..., runs runs
[[nodiscard]] Expected<std::vector<Left>> partition_without_pem(const Words& words, std::string_view word,
                                                                CipherMode mode, std::size_t runs);

[[nodiscard]] Expected<void> write_plot(const std::string& path, const std::vector<Left>& partition, CipherMode mode);

}  // namespace pake::cli::lab
