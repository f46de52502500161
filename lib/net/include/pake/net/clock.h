// Until when a wait may last.
#pragma once

#include <chrono>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

inline constexpr Deadline kNever = Deadline::max();

[[nodiscard]] inline Deadline after(Clock::duration duration) { return Clock::now() + duration; }

}  // namespace pake::net

PAKE_EXPORT_END
