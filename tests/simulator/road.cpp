#include "road.h"

#include <algorithm>
#include <utility>

namespace pake::channel::simulator {
namespace {

constexpr std::size_t kSlowPiece = 400;  // a tenth of a second

}  // namespace

Instant Road::arrival_of_what_leaves(Instant now) {
  const auto jitter = std::chrono::milliseconds(draw_.below(static_cast<std::size_t>(weather_.jitter.count()) + 1));
  const auto tact = std::chrono::duration_cast<Instant::duration>(weather_.tact);
  const auto exact = (now + weather_.latency + jitter).time_since_epoch();
  last_arrival_ = std::max(last_arrival_, Instant((exact / tact + (exact % tact != exact.zero() ? 1 : 0)) * tact));
  return last_arrival_;
}

void Road::put(Bytes bytes, Instant now) {
  if (is_ended_) return;
  under_way_ += bytes.size();
  while (!bytes.empty()) {
    const auto largest = is_slow() ? kSlowPiece : weather_.largest_piece;
    const auto most = largest == 0 ? bytes.size() : std::min(largest, bytes.size());
    const auto size = largest == 0 || is_slow() ? most : draw_.between(1, most);
    auto at = arrival_of_what_leaves(now);
    if (is_slow()) last_arrival_ = at += std::chrono::milliseconds(size * 1'000 / kSlowRate);
    pieces_.push_back({.at = at, .bytes = to_buffer(bytes.first(size))});
    sent_ += size;
    bytes = bytes.subspan(size);
  }
}

void Road::end(Ending ending, Instant now) {
  if (std::exchange(is_ended_, true)) return;
  if (ending == Ending::silence) return;
  if (ending == Ending::rst) {
    pieces_.clear();
    under_way_ = 0;
  }
  pieces_.push_back({.at = arrival_of_what_leaves(now), .bytes = {}});
}

Instant Road::next_arrival() const noexcept { return pieces_.empty() ? Instant::max() : pieces_.front().at; }

Road::Arrival Road::arrive(Instant now) {
  Arrival arrival;
  while (next_arrival() <= now) {
    const auto piece = std::move(pieces_.front());
    pieces_.pop_front();
    under_way_ -= piece.bytes.size();
    arrival.bytes.insert(arrival.bytes.end(), piece.bytes.begin(), piece.bytes.end());
    arrival.is_end = piece.bytes.empty();
  }
  delivered_.insert(delivered_.end(), arrival.bytes.begin(), arrival.bytes.end());
  return arrival;
}

}  // namespace pake::channel::simulator
