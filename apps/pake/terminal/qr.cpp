#include "terminal/qr.h"

#include <unistd.h>

#include <memory>

#ifdef PAKE_QR
#include <qrencode.h>
#endif

namespace pake::cli {

Setting qr_setting(bool& wanted) {
  return {.flag = "--qr", .value = flag(wanted), .help = "Show the code as a QR code too, on the terminal"};
}

Expected<void> check_qr(bool is_wanted) {
  if (!is_wanted) return {};
#ifndef PAKE_QR
  return std::unexpected(Problem{.exit_code = kExitUsage, .error = "this pake was built without QR codes"});
#else
  if (::isatty(STDERR_FILENO) == 1) return {};
  return std::unexpected(Problem{.exit_code = kExitUsage, .error = "--qr draws on a terminal, and stderr is none"});
#endif
}

#ifdef PAKE_QR
namespace {

constexpr int kMargin = 2;  // modules around the code; the standard asks for four, readers need less

struct FreeCode {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

}  // namespace

Expected<std::string> qr_code(std::string_view text) {
  const std::unique_ptr<QRcode, FreeCode> code(QRcode_encodeData(
      static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0, QR_ECLEVEL_M));
  if (!code) return std::unexpected(Problem{.error = "cannot make a QR code"});
  const auto is_dark = [&](int row, int column) {
    if (row < 0 || column < 0 || row >= code->width || column >= code->width) return false;
    return (code->data[row * code->width + column] & 1U) != 0;
  };
  std::string lines;
  for (int row = -kMargin; row < code->width + kMargin; row += 2) {
    lines += "\x1b[30;107m";
    for (int column = -kMargin; column < code->width + kMargin; ++column) {
      const bool above = is_dark(row, column);
      const bool below = is_dark(row + 1, column);
      lines += above && below ? "█" : above ? "▀" : below ? "▄" : " ";
    }
    lines += "\x1b[0m\n";
  }
  lines.pop_back();
  return lines;
}
#else
Expected<std::string> qr_code(std::string_view) {
  return std::unexpected(Problem{.exit_code = kExitUsage, .error = "this pake was built without QR codes"});
}
#endif

}  // namespace pake::cli
