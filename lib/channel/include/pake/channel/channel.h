// A channel once its handshake is over: records on one side, streams on the other. docs/wire.md, sections 8 to 10.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/channel/alert.h"
#include "pake/channel/event.h"
#include "pake/channel/key_cache.h"
#include "pake/channel/keys.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// A point of the driver's steady clock. It is handed in: the channel never asks.
using Instant = std::chrono::steady_clock::time_point;

inline constexpr std::chrono::seconds kPingAfter{15};    // without a record of the peer, or without one to it
inline constexpr std::chrono::seconds kGiveUpAfter{45};  // the same

/// How a channel ended.
enum class EndReason : std::uint8_t {
  closed,         // both sides said so and meant no harm: nothing was cut off
  cut,            // the transport ended before the peer's Close
  silent,         // 45 s without a record
  refused,        // an Alert in place of the server's first record: Channel::alert
  not_authentic,  // a record did not open
  violation,      // the peer broke the rules
  peer_failed,    // the peer closed with rules_broken or internal_error
  exhausted,      // 2^48 records
  not_delivered,  // the peer could not pass on what it was sent
  unanswered,     // this side closed, and by the deadline that it had set the peer had not
  aborted,        // Channel::abort
};

/// The enumerator's name, for logs.
[[nodiscard]] std::string_view to_string(EndReason end) noexcept;

/// One channel, both directions; no I/O. The driver hands in what arrives and sends what comes out; the application
/// reads and writes streams. Bytes are copied once on their way out, into the driver's buffer, and not at all on their
/// way in if the application takes them as they come. Whatever the peer does, the channel holds no more than 8 MiB of
/// its bytes (256 * 16 KiB + 4 MiB); an idle one holds none. Not thread-safe.
///
/// The driver, whenever bytes have arrived:
///
///     while (!bytes.empty()) {
///       const auto taken = channel.receive(bytes, now);      // one record at a time
///       if (!taken || *taken == 0) break;                    // over; or the record is not whole yet: keep the bytes
///       while (auto event = channel.next_event()) ...        // tell the application
///       bytes = bytes.subspan(*taken);
///     }
///
/// and after anything that happened: while `wants_to_send()`, `produce` into a buffer, drain `next_event`, send.
class Channel {
 public:
  /// @param keys   what the handshake derived
  /// @param cache  of the loop that drives the channel; it outlives the channel
  Channel(ChannelKeys keys, Role role, KeyCache& cache, Instant now);
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;
  ~Channel();

  // The driver's side.

  /// Opens the record at the start of `incoming`, in place. The bytes stay where they are until `next_event` has been
  /// asked to the end: events show views of them.
  /// @return the record's size, or 0: it is not whole yet (a record has at most kMaxRecordSize bytes), or the peer's
  ///         Close has been read. An error is final, `end` says why, and nothing of the record is handed up:
  ///         Errc::malformed, auth_failed, unavailable, exhausted. Errc::misuse, not final, while events are left.
  [[nodiscard]] Result<std::size_t> receive(MutableBytes incoming, Instant now);

  /// The next thing to know; nothing when the application knows all. Ask after `receive` and after `produce`. Views
  /// given before end here.
  [[nodiscard]] std::optional<Event> next_event();

  /// At least this many bytes must be offered to `produce`.
  static constexpr std::size_t kMinOutput = 2048;

  /// Fills `out` with whole records: control frames first, then each stream with something to send in turn.
  /// @return how many bytes to send; 0 when nothing is due
  [[nodiscard]] std::size_t produce(MutableBytes out, Instant now);

  [[nodiscard]] bool wants_to_send() const noexcept;

  /// The transport gives no more bytes.
  /// @return Errc::unavailable, and the channel is over, unless the peer's Close has been read
  [[nodiscard]] Status end_of_input() noexcept;

  /// Time has passed: may demand a ping or a sign of life, or end the channel (EndReason::silent, unanswered). Hand in
  /// what has arrived first.
  void tick(Instant now) noexcept;
  /// When `tick` should be called next.
  [[nodiscard]] Instant deadline() const noexcept;

