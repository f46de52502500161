// One transfer over one channel after another: what is common to both sides.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "pake/base/secret.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "process/problem.h"

namespace pake::cli::files {

/// By what both sides know each other again after a cut: docs/files.md, section 6. Both come from the channel's
/// exporter; the selector is public, the secret takes the code's place.
struct Continuation {
  std::string selector;
  SecretBuffer secret;
};
[[nodiscard]] Continuation continuation_of(const net::ChannelLink& link);

/// How it ended over one channel.
struct ChannelResult {
  Expected<void> outcome;
  bool is_cut = false;  // by the network: it may go on in another channel
};

using Work = std::function<net::Awaitable<Expected<void>>(std::shared_ptr<net::ChannelLink>)>;

/// Runs the channel and `work` over it, and closes it behind that. Streams that the other side opens are refused once
/// `work` has ended; until then they are its own.
[[nodiscard]] net::Awaitable<ChannelResult> run_channel(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                        Work work);

/// Refuses whatever stream the other side still opens.
[[nodiscard]] net::Awaitable<void> refuse_streams(std::shared_ptr<net::ChannelLink> link);

}  // namespace pake::cli::files
