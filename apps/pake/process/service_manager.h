// systemd, if it runs the program: sd_notify(3) and sd_listen_fds(3), whose protocols are a datagram and two
// variables.
#pragma once

#include <string_view>
#include <vector>

namespace pake::cli {

/// "READY=1", "RELOADING=1", "STOPPING=1", "STATUS=...", several on lines of their own. Does nothing without a manager.
void tell_service_manager(std::string_view state);

/// RELOADING=1 with the time that Type=notify-reload asks for.
void tell_service_manager_of_reload();

/// The sockets that were handed in, close-on-exec; once: the variables are unset. None if they are another process's.
/// Before there is a second thread.
[[nodiscard]] std::vector<int> take_handed_sockets();

}  // namespace pake::cli
