#include "draw/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <utility>
#include <variant>

#include "pake/internal/try.h"
#include "process/unique_fd.h"
#include "terminal/escape.h"
#include "trace/channel_fields.h"

namespace pake::cli::draw {
namespace {

using trace::Frame;

constexpr std::size_t kMostRead = 256UL << 20U;
constexpr std::string_view kChannel = "pake/2";

Problem cannot_read(const std::string& path, const std::string& why) {
  return {.exit_code = kExitFailed, .error = fmt::format("cannot read {}: {}", escape(path), why)};
}

Expected<std::string> read_whole(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return std::unexpected(cannot_read(path, explain_errno(errno)));
  std::string text;
  std::array<char, 65536> chunk{};
  for (;;) {
    const auto count = ::read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(cannot_read(path, explain_errno(errno)));
    if (count == 0) return text;
    if (text.size() + static_cast<std::size_t>(count) > kMostRead)
      return std::unexpected(cannot_read(path, "it is larger than any trace"));
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
}

// What an older version did not write: the role, from who said hello, and the fields.
void complete(Run& run) {
  const auto has_role = std::ranges::find_if(run.frames, [](const Frame& frame) { return frame.role.has_value(); });
  const auto hello = std::ranges::find(run.frames, "client_hello", &Frame::name);
  if (has_role != run.frames.end())
    run.role = *has_role->role;
  else if (hello != run.frames.end() && hello->passed == trace::Passed::received)
    run.role = trace::Role::server;
  if (!run.frames.empty()) run.protocol = run.frames.front().protocol;
  if (run.protocol.empty() && hello != run.frames.end()) run.protocol = kChannel;
  std::map<std::uint64_t, trace::ChannelFields> fields;
  for (auto& frame : run.frames)
    if (run.protocol == kChannel && frame.fields.empty()) frame.fields = fields[frame.connection].of(frame.bytes);
}

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

std::expected<Run, std::string> parse_run(std::string_view text, std::string title, std::size_t most) {
  Run run;
  run.title = std::move(title);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const bool is_whole = text.find('\n') != std::string_view::npos;
    auto line = take_line(text);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    auto parsed = trace::parse_line(line);
    if (!parsed && !is_whole) {
      run.is_cut = true;
      break;
    }
    if (!parsed) return std::unexpected(fmt::format("line {} is not a line of a trace: {}", number, parsed.error()));
    if (const auto* const left_out = std::get_if<trace::LeftOut>(&*parsed))
      run.not_drawn += left_out->frames;
    else if (run.frames.size() < most)
      run.frames.push_back(std::move(std::get<Frame>(*parsed)));
    else
      ++run.not_drawn;
  }
  complete(run);
  return run;
}

Expected<Run> read_run(const std::string& path, std::size_t most) {
  PAKE_TRY(const auto text, read_whole(path));
  auto run = parse_run(text, path.substr(path.rfind('/') + 1), most);
  if (!run) return std::unexpected(cannot_read(path, run.error()));
  return std::move(*run);
}

bool goes_to_server(const Run& run, const Frame& frame) noexcept {
  return (run.role == trace::Role::client) == (frame.passed == trace::Passed::sent);
}

}  // namespace pake::cli::draw
