// Private to the room: one stream, and the lists that streams stand in.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/channel/event.h"

namespace pake::channel {

inline constexpr std::uint32_t kInitialStreamWindow = 16'384;  // of a stream, each way

/// Bytes in the order in which they came; holds no memory while it is empty.
class ByteQueue {
 public:
  [[nodiscard]] Bytes unread() const noexcept { return Bytes(bytes_).subspan(begin_); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// Takes no more memory than `limit`, which the caller has made sure is enough.
  void append(Bytes bytes, std::size_t limit);
  void consume(std::size_t size) noexcept;
  void clear() noexcept;

 private:
  Buffer bytes_;
  std::size_t begin_ = 0;
};

struct Stream;

struct StreamLinks {
  Stream* previous = nullptr;
  Stream* next = nullptr;
  bool linked = false;
};

/// RFC 9000, section 3.1. `ready` and `data_recvd` are not told apart from their neighbours: the transport below loses
/// nothing.
enum class SendState : std::uint8_t {
  send,        // the application may write
  finishing,   // it has ended its side: FIN is due, behind what is still to be sent
  data_sent,   // FIN is sent
  reset_sent,  // a RESET is sent, and no FIN before it
};

/// RFC 9000, section 3.2.
enum class RecvState : std::uint8_t {
  recv,         // more may come
  size_known,   // the peer's FIN is read
  reset_recvd,  // the peer's RESET is read, and no FIN before it
};

/// This side's RESET: it ends what is sent, unless FIN has, and says that nothing more is taken.
enum class ResetState : std::uint8_t { none, due, sent };

struct Stream {
  explicit Stream(StreamId number) noexcept : id(number) {}

  StreamId id;

  // What this side sends.
  Buffer opening;                                    // the payload of the OPEN that is due
  Bytes to_send;                                     // the application's bytes, until all are taken
  std::uint32_t send_credit = kInitialStreamWindow;  // how many the peer takes
  std::uint32_t window_due = 0;                      // credit of the peer's that it has not been told of
  SendState send = SendState::send;
  ResetState reset = ResetState::none;
  ResetCode reset_code = ResetCode::cancelled;

  // What the peer sends.
  ByteQueue buffer;                             // what the application was shown and did not take at once
  std::uint32_t held = 0;                       // bytes that came and are not taken: the buffer, and the record at hand
  std::uint32_t credit = kInitialStreamWindow;  // bytes that may come; held + credit <= window
  std::uint32_t window = kInitialStreamWindow;  // what exceeds kInitialStreamWindow is of the channel's pool
  std::uint32_t taken_since_growth = 0;
  RecvState recv = RecvState::recv;
  bool peer_has_reset = false;  // it takes no more

  bool released = false;  // the application is done with it
  bool counts = true;     // it is open, by docs/wire.md

  StreamLinks in_control, in_data, in_written;

  [[nodiscard]] bool own_side_ended() const noexcept {
    return send == SendState::data_sent || send == SendState::reset_sent;
  }
  [[nodiscard]] bool peers_side_ended() const noexcept { return recv != RecvState::recv; }
  /// What comes is dropped.
  [[nodiscard]] bool discards_input() const noexcept {
    return released || reset != ResetState::none || recv == RecvState::reset_recvd;
  }
  [[nodiscard]] bool has_something_to_send() const noexcept {
    return to_send.empty() ? send == SendState::finishing : send_credit != 0;
  }
  /// Whether the application may write or finish, as far as it goes itself.
  [[nodiscard]] bool accepts_writes() const noexcept {
    return !released && reset == ResetState::none && send == SendState::send;
  }
};

/// Streams in a row, each at most once; it owns none.
template <StreamLinks Stream::* kLinks>
class StreamQueue {
 public:
  [[nodiscard]] Stream* front() const noexcept { return front_; }

  void push_back(Stream& stream) noexcept {
    auto& links = stream.*kLinks;
    if (links.linked) return;
    links = {.previous = back_, .next = nullptr, .linked = true};
    (back_ == nullptr ? front_ : (back_->*kLinks).next) = &stream;
    back_ = &stream;
  }

  void remove(Stream& stream) noexcept {
    auto& links = stream.*kLinks;
    if (!links.linked) return;
    (links.previous == nullptr ? front_ : (links.previous->*kLinks).next) = links.next;
    (links.next == nullptr ? back_ : (links.next->*kLinks).previous) = links.previous;
    links = {};
  }

 private:
  Stream* front_ = nullptr;
  Stream* back_ = nullptr;
};

}  // namespace pake::channel
