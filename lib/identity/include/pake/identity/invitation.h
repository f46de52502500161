// Invitation codes: SELECTOR-word-word-word-word.
#pragma once

#include <cstddef>
#include <string>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::identity {

inline constexpr std::size_t kSelectorSize = 7;
inline constexpr std::size_t kInvitationWords = 4;

/// An invitation code in its parts. The selector is public: it says in clear which invitation is meant. The words are
/// the secret, 40 bits, and enter the key of CPace.
struct InvitationCode {
  std::string selector;  // kSelectorSize decimal digits, the first not zero
  SecretBuffer words;    // `word-word-word-word` in lower-case ASCII

  /// `SELECTOR-word-word-word-word`, as it is printed.
  [[nodiscard]] SecretBuffer text() const;
};

/// A fresh code: selector and words are uniform and independent. The caller draws again when the selector is taken.
/// The words are looked up by secret indices: timing is not hidden from someone who measures this process.
[[nodiscard]] InvitationCode generate_invitation_code(Rng& rng);

/// The code that someone typed: letters of either case; selector and words apart by hyphens or spaces, in any number,
/// also around them, and a line end behind.
/// @return Errc::malformed when it has not this shape or a word is not on the list: a typing error, found before any
///         guess is spent. At most 128 bytes are looked at; more is malformed.
[[nodiscard]] Result<InvitationCode> parse_invitation_code(Bytes typed);

/// Whether `selector` has the form of one; a server asks this of a selector on the wire.
[[nodiscard]] bool is_selector(Bytes selector) noexcept;

}  // namespace pake::identity

PAKE_EXPORT_END
