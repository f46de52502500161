#include "ready_set.h"

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "descriptor.h"

namespace pake::net {
namespace {

epoll_event event_of(ReadySet::Place place, std::uint32_t events) noexcept {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.u64 = std::uint64_t{place.generation} << 32 | place.index;
  return event;
}

}  // namespace

ReadySet::ReadySet(asio::io_context& io) : set_(io) {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  set_.assign(set);
  listen();
}

Outcome<ReadySet::Place> ReadySet::add(Descriptor& descriptor, std::uint32_t events) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  const Place place{.index = free_.back(), .generation = entries_[free_.back()].generation};
  auto event = event_of(place, events);
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, descriptor.fd(), &event) != 0)
    return std::unexpected(from_errno(errno));
  free_.pop_back();
  entries_[place.index].descriptor = &descriptor;
  return place;
}

Outcome<void> ReadySet::change(Place place, std::uint32_t events) {
  auto event = event_of(place, events);
  if (::epoll_ctl(set_.native_handle(), EPOLL_CTL_MOD, entries_[place.index].descriptor->fd(), &event) != 0)
    return std::unexpected(from_errno(errno));
  return {};
}

// Closing the descriptor takes it out of the kernel's set, unless a child that is about to exec has a copy of it.
void ReadySet::remove(Place place) noexcept {
  auto& entry = entries_[place.index];
  entry.descriptor = nullptr;
  if (++entry.generation == 0) ++entry.generation;
  free_.push_back(place.index);
}

void ReadySet::listen() {
  set_.async_wait(decltype(set_)::wait_read, [this](const asio::error_code& error) {
    if (error) return;
    tell();
    listen();
  });
}

void ReadySet::tell() {
  constexpr std::size_t kAtOnce = 128;
  std::array<epoll_event, kAtOnce> events{};
  const int count = ::epoll_wait(set_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (std::size_t i = 0; count > 0 && i < static_cast<std::size_t>(count); ++i) {
    const auto& entry = entries_[events[i].data.u64 & 0xffff'ffff];
    if (entry.descriptor != nullptr && entry.generation == events[i].data.u64 >> 32)
      entry.descriptor->has_become(events[i].events);
  }
}

}  // namespace pake::net
