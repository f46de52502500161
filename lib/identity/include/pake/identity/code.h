// Short codes that one person reads out and another types.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::identity {

inline constexpr std::size_t kWordCount = 1024;

/// The project's words, sorted: ten bits each. Every pair differs by two edits or more and in its Soundex code.
[[nodiscard]] std::span<const std::string_view, kWordCount> words() noexcept;

/// A code as it enters the key: `word-word-NN` in lower-case ASCII, 12 to 20 bytes.
using Code = SecretBuffer;

/// A fresh code: two words and a number from 10 to 99, uniform, hence 26 bits. One wrong guess must end it.
/// The words are looked up by secret indices: timing is not hidden from someone who measures this process.
[[nodiscard]] Code generate_code(Rng& rng);

/// The code that someone typed: letters of either case; words and number apart by hyphens or spaces, in any number,
/// also around them.
/// @return the form that enters the key, or Errc::malformed when it has not this shape or a word is not on the list: a
/// typing error,
///         found before any guess is spent. At most 64 bytes are looked at; more is malformed.
[[nodiscard]] Result<Code> parse_code(Bytes typed);

}  // namespace pake::identity

PAKE_EXPORT_END
