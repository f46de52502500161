// Private to the room: what the channel has to send goes to the transport. Used in channel_link.cpp alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "link_base.h"
#include "link_streams.h"
#include "pake/channel/record.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {

/// A second after the last that was sent, its buffer is gone, and so is its coroutine until there is more to send.
class LinkWriter {
 public:
  /// @param first  to send before any record
  LinkWriter(LinkBase& base, LinkStreams& streams, Buffer first)
      : base_(base), streams_(streams), first_(std::move(first)), wakeup_(base.loop) {}

  /// Something may have to be sent. True if `run` is to be called for it.
  [[nodiscard]] bool wake() {
    if (state_ == State::running) wakeup_.notify();
    if (state_ != State::resting || (first_.empty() && !base_.channel.wants_to_send() && !base_.channel.end()))
      return false;
    state_ = State::running;
    return true;
  }

  /// Until there has been nothing to send for a second; and no more once the channel has ended and its Close is sent,
  /// or nobody takes anything more.
  Awaitable<void> run() {
    for (;;) {
      const auto sent = co_await send_what_is_due();
      if (!sent) {
        base_.lost(sent.error());
        base_.transport->interrupt();  // the reader
        break;
      }
      if (base_.channel.end()) {
        base_.transport->shutdown_write();
        base_.transport->interrupt();
        break;
      }
      const auto woken = co_await wakeup_.wait(after(kKeepOutput));
      if (woken) continue;
      if (woken.error() != Error::Kind::timed_out) break;  // cancelled, and so is the reader
      output_ = Buffer();
      state_ = State::resting;
      co_return;
    }
    state_ = State::gone;
    base_.writer_gone.notify();
  }

  /// Nothing more is sent.
  [[nodiscard]] bool is_gone() const noexcept { return state_ == State::gone; }

 private:
  static constexpr std::size_t kFirstOutput = 4096;
  static constexpr std::size_t kBusyOutput =
      7 * channel::kMaxRecordSize;                       // fewer or more cost more: docs/performance.md
  static constexpr std::chrono::seconds kKeepOutput{1};  // after the last that was sent
  static_assert(kFirstOutput >= channel::Channel::kMinOutput);

  Awaitable<Outcome<void>> send_what_is_due() {
    auto used = first_.size();
    while (used != 0 || base_.channel.wants_to_send()) {
      if (output_.size() < kFirstOutput + used) output_.resize(kFirstOutput + used);
      if (used != 0) std::ranges::copy(std::exchange(first_, {}), output_.begin());
      used += fill_output(used);
      if (streams_.take_written() && output_.size() == kBusyOutput) {
        co_await base_.loop.yield();  // what those who were told write now leaves in the same call
        used += fill_output(used);
      }
      const bool is_full = used + channel::Channel::kMinOutput > output_.size();
      // Slow is not dead: the deadline begins anew with every byte that the system takes.
      for (auto rest = Bytes(output_).first(used); !rest.empty();) {
        PAKE_CO_TRY(const auto count, co_await base_.transport->write_some(rest, after(channel::kGiveUpAfter)));
        rest = rest.subspan(count);
      }
      if (is_full) output_.resize(kBusyOutput);
      used = 0;
    }
    co_return Outcome<void>();
  }

  std::size_t fill_output(std::size_t used) {
    const auto size = base_.channel.produce(MutableBytes(output_).subspan(used), Clock::now());
    streams_.deliver();
    return size;
  }

  enum class State : std::uint8_t { resting, running, gone };

  LinkBase& base_;
  LinkStreams& streams_;
  Buffer first_;
  Buffer output_;  // records being sent
  Signal wakeup_;
  State state_ = State::resting;
};

}  // namespace pake::net
