#include "pake/net/frame_tap.h"

#include <utility>

#include "pake/channel/frame.h"
#include "pake/channel/record.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {
namespace {

class FrameTap final : public Stream {
 public:
  FrameTap(std::unique_ptr<Stream> stream, OnFrame on_frame)
      : stream_(std::move(stream)), on_frame_(std::move(on_frame)) {}

  Awaitable<Outcome<std::size_t>> read_some(MutableBytes into, Deadline deadline) override {
    PAKE_CO_TRY(const auto count, co_await stream_->read_some(into, deadline));
    follow(Direction::received, received_, into.first(count));
    co_return count;
  }

  Awaitable<Outcome<void>> write_all(Bytes bytes, Deadline deadline) override {
    PAKE_CO_TRYV(co_await stream_->write_all(bytes, deadline));
    follow(Direction::sent, sent_, bytes);
    co_return Outcome<void>();
  }

  Awaitable<Outcome<void>> wait_acknowledged(Deadline deadline) override {
    return stream_->wait_acknowledged(deadline);
  }
  void shutdown_write() noexcept override { stream_->shutdown_write(); }
  void reset(channel::ResetCode code) override { stream_->reset(code); }

  [[nodiscard]] bool has_peer_ended() noexcept override { return stream_->has_peer_ended(); }
  void interrupt() override { stream_->interrupt(); }
  [[nodiscard]] const Address& peer() const noexcept override { return stream_->peer(); }

 private:
  void follow(Direction direction, Buffer& pending, Bytes bytes) {
    using channel::FrameHeader;
    pending.insert(pending.end(), bytes.begin(), bytes.end());
    Bytes rest(pending);
    while (rest.size() >= FrameHeader::kSize) {
      const auto size = FrameHeader::kSize + FrameHeader::decode(rest.first<FrameHeader::kSize>()).length;
      if (size > channel::kMaxRecordSize) {
        rest = {};
        break;
      }
      if (rest.size() < size) break;
      on_frame_(direction, rest.first(size));
      rest = rest.subspan(size);
    }
    pending.erase(pending.begin(), pending.end() - static_cast<std::ptrdiff_t>(rest.size()));
  }

  std::unique_ptr<Stream> stream_;
  OnFrame on_frame_;
  Buffer sent_, received_;
};

}  // namespace

std::unique_ptr<Stream> tap_frames(std::unique_ptr<Stream> stream, OnFrame on_frame) {
  return std::make_unique<FrameTap>(std::move(stream), std::move(on_frame));
}

}  // namespace pake::net
