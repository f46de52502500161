#include "stream_frame.h"

#include <algorithm>
#include <array>

#include "pake/base/reader.h"
#include "pake/channel/messages.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

struct Row {
  std::size_t min_size, max_size;
  bool of_a_stream;
};

constexpr std::array kRows = {
    Row{1, kMaxOpenSize, true},             // OPEN
    Row{1, 0xffffff, true},                 // DATA
    Row{0, 0, true},                        // FIN
    Row{1, 1, true},                        // RESET
    Row{4, 4, true},                        // WINDOW
    Row{kPingSize, kPingSize, false},       // PING
    Row{kPingSize, kPingSize, false},       // PONG
    Row{4 + 1, 4 + kMaxTicketSize, false},  // TICKET
};

std::array<std::uint8_t, 4> encode_u32(std::uint32_t value) noexcept {
  return {static_cast<std::uint8_t>(value >> 24U), static_cast<std::uint8_t>(value >> 16U),
          static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)};
}

}  // namespace

std::uint32_t decode_u32(Bytes payload) noexcept {
  return (std::uint32_t{payload[0]} << 24U) | (std::uint32_t{payload[1]} << 16U) | (std::uint32_t{payload[2]} << 8U) |
         payload[3];
}

Result<StreamFrame> take_stream_frame(Bytes& plaintext) noexcept {
  Reader reader(plaintext);
  PAKE_TRY(const auto type_and_length, reader.u32());
  PAKE_TRY(const auto stream, reader.u32());
  const auto type = type_and_length >> 24U;
  if (type == 0 || type > kRows.size()) return fail(Errc::malformed);
  const auto& row = kRows[type - 1];
  const std::size_t length = type_and_length & 0xffffffU;
  if (length < row.min_size || length > row.max_size || row.of_a_stream != (stream != 0)) return fail(Errc::malformed);
  PAKE_TRY(const auto payload, reader.take(length));
  plaintext = reader.rest();
  return StreamFrame{.type = static_cast<StreamFrameType>(type), .stream = stream, .payload = payload};
}

bool StreamFrameWriter::put(StreamFrameType type, std::uint32_t stream, std::initializer_list<Bytes> payload) noexcept {
  std::size_t length = 0;
  for (const auto part : payload) length += part.size();
  if (plaintext_.size() - size_ < kStreamFrameHeaderSize + length) return false;
  const auto append = [this](Bytes bytes) {
    std::copy(bytes.begin(), bytes.end(), plaintext_.subspan(size_).begin());  // std::ranges::copy is no memmove here
    size_ += bytes.size();
  };
  append(encode_u32((static_cast<std::uint32_t>(type) << 24U) | static_cast<std::uint32_t>(length)));
  append(encode_u32(stream));
  for (const auto part : payload) append(part);
  return true;
}

bool StreamFrameWriter::put_u32(StreamFrameType type, std::uint32_t stream, std::uint32_t value, Bytes rest) noexcept {
  return put(type, stream, {encode_u32(value), rest});
}

std::size_t StreamFrameWriter::room() const noexcept {
  const auto left = plaintext_.size() - size_;
  return left > kStreamFrameHeaderSize ? left - kStreamFrameHeaderSize : 0;
}

}  // namespace pake::channel
