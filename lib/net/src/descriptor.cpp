#include "descriptor.h"

#include <asio/redirect_error.hpp>
#include <utility>

#include "pake/net/coroutine.h"

namespace pake::net {

Awaitable<Outcome<void>> Descriptor::ready(Direction direction, Deadline deadline) {
  const bool reading = direction == Direction::wait_read;
  if (reading && std::exchange(interrupted_, false)) co_return fail(Error::Kind::interrupted);
  Wait wait(loop_, deadline, [this] {
    asio::error_code ignored;
    descriptor_.cancel(ignored);
  });
  auto& listed = reading ? reading_ : writing_;
  listed = &wait;
  asio::error_code error = asio::error::operation_aborted;
  // An abort that is not ours was meant for the other direction: wait on.
  while (error == asio::error::operation_aborted && !wait.ended())
    co_await descriptor_.async_wait(direction, asio::redirect_error(kUseAwaitable, error));
  listed = nullptr;
  if (error && !wait.ended()) co_return std::unexpected(from_errno(error.value()));
  co_return wait.outcome();
}

Outcome<void> Descriptor::may_go_on() {
  if (std::exchange(interrupted_, false)) return fail(Error::Kind::interrupted);
  if (loop_.is_cancelled()) return fail(Error::Kind::cancelled);
  return {};
}

void Descriptor::interrupt() {
  if (reading_)
    reading_->end(Error::Kind::interrupted);
  else
    interrupted_ = true;
}

void Descriptor::abandon() {
  if (reading_) reading_->end(Error::Kind::interrupted);
  if (writing_) writing_->end(Error::Kind::interrupted);
}

}  // namespace pake::net
