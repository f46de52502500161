#include "process/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "process/unique_fd.h"

namespace pake::cli {
namespace {

constexpr int kFirstHanded = 3;  // SD_LISTEN_FDS_START
constexpr int kMostHanded = 256;

// Digits alone, as sd_listen_fds has it; -1 for anything else.
int number_of(const char* variable) {
  const char* const text = ::getenv(variable);  // NOLINT(concurrency-mt-unsafe): before any thread
  if (text == nullptr) return -1;
  const char* const end = text + std::strlen(text);
  int number = -1;
  const auto [stopped, error] = std::from_chars(text, end, number);
  return error == std::errc() && stopped == end ? number : -1;
}

}  // namespace

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

std::vector<int> take_handed_sockets() {
  const auto process = number_of("LISTEN_PID");
  const auto count = number_of("LISTEN_FDS");
  for (const char* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
    ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  std::vector<int> sockets;
  if (process != ::getpid() || count > kMostHanded) return sockets;
  for (int fd = kFirstHanded; fd < kFirstHanded + count; ++fd)
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) sockets.push_back(fd);
  return sockets;
}

}  // namespace pake::cli
