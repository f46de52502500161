#include "process/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "process/unique_fd.h"

namespace pake::cli {

void tell_service_manager(std::string_view state) {
  const char* const path = ::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): nobody changes it
  sockaddr_un where{.sun_family = AF_UNIX, .sun_path = {}};
  if (path == nullptr || (*path != '/' && *path != '@') || std::strlen(path) >= sizeof where.sun_path) return;
  const auto length = std::strlen(path);
  std::memcpy(where.sun_path, path, length);
  if (where.sun_path[0] == '@') where.sun_path[0] = '\0';
  const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  static_cast<void>(::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&where),
                             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length)));
}

void tell_service_manager_of_reload() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  tell_service_manager(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                                   std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
}

}  // namespace pake::cli
