// A record is made or replaced inside a channel: what enroll and passwd have in common.
#pragma once

#include <memory>

#include "pake/base/rng.h"
#include "pake/client/record.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "pake/net/workers.h"
#include "process/problem.h"

namespace pake::cli::login {

/// One thread for the stretching. Taken before anything is sent.
[[nodiscard]] Expected<std::unique_ptr<net::Workers>> take_stretcher();

/// Runs the channel, makes the record in it, and closes it. What the arguments refer to outlives this.
[[nodiscard]] net::Awaitable<Expected<client::RecordMade>> make_record(net::Loop& loop, net::Workers& workers, Rng& rng,
                                                                       std::shared_ptr<net::ChannelLink> link,
                                                                       client::NewRecord record);

}  // namespace pake::cli::login
