// A blocking wait on a descriptor that another thread can end.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "process/unique_fd.h"

namespace pake::cli {

class Stoppable {
 public:
  /// Throws std::system_error if no descriptor is left.
  Stoppable() : stopped_(::eventfd(0, EFD_CLOEXEC)) {
    if (stopped_.get() < 0) throw std::system_error(errno, std::generic_category());
  }

  /// Waits until `fd` is ready for `events` (POLLIN or POLLOUT), or broken. False, with errno, when stopped (ECANCELED)
  /// or when that cannot be waited for.
  [[nodiscard]] bool wait(int fd, short events) const {
    for (;;) {
      std::array<pollfd, 2> ready = {
          {{.fd = fd, .events = events, .revents = 0}, {.fd = stopped_.get(), .events = POLLIN, .revents = 0}}};
      if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return false;
      if (ready[1].revents != 0) {
        errno = ECANCELED;
        return false;
      }
      if (ready[0].revents != 0) return true;
    }
  }

  void stop() const { static_cast<void>(::eventfd_write(stopped_.get(), 1)); }
  /// Readable once it is stopped.
  [[nodiscard]] int stop_fd() const noexcept { return stopped_.get(); }
  [[nodiscard]] bool is_stopped() const {
    pollfd stopped{.fd = stopped_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&stopped, 1, 0) > 0;
  }

 private:
  UniqueFd stopped_;
};

}  // namespace pake::cli
