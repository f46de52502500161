// A channel over a stream: carries its records, and gives each of its streams the face of a connection.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/channel/channel.h"
#include "pake/channel/client_handshake.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// How long a side that has closed waits for the peer's Close unless it says otherwise.
inline constexpr std::chrono::seconds kCloseTimeout{30};

/// How a channel over a stream ended.
struct LinkEnd {
  channel::EndReason end;
  std::optional<Error> transport;                     // what happened to the stream beneath, if that ended it
  std::optional<channel::Alert> alert;                // what an Alert in place of a first record said
  std::optional<channel::CloseCode> peer_close = {};  // with what the peer closed, done or going away
};

/// A stream that the peer opened. Who does not serve it says why by `stream->reset(code)`.
struct AcceptedStream {
  std::string service;
  Buffer argument;
  std::unique_ptr<Stream> stream;
};

/// A ticket that the server has lent, with what belongs to it.
struct LentTicket {
  std::uint32_t lifetime;  // seconds
  channel::StoredTicket stored;
};

/// Belongs to one loop and is touched by its thread alone. It reads into a buffer of 64 bytes, which grows while it
/// is busy; after 15 s of silence it is that small again. A second after the last that was sent, the write buffer is
/// gone.
class ChannelLink {
 public:
  /// What a handshake leaves, beside the channel's keys.
  struct Leftover {
    Buffer to_send;  // client: the ClientFinish, which leaves in one segment with what streams have to send at `run`
    Buffer arrived;  // server: records that came behind it
  };

  /// @param cache  of the loop; it outlives the link and its streams
  ChannelLink(Loop& loop, std::unique_ptr<Stream> stream, channel::ChannelKeys keys, channel::Role role,
              channel::KeyCache& cache, Leftover leftover);
  ChannelLink(const ChannelLink&) = delete;
  ChannelLink& operator=(const ChannelLink&) = delete;
  /// After `run` has returned, or if it was never called. Streams may outlive it: they are cut.
  ~ChannelLink();

  /// Carries records until the channel has ended. Ends when both sides have closed, at the deadline of `close`,
  /// or when the peer is gone. If the loops are cancelled, the channel is cut. Called once more, while the first call
  /// runs or after it, it carries nothing and ends with what the first one ends with.
  [[nodiscard]] Awaitable<LinkEnd> run();

  /// Opens a stream; before `run` too, and what is written then rides with the first segment. Of the
  /// stream: read_some gives Error::closed at the peer's FIN, Error::reset, with the peer's code, when it broke the
  /// stream off, or without one when the channel has ended; write_all returns when the last byte has been sealed;
  /// shutdown_write sends FIN; the end of its life breaks off what was not finished.
  /// @return the errors of channel::Channel::open
  [[nodiscard]] Result<std::unique_ptr<Stream>> open(std::string_view service, Bytes argument = {});

  /// The next stream that the peer opens. Error::closed when none will come: the peer has closed, or the
  /// channel has ended.
  [[nodiscard]] Awaitable<Outcome<AcceptedStream>> accept(Deadline deadline);

  /// The service of the stream that `accept` returns next: it stays there. The errors of `accept`.
  [[nodiscard]] Awaitable<Outcome<std::string>> next_service(Deadline deadline);

  /// In place of `accept`, for who keeps many channels: no coroutine waits. Each stream is given to `take` as it comes,
  /// and Error::closed, the last, when none will come (at the latest before `run` returns). `take` does not end the
  /// life of the link.
  void accept_each(std::function<void(Outcome<AcceptedStream>)> take);

  /// Lends the client a ticket that goes with this channel's resumption secret.
  /// @return the errors of channel::Channel::send_ticket
  [[nodiscard]] Status send_ticket(std::uint32_t lifetime, Bytes ticket);

  /// Keying material bound to this channel, the same at both ends; for applications, and for what pake derives.
  /// @return the errors of channel::Channel::export_keying_material
  [[nodiscard]] Status export_keying_material(std::string_view label, Bytes context, MutableBytes out) const;
  [[nodiscard]] Status export_keying_material(channel::InternalLabel label, Bytes context, MutableBytes out) const;

  /// What belongs to a ticket that travels in this channel: to be sealed into it.
  [[nodiscard]] const channel::ResumptionSecret& resumption_secret() const noexcept;

  /// The last ticket that the server has lent, once; while the channel runs or after it.
  [[nodiscard]] std::optional<LentTicket> take_ticket();

  // The end of a channel. A Close `done` promises that what had come until then was delivered, so a peer's Close is
  // never answered on its own: whoever uses the link says one of the following, and until it does the peer waits (it
  // hears a sign of life every 15 s).
  //
  //   the side that ends:   when it has delivered what came (read to the FIN, written, closed):     link.close(done)
  //   the side that hears:  accept() gives Error::closed, streams are read to their end, then:      link.delivered()
  //   either side, if what came could not be written or stored: link.delivery_failed()

  /// With what the peer has closed; nothing before. A client closes as well when a server goes away.
  [[nodiscard]] std::optional<channel::CloseCode> peer_close() const;

  /// All that has come, and all that will, is delivered as far as this side goes. The peer's Close, come or to come, is
  /// answered with `done`.
  void delivered();

  /// What came could not be delivered: closes at once with CloseCode::not_delivered. At the peer `run` ends with
  /// EndReason::not_delivered, here as it ends otherwise.
  void delivery_failed();

  /// Closes the channel: `done` and `going_away` behind all that streams were given, the other codes at once. `run`
  /// then returns when the peer has closed as well, or at the deadline with EndReason::unanswered. Another call may set
  /// an earlier one.
  void close(channel::CloseCode code, Deadline deadline = after(kCloseTimeout));

  /// Ends everything now: the transport is reset, `run` returns with EndReason::aborted, streams are cut.
  void abort();

 private:
  class PAKE_HIDDEN Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace pake::net

PAKE_EXPORT_END
