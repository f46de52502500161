// What both sides do once the channel stands: stdin goes to the other side, what comes from there goes to stdout.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "process/blocking_file.h"
#include "process/problem.h"

namespace pake::cli::pipe {

/// The service by which the dialling side opens the pipe.
inline constexpr const char* kService = "pipe";

/// stdin and stdout, each with its thread.
struct StandardFiles {
  explicit StandardFiles(net::Loop& loop) : in(loop, STDIN_FILENO), out(loop, STDOUT_FILENO) {}
  BlockingFile in, out;
};

/// Comes before a code is shown or tried: a conversation that cannot begin for want of a file, thread, descriptor or
/// memory costs no code.
[[nodiscard]] Expected<std::shared_ptr<StandardFiles>> take_standard_files(net::Loop& loop);

/// What stdin and stdout are taken for.
enum class Style : std::uint8_t {
  by_terminal,  // lines if there is a terminal, bytes otherwise
  bytes,        // bytes, even at a terminal
};

/// What becomes of streams that the other side opens beside the pipe. It outlives the conversation.
struct OtherStreams {
  std::function<bool(net::AcceptedStream&)> take = {};  // false, or not given: refused
  std::function<bool()> are_busy = {};                  // the channel is not to be closed yet; half a minute at most
  std::function<bool()> takes_no_more = {};  // whoever is behind the pipe: asked at its end, which then ends stdin too
};

/// Carries both ways until both have ended, then closes the channel. At a terminal stdin is read in lines, with editing
/// and history, and what comes is made harmless; otherwise both are bytes. The end of stdin is this side's FIN; at the
/// other side's FIN stdout is closed.
/// @param stream  the pipe (docs/wire.md, section 13), or null if the other side opens it
/// @return a problem unless everything arrived, was written, and the close was authenticated
[[nodiscard]] net::Awaitable<Expected<void>> converse(net::Loop& loop, std::shared_ptr<StandardFiles> files,
                                                      std::shared_ptr<net::ChannelLink> link,
                                                      std::unique_ptr<net::Stream> stream,
                                                      Style style = Style::by_terminal, OtherStreams others = {});

}  // namespace pake::cli::pipe
