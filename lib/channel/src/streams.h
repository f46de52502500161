// Private to the room: the streams of a channel and the credit that bounds them. docs/wire.md, section 9. Knows neither
// records nor time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/channel/event.h"
#include "pake/channel/keys.h"
#include "stream.h"
#include "stream_frame.h"

namespace pake::channel {

inline constexpr std::size_t kMaxStreams = 256;
inline constexpr std::uint32_t kSharedWindow = 4U << 20U;  // credit of a channel beyond what each stream has of its own

class Streams {
 public:
  explicit Streams(Role role) noexcept : role_(role) {}

  // The application's side: documented at Channel's functions of the same names.
  [[nodiscard]] Result<StreamId> open(Bytes service, Bytes argument);
  [[nodiscard]] Status write(StreamId id, Bytes bytes) noexcept;
  [[nodiscard]] Bytes unsent(StreamId id) const noexcept;
  [[nodiscard]] Bytes withdraw(StreamId id) noexcept;
  [[nodiscard]] Status finish(StreamId id) noexcept;
  void reset(StreamId id, ResetCode code) noexcept;
  void release(StreamId id) noexcept;
  [[nodiscard]] Bytes unread(StreamId id) const noexcept;
  void consume(StreamId id, std::size_t size) noexcept;
  [[nodiscard]] std::size_t buffered() const noexcept;

  // The peer's side.

  /// Applies what a frame changes. Errc::malformed when the peer may not send it.
  [[nodiscard]] Status apply(const StreamFrame& frame);
  /// What a frame, once applied, means to the application. The bytes of DATA are read where they are until
  /// `buffer_unread`.
  [[nodiscard]] std::optional<Event> event_of(const StreamFrame& frame);
  /// The record at hand goes: what of its DATA was shown last and is unread moves into its stream's buffer.
  void buffer_unread();
  [[nodiscard]] std::optional<Event> next_written() noexcept;
  /// The peer has closed the channel: each call resets one of the streams that this cut.
  [[nodiscard]] std::optional<Event> next_cut() noexcept;

  // This side's frames.

  /// Has the peer told of all credit that it is not told of yet, however little. False if there is none.
  bool tell_credit() noexcept;

  /// Puts as many frames as there are or fit: control frames, then DATA and FIN of each stream in turn.
  void fill(StreamFrameWriter& writer);
  [[nodiscard]] bool has_frames() const noexcept { return control_.front() != nullptr || data_.front() != nullptr; }
  /// Whether any bytes of the application's wait, for their turn or for credit.
  [[nodiscard]] bool has_unsent() const noexcept { return writing_ != 0; }

  /// Every stream is gone: the channel has failed.
  void clear() noexcept;

 private:
  using Table = std::vector<std::unique_ptr<Stream>>;  // in the order of their numbers

  /// The client opens odd numbers, the server even ones.
  [[nodiscard]] static std::size_t opener_of(StreamId id) noexcept { return id % 2; }
  [[nodiscard]] std::size_t own_numbers() const noexcept { return role_ == Role::client ? 1 : 0; }

  [[nodiscard]] Table::const_iterator lower_bound(StreamId id) const noexcept;
  [[nodiscard]] Stream* find(StreamId id) const noexcept;
  Stream& add(StreamId id);
  void erase_if_over(Stream& stream) noexcept;

  void schedule(Stream& stream) noexcept;
  void stop_sending(Stream& stream) noexcept;
  void demand_reset(Stream& stream, ResetCode code) noexcept;
  void drop_unread(Stream& stream) noexcept;
  void shrink(Stream& stream) noexcept;
  void grant(Stream& stream, std::uint32_t taken) noexcept;
  void tell_credit(Stream& stream, std::uint32_t due) noexcept;

  [[nodiscard]] Status apply_open(const StreamFrame& frame);
  [[nodiscard]] Status apply_data(Stream& stream, std::size_t size) noexcept;
  [[nodiscard]] Status apply_window(Stream& stream, std::uint32_t increment) noexcept;
  void apply_fin(Stream& stream) noexcept;
  void apply_reset(Stream& stream) noexcept;

  [[nodiscard]] static bool put_control(Stream& stream, StreamFrameWriter& writer) noexcept;
  [[nodiscard]] bool put_data(Stream& stream, StreamFrameWriter& writer) noexcept;

  Role role_;
  std::array<StreamId, 2> last_number_{};  // the highest that was ever opened, of each side's numbers
  std::uint32_t pool_used_ = 0;            // of kSharedWindow
  std::array<std::uint16_t, 2> open_{};    // streams that count, by who opened them
  std::uint16_t unreleased_ = 0;
  std::uint16_t writing_ = 0;  // streams whose to_send is not empty
  Table table_;

  struct {
    Stream* stream = nullptr;
    Bytes bytes;
  } current_;  // DATA shown and unread, still in the record at hand

  StreamQueue<&Stream::in_control> control_;  // has OPEN, WINDOW or RESET to send
  StreamQueue<&Stream::in_data> data_;        // has DATA within its credit, or FIN, to send
  StreamQueue<&Stream::in_written> written_;  // the application is to be told
};

}  // namespace pake::channel
