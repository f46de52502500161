// systemd, if it runs the program: sd_notify(3), whose protocol is a datagram.
#pragma once

#include <string_view>

namespace pake::cli {

/// "READY=1", "RELOADING=1", "STOPPING=1", "STATUS=...", several on lines of their own. Does nothing without a manager.
void tell_service_manager(std::string_view state);

/// RELOADING=1 with the time that Type=notify-reload asks for.
void tell_service_manager_of_reload();

}  // namespace pake::cli
