// The words of a drawing, the same in each of its forms; and whatever a trace holds, made harmless for it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "draw/run.h"
#include "pake/base/bytes.h"
#include "trace/frame.h"

namespace pake::cli::draw {

struct DrawOptions {
  bool eavesdropper = false;  // a third lifeline
};

/// Text for XML and HTML, in content and in quoted attributes: at most `most` characters, printable, on one line.
[[nodiscard]] std::string shown(std::string_view text, std::size_t most);
/// Bytes in hex, in groups of four; at most `most` of them, and how many more there are.
[[nodiscard]] std::string hex(Bytes bytes, std::size_t most);
/// "1 byte", "16,384 bytes".
[[nodiscard]] std::string size_text(std::uint64_t bytes);
/// "0.19 ms", "2.34 s".
[[nodiscard]] std::string time_text(std::uint64_t us);

struct KindWords {
  trace::Kind kind;
  std::string_view name;     // as traces call it
  std::string_view meaning;  // for the legend
};
[[nodiscard]] const std::array<KindWords, 4>& kinds() noexcept;
[[nodiscard]] std::string_view meaning_of(trace::Kind kind) noexcept;

struct Parties {
  std::string_view client, server;
};
[[nodiscard]] Parties parties_of(const Run& run) noexcept;

/// The bytes of `field`.
[[nodiscard]] Bytes bytes_of(const trace::Frame& frame, const trace::Field& field) noexcept;
/// Its name, what it says if that is in clear, and its size.
[[nodiscard]] std::string label_of(const trace::Frame& frame, const trace::Field& field, std::size_t most);

/// What else is to be known of a field; empty if there is nothing.
[[nodiscard]] std::string_view note_of(const trace::Field& field) noexcept;
/// The length of the field behind it: in the list of bytes, and nowhere else.
[[nodiscard]] bool is_length(const trace::Field& field) noexcept;

/// "client to server"
[[nodiscard]] std::string way_of(const Run& run, const trace::Frame& frame);
/// A message as a sentence, for who does not see the picture.
[[nodiscard]] std::string sentence(const Run& run, const trace::Frame& frame, std::size_t number);
/// What is not drawn, as sentences; empty if there is nothing to say.
[[nodiscard]] std::string remarks(const Run& run);
/// What the run is called.
[[nodiscard]] std::string heading(const Run& run);

}  // namespace pake::cli::draw
