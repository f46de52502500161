// Private to the room: what comes from the transport goes through the channel. Used in channel_link.cpp alone.
#pragma once

#include <algorithm>
#include <utility>

#include "link_base.h"
#include "link_streams.h"
#include "pake/channel/record.h"

namespace pake::net {

/// Its buffer has 64 bytes, grows while it is busy, and is that small again after 15 s of silence. It has no coroutine
/// of its own: each waiting frame is memory of an idle channel.
class LinkReader {
 public:
  /// @param arrived  came with the handshake
  LinkReader(LinkBase& base, LinkStreams& streams, Buffer arrived)
      : base_(base), streams_(streams), input_(std::move(arrived)), arrived_(input_.size()) {}

  /// Takes what has come. False when the channel has ended or the peer has closed it; else `room` is to be read into.
  [[nodiscard]] bool goes_on() { return take_records() && !base_.channel.end() && !streams_.has_peer_closed(); }

  [[nodiscard]] MutableBytes room() {
    if (arrived_ == input_.size()) input_.resize(std::clamp(kGrowth * arrived_, kIdleInput, kBusyInput));
    return MutableBytes(input_).subspan(arrived_);
  }

  /// @param count  how the reading into `room` ended
  void has_read(const Outcome<std::size_t>& count) {
    if (count) {
      arrived_ += *count;
    } else if (count.error() == Error::Kind::timed_out) {
      base_.tick();
      if (arrived_ == 0) input_ = Buffer(kIdleInput);        // what has been silent for so long may stay so
    } else if (count.error() != Error::Kind::interrupted) {  // else: to wait until another deadline
      base_.lost(count.error());
    }
  }

 private:
  static constexpr std::size_t kIdleInput = 64;
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
    if (taken != 0 || !is_well) base_.wake_writer();
    return is_well;
  }

  LinkBase& base_;
  LinkStreams& streams_;
  Buffer input_;  // the first `arrived_` bytes of it have come
  std::size_t arrived_;
};

}  // namespace pake::net
