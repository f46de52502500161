// The same words tried on a recording of today's protocols: every one fits.
#pragma once

#include <string>
#include <string_view>

#include "lab/recording.h"
#include "pake/crypto/group.h"

namespace pake::cli::lab {

/// What the client's first message shows of a password or code, and what a word would have to do with it.
class ChannelGuess {
 public:
  /// A sentence that says why, if the run has no password or code in it.
  [[nodiscard]] static std::expected<ChannelGuess, std::string> of(const ChannelRun& run);

  /// Whether the message may have been made of `word`: whether the group has a generator, or a hash, for the word, of
  /// which the element on the wire is a multiple. In a group of prime order each element is a multiple of each other.
  [[nodiscard]] bool fits(std::string_view word) const;

  [[nodiscard]] bool is_code() const noexcept { return kind_ == channel::HandshakeKind::code; }
  /// The element on the wire, in hex.
  [[nodiscard]] const std::string& element() const noexcept { return element_; }

 private:
  ChannelGuess() = default;
  channel::HandshakeKind kind_{};
  crypto::GroupId group_{};
  Buffer CI_;
  Buffer sid_;
  std::string element_;
};

}  // namespace pake::cli::lab
