// Private to the room: what the parts of a channel over a stream share. Used in channel_link.cpp alone.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "pake/channel/channel.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/signal.h"
#include "pake/net/stream.h"

namespace pake::net {

/// Streams and coroutines hold it.
struct LinkBase : std::enable_shared_from_this<LinkBase> {
  LinkBase(Loop& of, std::unique_ptr<Stream> stream, channel::ChannelKeys keys, channel::Role role,
           channel::KeyCache& cache)
      : loop(of), transport(std::move(stream)), channel(std::move(keys), role, cache, Clock::now()) {}

  Loop& loop;
  std::unique_ptr<Stream> transport;
  channel::Channel channel;
  std::optional<Error> error;  // what happened to the transport, if that ended the channel
  Signal writer_gone{loop};    // also: its deadline has changed

  LinkBase(const LinkBase&) = delete;
  LinkBase& operator=(const LinkBase&) = delete;
  virtual ~LinkBase() = default;

  /// Something may have to be sent.
  virtual void wake_writer() = 0;

  void lost(const Error& why) {
    if (!error) error = why;
    static_cast<void>(channel.end_of_input());  // `end` says it
  }
  void tick() {
    channel.tick(Clock::now());
    if (channel.end() == channel::EndReason::unanswered) transport->reset(channel::ResetCode::cancelled);
    wake_writer();
  }
  void close(channel::CloseCode code, Deadline deadline) {
    channel.close(code, deadline);
    wake_writer();
    transport->interrupt();  // both wait until a deadline that may be too late now
    writer_gone.notify();
  }
};

}  // namespace pake::net
