// What an operator asks a running server: a line of JSON on a unix socket that he alone reaches.
//
//   {"do":"list"}                        a line for each session
//   {"do":"kill","session":7}            {"ended":1}
//   {"do":"kill","user":"alice"}         {"ended":2}
//
// Whatever else comes is answered by {"error":"..."}.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "pake/server/sessions.h"

namespace pake::server {

inline constexpr std::size_t kMaxControlLine = 4096;

/// The answer to one line, newlines included.
[[nodiscard]] std::string answer_control(Sessions& sessions, std::string_view line);

}  // namespace pake::server
