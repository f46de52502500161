#include "files/command.h"

#include <memory>
#include <utility>
#include <variant>

#include "files/options.h"
#include "files/receive.h"
#include "files/send.h"
#include "options/quiet.h"
#include "pake/files/messages.h"
#include "pake/internal/try.h"
#include "pipe/options.h"
#include "process/output.h"
#include "terminal/qr.h"
#include "trace/trace.h"

namespace pake::cli::files {
namespace {

constexpr std::size_t kMostReceivers = 1000;

Setting wait_setting(CommonOptions& options) {
  return {.flag = "--wait",
          .value = seconds(options.wait, {.from = 0, .to = kDay}),
          .help = "After a cut, how long to wait for the other side to come back and go on; 0: not at all"};
}

Setting json_setting(CommonOptions& options) {
  return {.flag = "--json", .value = flag(options.json), .help = "Tell each step on stdout, a JSON object a line"};
}

Value paths(std::vector<std::string>& values) {
  auto value = texts(values, "PATH");
  value.completes = Value::Completes::files;
  return value;
}

Problem two_ways() {
  return {.exit_code = kExitUsage, .error = "an address and --lan are two ways to find the other side: choose one"};
}

std::string check_name(std::string_view name) {
  return pake::files::is_name(name) ? "" : "it is the name of a file, without a folder in front";
}

Command send_command() {
  const auto options = std::make_shared<SendOptions>();
  Command command = {
      .name = "send",
      .summary = "Show a code, and send files and folders to the one who types it",
      .brief =
          "The other side types pake receive and the code. Without --listen only this machine reaches the sender; "
          "--listen 8088 is for every interface.",
      .text =
          {"Shows a code of two words and a number on stderr, and waits for the one who types it into pake receive. "
           "One wrong try uses the code up, unless --tries allows more. What is sent is encrypted.",
           "Folders are sent with all that is below them, except links, sockets and devices. A PATH of - is stdin. "
           "Names, the bit that makes a file executable and the time of its last change are kept; a file that "
           "nobody else could read here is so there too.",
           "The exit code is 0 only if the other side has everything and says so. After a cut both sides go on by "
           "themselves for --wait seconds; later, run both again: what has arrived is not sent again."},
      .examples = {"pake send --listen 8088 photo.jpg", "pake send --listen 8088 project --exclude '*.o'",
                   "pake send --lan photo.jpg", "pake send --via box photo.jpg", "tar c . | pake send -"},
      .exit_codes = meeting::exit_codes_via(),
      .settings = {{.flag = "PATH", .value = paths(options->paths), .help = "A file or a folder, or - for stdin"},
                   {.flag = "--listen",
                    .value = address_to_listen(options->address),
                    .help = "Where to wait: PORT, HOST:PORT, [V6]:PORT (port 0: any free one) or unix:PATH"},
                   {.flag = "--lan",
                    .value = flag(options->lan),
                    .help = "Announce in this network a number in front of the code, by which the other side finds it"},
                   {.flag = "--text",
                    .value = text(options->text, "TEXT"),
                    .help = "Send this text, which the other side shows; everybody on this machine can read it here"},
                   {.flag = "--exclude",
                    .value = texts(options->excluded, "PATTERN"),
                    .help = "Leave out what has such a name (*.o) or path below its folder (build/tmp)"},
                   {.flag = "--name",
                    .value = text(options->stdin_name, "NAME", check_name),
                    .help = "What stdin is called at the other side"},
                   {.flag = "--keep",
                    .value = number(options->receivers, "N", {.from = 1, .to = kMostReceivers}),
                    .help = "Send to so many, one after the other, each with a code of its own"},
                   {.flag = "--tries",
                    .value = number(options->tries, "N", {.from = 1, .to = pipe::kMostTries}),
                    .help = "So many wrong tries use the code up, 1 to 5"},
                   qr_setting(options->qr),
                   wait_setting(*options),
                   json_setting(*options),
                   trace::setting(options->trace),
                   quiet_setting()},
      .check = [options](const Given& given) -> Expected<void> {
        PAKE_TRYV(check_qr(options->qr));
        return meeting::settle_via(options->via, given, {"--listen", "--lan"});
      },
      .run =
          [options](const Invocation& invocation) {
            options->is_plain = !invocation.given.contains("--listen");
            if (options->lan && options->is_plain) options->address = *parse_address_to_listen("0");
            if (options->lan && !std::holds_alternative<net::TcpAddress>(options->address)) return report(two_ways());
            return send(*options);
          },
  };
  meeting::add_via(command, options->via, meeting::Beside::nothing);
  return command;
}

Command receive_command() {
  const auto options = std::make_shared<ReceiveOptions>();
  Command command = {
      .name = "receive",
      .summary = "Type the other side's code, and receive the files that it sends",
      .brief =
          "The code is asked for on the terminal, unless an option or PAKE_CODE gives it; so is whether the files "
          "are wanted, unless --yes is given.",
      .text = {"Connects to a pake send and proves that both sides know the code that it shows. Then it shows what is "
               "offered and stores it, if that is wanted, in this folder or --out.",
               "Nothing outside that folder is touched, no link in it is followed, and nothing is replaced unless "
               "--overwrite is given. A file that is there already with the same bytes is not sent again. Until a file "
               "is whole its name ends in .pake-part; what a transfer left so is continued by the next one.",
               "A text is shown on stdout."},
      .examples = {"pake receive 192.0.2.7:8088", "pake receive 192.0.2.7 --out photos --yes", "pake receive --lan",
                   "pake receive --via box", "pake receive 192.0.2.7 --out - | tar x"},
      .exit_codes = meeting::exit_codes_via(),
      .environment = secret_variables(SecretKind::code),
      .settings = {{.flag = "ADDRESS",
                    .value = address_to_dial(options->address),
                    .help = "Where pake send waits: HOST:PORT, HOST, [V6]:PORT or unix:PATH"},
                   {.flag = "--lan",
                    .value = flag(options->lan),
                    .help = "Find the sender in this network by the number in front of the code"},
                   {.flag = "--out",
                    .value = text(options->out, "DIR"),
                    .help = "The folder to store into, made if it is not there; - writes one file to stdout"},
                   {.flag = "--yes", .value = flag(options->yes), .help = "Accept what is offered, without asking"},
                   {.flag = "--overwrite",
                    .value = flag(options->overwrite),
                    .help = "Replace files that have the same name and other bytes"}},
      .check =
          [options](const Given& given) {
            return meeting::settle_via(options->via, given, {"ADDRESS", "--lan"}, &options->secret);
          },
      .run =
          [options](const Invocation& invocation) {
            if (options->lan && invocation.given.contains("ADDRESS")) return report(two_ways());
            return receive(*options);
          },
  };
  command.settings[2].value.completes = Value::Completes::directories;
  for (auto& setting : secret_settings(options->secret)) command.settings.push_back(std::move(setting));
  command.settings.push_back({.flag = "--deadline",
                              .value = seconds(options->deadline),
                              .help = "How long the other side may take to answer"});
  command.settings.push_back(wait_setting(*options));
  command.settings.push_back(json_setting(*options));
  command.settings.push_back(trace::setting(options->trace));
  command.settings.push_back(quiet_setting());
  meeting::add_via(command, options->via, meeting::Beside::code);
  return command;
}

}  // namespace

std::vector<Command> commands() {
  std::vector<Command> all;
  all.push_back(send_command());
  all.push_back(receive_command());
  return all;
}

}  // namespace pake::cli::files
