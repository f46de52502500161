// Private to the room: a channel's state. Apart from channel.cpp only so that tests can begin next to its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <utility>

#include "pake/channel/channel.h"
#include "pake/channel/frame.h"
#include "pake/channel/record.h"
#include "pake/channel/suite.h"
#include "stream_frame.h"
#include "streams.h"

namespace pake::channel {

class Channel::Impl {
 public:
  Impl(ChannelKeys keys, Role role, KeyCache& cache, Instant now)
      : role_(role),
        sealer_(cache, keys.aead, std::move(role == Role::client ? keys.client : keys.server)),
        opener_(cache, keys.aead, std::move(role == Role::client ? keys.server : keys.client)),
        exporter_secret_(std::move(keys.exporter_secret)),
        resumption_secret_(std::move(keys.resumption_secret)),
        streams_(role),
        last_record_(now),
        last_sent_(now) {}

  Result<std::size_t> receive(MutableBytes incoming, Instant now);
  std::optional<Event> next_event();
  std::size_t produce(MutableBytes out, Instant now);
  bool wants_to_send() const noexcept;
  Status end_of_input() noexcept;
  void tick(Instant now) noexcept;
  Instant deadline() const noexcept;
  void close(CloseCode code, Instant deadline) noexcept;
  void abort() noexcept;
  Status send_ticket(std::uint32_t lifetime, Bytes ticket);

  /// Whether the application may still send; the error that says why not.
  Status can_send() const noexcept;

 private:
  friend class Channel;
  friend struct ChannelTestAccess;

  enum class Ping : std::uint8_t { none, due, sent };

  std::optional<Errc> failure() const noexcept;
  std::unexpected<Errc> fail_with(EndReason end, std::optional<CloseCode> close = std::nullopt) noexcept;

  std::unexpected<Errc> receive_alert(Bytes body) noexcept;
  Status receive_close(CloseCode code) noexcept;
  Status apply(Bytes plaintext);
  Status apply_to_channel(const StreamFrame& frame) noexcept;
  std::optional<Event> event_of(const StreamFrame& frame);

  std::size_t produce_record(MutableBytes room);
  std::size_t seal(FrameType type, MutableBytes room, std::size_t plaintext_size);
  void fill(StreamFrameWriter& writer);
  bool has_frames() const noexcept;
  bool closes_at_once() const noexcept;
  bool may_close() const noexcept;
  bool owes_sign_of_life() const noexcept;

  Role role_;
  RecordSealer sealer_;
  RecordOpener opener_;
  ExporterSecret exporter_secret_;
  ResumptionSecret resumption_secret_;
  Streams streams_;
  Bytes undelivered_;  // the frames of the record at hand that the application has not been told of

  std::optional<EndReason> end_;
  std::optional<Alert> alert_;
  std::optional<CloseCode> close_due_;
  Instant close_deadline_ = Instant::max();
  bool close_sent_ = false;
  std::optional<CloseCode> close_read_;
  bool close_told_ = false;

  Instant last_record_;
  Instant last_sent_;
  bool heard_since_sent_ = false;  // more than PING and PONG
  Ping ping_ = Ping::none;
  std::optional<std::array<std::uint8_t, kPingSize>> pong_due_;
  std::unique_ptr<const Buffer> ticket_due_;  // the payload of a TICKET
};

}  // namespace pake::channel
