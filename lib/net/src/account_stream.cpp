#include "pake/net/account_stream.h"

#include <cstddef>
#include <utility>

#include "pake/net/coroutine.h"

namespace pake::net {

Awaitable<Outcome<channel::AccountMessage>> AccountStream::read(Deadline deadline) {
  arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  consumed_ = 0;
  for (;;) {
    auto found = channel::leading_account_message(arrived_);
    if (!found) co_return fail(Error::Kind::run_failed);
    if (*found) {
      consumed_ = (*found)->size;
      co_return std::move((*found)->message);
    }
    const auto have = arrived_.size();
    arrived_.resize(have + channel::kMaxAccountMessageSize);
    const auto count = co_await stream_->read_some(MutableBytes(arrived_).subspan(have), deadline);
    arrived_.resize(have + count.value_or(0));
    if (!count) co_return std::unexpected(count.error());
  }
}

Awaitable<Outcome<void>> AccountStream::write(Buffer message, Deadline deadline) {
  co_return co_await stream_->write_all(message, deadline);
}

}  // namespace pake::net
