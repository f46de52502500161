// `pake lab crack`: a recorded run of the protocol of 1992 opened from outside.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "pake/proto/eke/rsa_eke.h"

namespace pake::cli::lab {

enum class Modes : std::uint8_t { both, gcm, cbc };

struct CrackOptions {
  std::optional<std::string> recording;
  std::optional<std::string> words;
  std::optional<std::string> state;
  std::optional<std::string> output;  // a plot
  std::size_t connection = 0;         // 0: the first of which something can be made
  std::size_t threads;
  std::size_t runs = 20;
  Modes modes = Modes::both;
  bool without_words = false;
  bool word_only = false;
  bool no_pem = false;
  bool json = false;
  CrackOptions();
};

/// Returns the exit code: 0 if the word, or with `without_words` Ks, was found; 1 if not.
[[nodiscard]] int crack(const CrackOptions& options);

}  // namespace pake::cli::lab
