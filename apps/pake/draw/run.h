// What is drawn: the first messages of a trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "process/problem.h"
#include "trace/frame.h"

namespace pake::cli::draw {

/// One trace. Whatever texts its frames have came from the file.
struct Run {
  std::string title;
  std::string protocol;
  trace::Role role = trace::Role::client;  // of the program that wrote it
  std::vector<trace::Frame> frames;        // each has its fields
  std::uint64_t not_drawn = 0;             // further frames of the file, and those that the file was too full for
  bool is_cut = false;                     // the file ends in the middle of a line
};

/// @param most  frames to keep
/// @return what is wrong with the text, and in which line
[[nodiscard]] std::expected<Run, std::string> parse_run(std::string_view text, std::string title, std::size_t most);

/// `path` is read whole, up to 256 MiB.
[[nodiscard]] Expected<Run> read_run(const std::string& path, std::size_t most);

/// True for a message from the one who connects to the one who waits.
[[nodiscard]] bool goes_to_server(const Run& run, const trace::Frame& frame) noexcept;

}  // namespace pake::cli::draw