  /// With what the peer has closed; nothing before. What came before it was handed up first.
  [[nodiscard]] std::optional<CloseCode> peer_close() const noexcept;
  /// How the channel ended; nothing while it runs. A failed channel may still have its Close to send.
  [[nodiscard]] std::optional<EndReason> end() const noexcept;
  /// What the server said instead of its first record, if `end` is EndReason::refused. Nobody has vouched for it.
  [[nodiscard]] std::optional<Alert> alert() const noexcept;

  /// Closes the channel: `done` and `going_away` once what `write` was given has been sent, as far as the peer takes
  /// it; the other codes at once. Streams can no longer be opened, written or finished; what the peer sends until its
  /// own Close is still handed up. A peer's Close is answered by this call alone: it says whether what came was
  /// delivered. Until the Close is sent, a second call may still turn `done` or `going_away` into another code.
  /// @param deadline  when `tick` ends the channel (EndReason::unanswered) if the peer has not closed by then; a second
  ///                  call may set an earlier one
  void close(CloseCode code, Instant deadline = Instant::max());

  /// The channel is over at once (EndReason::aborted) and sends nothing more. Does nothing when it is over already.
  void abort() noexcept;

  // The application's side. What names a stream that is gone does nothing, or is Errc::misuse.

  /// Opens a stream; no round trip, and `write` may follow at once.
  /// @param service   up to 255 bytes; with `argument` up to 1,279
  /// @return Errc::misuse after `close` or for sizes beyond these; Errc::exhausted while 256 streams
  ///         are open or unreleased; Errc::unavailable when the channel is over or closed by the peer
  [[nodiscard]] Result<StreamId> open(Bytes service, Bytes argument = {});

  /// Hands over bytes to be sent. They are not copied: they must stay until Written, WasReset, `withdraw`, `reset`,
  /// `release` or the channel's end.
  /// @return Errc::misuse while the last ones are not written, or after `finish`, `reset`, `release`, `close`;
  ///         Errc::unavailable when the peer has reset the stream, or the channel is over or closed by the peer
  [[nodiscard]] Status write(StreamId stream, Bytes bytes);
  /// What of them is still to be sent.
  [[nodiscard]] Bytes unsent(StreamId stream) const noexcept;
  /// Takes it back: there will be no Written.
  [[nodiscard]] Bytes withdraw(StreamId stream) noexcept;

  /// Ends this side of the stream, behind what `write` was given. Errors as those of `write`.
  [[nodiscard]] Status finish(StreamId stream);

  /// Breaks the stream off, both ways.
  void reset(StreamId stream, ResetCode code) noexcept;

  /// The application is done with the stream and runs nothing for it any more: each stream needs this once. Breaks off
  /// what was not finished.
  void release(StreamId stream) noexcept;

  /// The first bytes that have come and are not consumed; empty when there are none. The view lives until the next call
  /// of `consume`, `next_event` or `receive`.
  [[nodiscard]] Bytes unread(StreamId stream) const noexcept;
  /// Says that the first `size` bytes of `unread` are taken, which lets the peer send more.
  void consume(StreamId stream, std::size_t size) noexcept;

  /// Lends the client a ticket (1 to 1,024 bytes). Errc::misuse at the client, for another size, or while one is
  /// waiting.
  [[nodiscard]] Status send_ticket(std::uint32_t lifetime, Bytes ticket);
  /// What belongs to a ticket that travels in this channel.
  [[nodiscard]] const ResumptionSecret& resumption_secret() const noexcept;

  /// Keying material bound to this channel, the same at both ends: docs/wire.md, section 6. For applications, whatever
  /// label they or their users choose. Errc::misuse for more than 16,320 bytes, or a label or a context over 65,535.
  [[nodiscard]] Status export_keying_material(std::string_view label, Bytes context, MutableBytes out) const noexcept;
  /// The same for what pake itself derives: no label of an application's meets one of these.
  [[nodiscard]] Status export_keying_material(InternalLabel label, Bytes context, MutableBytes out) const noexcept;

  /// How many bytes of the peer's the channel holds, of all streams.
  [[nodiscard]] std::size_t buffered() const noexcept;

 private:
  friend struct ChannelTestAccess;
  class PAKE_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::channel

PAKE_EXPORT_END
