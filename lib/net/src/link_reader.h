// Private to the room: what comes from the transport goes through the channel. Used in channel_link.cpp alone.
#pragma once

#include <algorithm>
#include <utility>

#include "link_base.h"
#include "link_streams.h"
#include "pake/channel/record.h"
#include "pake/net/coroutine.h"

namespace pake::net {

/// Its buffer has 256 bytes, grows while it is busy, and is that small again after 15 s of silence.
class LinkReader {
 public:
  /// @param arrived  came with the handshake
  LinkReader(LinkBase& base, LinkStreams& streams, Buffer arrived)
      : base_(base), streams_(streams), input_(std::move(arrived)), arrived_(input_.size()) {}

  /// Until the channel has ended or the peer has closed it.
  Awaitable<void> run() {
    while (take_records() && !base_.channel.end() && !streams_.has_peer_closed()) {
      if (streams_.take_behind()) co_await base_.loop.yield();
      if (arrived_ == input_.size()) input_.resize(std::clamp(kGrowth * arrived_, kIdleInput, kBusyInput));
      const auto count =
          co_await base_.transport->read_some(MutableBytes(input_).subspan(arrived_), base_.channel.deadline());
      if (count) {
        arrived_ += *count;
      } else if (count.error() == Error::Kind::timed_out) {
        base_.tick();
        if (arrived_ == 0) input_ = Buffer(kIdleInput);        // what has been silent for so long may stay so
      } else if (count.error() != Error::Kind::interrupted) {  // else: to wait until another deadline
        base_.lost(count.error());
      }
    }
  }

 private:
  static constexpr std::size_t kIdleInput = 256;
  static constexpr std::size_t kBusyInput = 256 * 1024;
  static constexpr std::size_t kGrowth = 8;
  static_assert(kBusyInput >= channel::kMaxRecordSize);

  // Everything that is whole. False when the channel has failed.
  bool take_records() {
    std::size_t taken = 0;
    bool is_well = true;
    while (taken < arrived_) {
      const auto size = base_.channel.receive(MutableBytes(input_).subspan(taken, arrived_ - taken), Clock::now());
      is_well = size.has_value();
      if (!size || *size == 0) break;
      streams_.deliver();
      taken += *size;
    }
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(taken),
              input_.begin() + static_cast<std::ptrdiff_t>(arrived_), input_.begin());
    arrived_ -= taken;
    if (taken != 0 || !is_well) base_.write_wakeup.notify();
    return is_well;
  }

  LinkBase& base_;
  LinkStreams& streams_;
  Buffer input_;  // the first `arrived_` bytes of it have come
  std::size_t arrived_;
};

}  // namespace pake::net
