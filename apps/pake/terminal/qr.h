// A text as a QR code, for somebody who points a camera at the terminal.
#pragma once

#include <string>
#include <string_view>

#include "options/setting.h"
#include "process/problem.h"

namespace pake::cli {

/// --qr. A build without libqrencode has the option too, and refuses it.
[[nodiscard]] Setting qr_setting(bool& wanted);

/// Nothing wrong, or why no QR code can be shown: a usage problem. Comes before a code is made.
[[nodiscard]] Expected<void> check_qr(bool is_wanted);

/// `text` as lines for a terminal, two rows of the code a line, in black on white whatever its colours are.
[[nodiscard]] Expected<std::string> qr_code(std::string_view text);

}  // namespace pake::cli
