// Private to the room: what stands inside a Data record. docs/wire.md, section 9.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "pake/base/bytes.h"
#include "pake/base/result.h"

namespace pake::channel {

enum class StreamFrameType : std::uint8_t {  // on the wire: never renumber
  open = 1,
  data = 2,
  fin = 3,
  reset = 4,
  window = 5,
  ping = 6,
  pong = 7,
  ticket = 8,
};

inline constexpr std::size_t kStreamFrameHeaderSize = 8;
inline constexpr std::size_t kMaxOpenSize = 1280;
inline constexpr std::size_t kPingSize = 8;

/// A frame whose length is in its type's row and whose stream is 0 exactly where it must be. Views of the record.
struct StreamFrame {
  StreamFrameType type;
  std::uint32_t stream;
  Bytes payload;
};

/// Takes the first frame off `plaintext`, which is not empty; Errc::malformed when there is none.
[[nodiscard]] Result<StreamFrame> take_stream_frame(Bytes& plaintext) noexcept;

/// The payload of a WINDOW.
[[nodiscard]] std::uint32_t decode_u32(Bytes payload) noexcept;

/// Puts frames one behind the other into the plaintext of a record.
class StreamFrameWriter {
 public:
  explicit StreamFrameWriter(MutableBytes plaintext) noexcept : plaintext_(plaintext) {}

  /// False, and nothing done, if the frame does not fit.
  [[nodiscard]] bool put(StreamFrameType type, std::uint32_t stream, std::initializer_list<Bytes> payload) noexcept;
  [[nodiscard]] bool put_u32(StreamFrameType type, std::uint32_t stream, std::uint32_t value, Bytes rest = {}) noexcept;

  /// How long the payload of the next frame may be.
  [[nodiscard]] std::size_t room() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  MutableBytes plaintext_;
  std::size_t size_ = 0;
};

}  // namespace pake::channel
