// The sender's side of a transfer, over as many channels as it takes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "files/report.h"
#include "pake/files/exchange.h"
#include "pake/files/source.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "process/blocking_file.h"
#include "process/problem.h"

namespace pake::cli::files {

/// What is sent, to one receiver. Shared by its coroutines.
struct Sendable {
  Sendable(pake::files::Source what, std::optional<std::string> text_to_send, std::shared_ptr<BlockingFile> standard_in,
           Report& to)
      : source(std::move(what)),
        text(std::move(text_to_send)),
        in(std::move(standard_in)),
        rules(source.entries),
        report(to) {}
  Sendable(const Sendable&) = delete;
  Sendable& operator=(const Sendable&) = delete;

  pake::files::Source source;
  std::optional<std::string> text;
  std::shared_ptr<BlockingFile> in;  // of a stream
  pake::files::SendingRules rules;
  Report& report;
  std::optional<pake::files::Summary> summary = {};  // the receiver's last word
  std::size_t unreadable = 0;                        // files that this side could not send
  bool is_begun = false;                             // a byte of the stream has been taken
  /// A stream is read once: it cannot go on in another channel.
  [[nodiscard]] bool can_continue() const { return !in || !is_begun; }
};

/// The first stream of a channel, which the receiver opens.
[[nodiscard]] net::Awaitable<Expected<net::AcceptedStream>> first_stream(std::shared_ptr<net::ChannelLink> link);

/// Over one channel, to the receiver's last word.
/// @param stream  that the receiver has opened for it
[[nodiscard]] net::Awaitable<Expected<void>> send_over(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                       net::AcceptedStream stream, std::shared_ptr<Sendable> what);

}  // namespace pake::cli::files
