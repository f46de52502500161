#include "files/message_stream.h"

#include <algorithm>
#include <utility>

#include "network/problems.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::cli::files {

using pake::files::Message;
using pake::files::MessageHeader;

namespace {

constexpr std::size_t kLargestMessage = MessageHeader::kSize + pake::files::kMaxBody;
constexpr std::size_t kBufferSize = 4 * kLargestMessage;

}  // namespace

Problem broken_rules() {
  return {.exit_code = kExitProtocol, .error = "the other side sent what has no place in this transfer: it was ended"};
}

Problem another_version() {
  return {.exit_code = kExitProtocol,
          .error = "the other side does not speak this version of the transfer of files",
          .hint = "install the same version of pake on both sides"};
}

MessageStream::MessageStream(std::unique_ptr<net::Stream> stream)
    : stream_(std::move(stream)), buffers_{std::make_shared<Buffer>(kBufferSize)}, buffer_(buffers_.front()) {}

// Behind `begin_` for the largest message. What somebody holds is not written over.
void MessageStream::make_room() {
  constexpr long kOurs = 2;
  const bool is_held = buffer_.use_count() > kOurs;
  if (begin_ == end_ && !is_held) begin_ = end_ = 0;
  if (kBufferSize - begin_ >= kLargestMessage) return;
  auto next = buffer_;
  if (is_held) {
    const auto free = std::ranges::find_if(buffers_, [](const auto& buffer) { return buffer.use_count() == 1; });
    next = free != buffers_.end() ? *free : buffers_.emplace_back(std::make_shared<Buffer>(kBufferSize));
  }
  std::ranges::copy(Bytes(*buffer_).subspan(begin_, end_ - begin_), next->begin());
  buffer_ = std::move(next);
  end_ -= std::exchange(begin_, 0);
}

// How many bytes came; 0 at the end.
net::Awaitable<Expected<std::size_t>> MessageStream::fill() {
  make_room();
  const auto count = co_await stream_->read_some(MutableBytes(*buffer_).subspan(end_), net::kNever);
  if (!count && count.error() == net::Error::Kind::closed) co_return std::size_t{0};
  if (!count && count.error() == net::Error::Kind::reset &&
      count.error().reset_code == channel::ResetCode::no_such_service)
    co_return std::unexpected(another_version());
  if (!count) co_return std::unexpected(stream_ended(count.error()));
  end_ += *count;
  co_return *count;
}

net::Awaitable<Expected<std::optional<Message>>> MessageStream::read() {
  for (;;) {
    const auto there = Bytes(*buffer_).subspan(begin_, end_ - begin_);
    if (there.size() >= MessageHeader::kSize) {
      const auto header = MessageHeader::decode(there.first<MessageHeader::kSize>());
      if (!header) co_return std::unexpected(broken_rules());
      if (there.size() >= MessageHeader::kSize + header->length) {
        begin_ += MessageHeader::kSize + header->length;
        auto message = pake::files::decode(header->type, there.subspan(MessageHeader::kSize, header->length));
        if (!message) co_return std::unexpected(broken_rules());
        co_return std::move(*message);
      }
    }
    PAKE_CO_TRY(const auto count, co_await fill());
    if (count != 0) continue;
    if (begin_ != end_) co_return std::unexpected(broken_rules());
    co_return std::nullopt;
  }
}

net::Awaitable<Expected<Message>> MessageStream::read_message() {
  PAKE_CO_TRY(auto message, co_await read());
  if (!message) co_return std::unexpected(channel_cut());
  co_return std::move(*message);
}

net::Awaitable<Expected<void>> MessageStream::write(Bytes encoded) {
  const auto sent = co_await stream_->write_all(encoded, net::kNever);
  if (!sent) co_return std::unexpected(stream_ended(sent.error()));
  co_return Expected<void>();
}

net::Awaitable<Expected<void>> MessageStream::write(const Message& message) {
  const auto encoded = pake::files::encode(message);
  co_return co_await write(encoded);
}

void MessageStream::end() { stream_->shutdown_write(); }

net::Awaitable<Expected<void>> MessageStream::drain() {
  for (;;) {
    begin_ = end_ = 0;
    PAKE_CO_TRY(const auto count, co_await fill());
    if (count == 0) co_return Expected<void>();
  }
}

}  // namespace pake::cli::files
