// An event as a line.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "pake/server/log.h"

namespace pake::server {

using LogTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// `2026-11-28T04:00:00.123Z info login user=alice source=192.0.2.7`, values with anything but printable ASCII, spaces,
/// quotes or `=` in quotes and escaped; or one JSON object with `time`, `level`, `event` and the fields.
[[nodiscard]] std::string log_line(LogFormat format, LogTime time, LogLevel level, std::string_view event,
                                   std::span<const LogField> fields);

[[nodiscard]] std::string_view to_string(LogLevel level) noexcept;
/// 2026-11-28T04:00:00.123Z
[[nodiscard]] std::string iso_time(LogTime time);

}  // namespace pake::server
