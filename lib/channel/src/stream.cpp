#include "stream.h"

#include <algorithm>

namespace pake::channel {
namespace {

constexpr std::size_t kGrowth = 8;  // the memory is promised to the peer anyway: better than copying often

}  // namespace

void ByteQueue::append(Bytes bytes, std::size_t limit) {
  if (bytes_.size() + bytes.size() > bytes_.capacity()) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
    const auto needed = bytes_.size() + bytes.size();
    if (needed > bytes_.capacity()) bytes_.reserve(std::max(needed, std::min(kGrowth * needed, limit)));
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void ByteQueue::consume(std::size_t size) noexcept {
  begin_ += size;
  if (begin_ == bytes_.size()) clear();
}

void ByteQueue::clear() noexcept {
  bytes_ = Buffer();
  begin_ = 0;
}

}  // namespace pake::channel
