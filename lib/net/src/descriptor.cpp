#include "descriptor.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <asio/async_result.hpp>
#include <asio/post.hpp>
#include <utility>

#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {

Descriptor::~Descriptor() {
  if (place_.generation != 0) loop_.ready_set().remove(place_);
  ::close(fd_);
}

Outcome<void> Descriptor::watch(Direction direction) {
  constexpr std::uint32_t kToRead = EPOLLIN | EPOLLPRI | EPOLLRDHUP;
  const auto wanted = watched_ | (direction == Direction::read ? kToRead : std::uint32_t{EPOLLOUT});
  if (wanted == watched_) return {};
  if (place_.generation != 0) {
    PAKE_TRYV(loop_.ready_set().change(place_, wanted));
  } else {
    PAKE_TRY(place_, loop_.ready_set().add(*this, wanted));
  }
  watched_ = wanted;
  return {};
}

Awaitable<Outcome<void>> Descriptor::ready(Direction direction, Deadline deadline) {
  if (direction == Direction::read && std::exchange(interrupted_, false)) co_return fail(Error::Kind::interrupted);
  if (direction == Direction::read && std::exchange(has_news_, false)) co_return Outcome<void>();
  PAKE_CO_TRYV(watch(direction));
  auto& own = waiter(direction);
  Wait wait(loop_, deadline, [&] { wake(own); });
  if (!wait.ended()) {
    own.wait = &wait;
    co_await asio::async_initiate<const asio::use_awaitable_t<LoopExecutor>&, void()>(
        [&](auto handler) { own.waker = std::move(handler); }, kUseAwaitable);
    own.wait = nullptr;
  }
  co_return wait.outcome();
}

void Descriptor::wake(Waiter& waiter) {
  if (auto waker = std::exchange(waiter.waker, {})) asio::post(loop_.io(), std::move(waker));
}

void Descriptor::has_become(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP | EPOLLPRI)) != 0) has_bytes_alone_ = false;
  const bool is_for_reader = (events & ~EPOLLOUT) != 0;
  if (is_for_reader) has_news_ = true;
  // Both before either is called: whoever goes on may let this object go.
  auto reader = is_for_reader ? std::exchange(reader_.waker, {}) : Waker();
  auto writer = (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 ? std::exchange(writer_.waker, {}) : Waker();
  if (reader) reader();
  if (writer) writer();
}

Outcome<void> Descriptor::may_go_on() {
  if (std::exchange(interrupted_, false)) return fail(Error::Kind::interrupted);
  if (loop_.is_cancelled()) return fail(Error::Kind::cancelled);
  return {};
}

void Descriptor::interrupt() {
  if (reader_.wait != nullptr)
    reader_.wait->end(Error::Kind::interrupted);
  else
    interrupted_ = true;
}

void Descriptor::abandon() {
  for (auto* const wait : {reader_.wait, writer_.wait})
    if (wait != nullptr) wait->end(Error::Kind::interrupted);
}

}  // namespace pake::net
