#include "pipe/command.h"

#include <fmt/format.h>

#include <memory>

#include "options/quiet.h"
#include "pake/internal/try.h"
#include "pipe/dial.h"
#include "pipe/exported.h"
#include "pipe/listen.h"
#include "pipe/options.h"
#include "terminal/qr.h"

namespace pake::cli::pipe {
namespace {

Setting trace_setting(CommonOptions& options) {
  return {.flag = "--trace",
          .value = file(options.trace),
          .help = "Write every frame that passes into this file, as JSON lines"};
}

Problem one_of(const char* first, const char* second) {
  return {.exit_code = kExitUsage, .error = fmt::format("{} and {} are two things: choose one", first, second)};
}

Command listen_command() {
  const auto options = std::make_shared<ListenOptions>();
  Command command = {
      .name = "listen",
      .summary = "Show a code, wait for the one who types it, then pass bytes both ways",
      .brief =
          "One wrong try uses the code up, unless --tries allows more. Without an ADDRESS only this machine can dial; "
          "a port alone (8088 or :8088) "
          "means every interface.",
      .text =
          {"Shows a code of two words and a number on stderr. Whoever types it into pake dial on another machine is "
           "connected to this terminal or pipe: what comes in on stdin here goes out on stdout there, and the other "
           "way "
           "round, encrypted.",
           "One wrong try uses the code up, unless --tries allows more: then both sides end, and pake listen must be "
           "started again.",
           "At a terminal, lines are typed behind the prompt \"> \"; Ctrl-D at its beginning ends this side. When both "
           "sides have ended, both programs end. A line of the other side stands behind \"| \".",
           "With --service nothing else is passed: whoever types the code into pake dial -L PORT reaches that one "
           "address of this side at PORT, as often as they like, until either side ends.",
           "With --export on both sides nothing is passed: each prints a key that the other prints too, for another "
           "program, a pre-shared key of WireGuard for instance."},
      .examples = {"pake listen 8088", "pake listen 8088 < photo.jpg", "pake listen unix:/tmp/meet",
                   "pake listen --via box", "pake listen 8088 --service 127.0.0.1:80"},
      .exit_codes = meeting::exit_codes_via(),
      .settings = {{.flag = "ADDRESS",
                    .value = address_to_listen(options->address),
                    .help = "Where to listen: PORT, HOST:PORT, [V6]:PORT (port 0: any free one) or unix:PATH"},
                   {.flag = "--tries",
                    .value = number(options->tries, "N", {.from = 1, .to = kMostTries}),
                    .help = "So many wrong tries use the code up, 1 to 5"},
                   {.flag = "--service",
                    .value = address_to_dial(options->service),
                    .help = "Pass no pipe: let the other side reach this one address, by pake dial -L"},
                   qr_setting(options->qr),
                   export_setting(options->export_label),
                   trace_setting(*options),
                   quiet_setting()},
      .check = [options](const Given& given) -> Expected<void> {
        if (options->service && options->export_label) return std::unexpected(one_of("--service", "--export"));
        PAKE_TRYV(check_qr(options->qr));
        return meeting::settle_via(options->via, given, {"ADDRESS"});
      },
      .run =
          [options](const Invocation& invocation) {
            options->is_plain = !invocation.given.contains("ADDRESS");
            return listen(*options);
          },
  };
  meeting::add_via(command, options->via, meeting::Beside::nothing);
  return command;
}

Command dial_command() {
  const auto options = std::make_shared<DialOptions>();
  Command command = {
      .name = "dial",
      .summary = "Type the other side's code, then pass bytes both ways",
      .brief = "The code is asked for on the terminal, unless an option or PAKE_CODE gives it.",
      .text =
          {"Connects to a pake listen and proves that both sides know the code that it shows. Then what comes in on "
           "stdin here goes out on stdout there, and the other way round, encrypted.",
           "The code is asked for on the terminal and shown while it is typed, since it is good for one use. A word "
           "that "
           "is misspelt is asked for again; nothing has been sent by then. A wrong code uses the other side's code up.",
           "At a terminal, lines are typed behind the prompt \"> \"; Ctrl-D at its beginning ends this side. When both "
           "sides have ended, both programs end. A line of the other side stands behind \"| \"."},
      .examples = {"pake dial 192.0.2.7:8088", "pake dial 192.0.2.7 > photo.jpg", "pake dial --via box",
                   "pake dial 192.0.2.7 -L 8080"},
      .exit_codes = meeting::exit_codes_via(),
      .environment = secret_variables(SecretKind::code),
      .settings = {{.flag = "ADDRESS",
                    .value = address_to_dial(options->address),
                    .help = "Where pake listen waits: HOST:PORT, HOST, [V6]:PORT or unix:PATH"}},
      .check = [options](const Given& given) -> Expected<void> {
        for (const auto& local : options->locals)
          if (!local.service.empty())
            return std::unexpected(Problem{.exit_code = kExitUsage,
                                           .error = "the other side has one service, and its name is not typed",
                                           .hint = "pake dial ADDRESS -L 8080"});
        if (!options->locals.empty() && options->export_label) return std::unexpected(one_of("-L", "--export"));
        return meeting::settle_via(options->via, given, {"ADDRESS"}, &options->secret);
      },
      .run = [options](const Invocation&) { return dial(*options); },
  };
  for (auto& setting : secret_settings(options->secret)) command.settings.push_back(std::move(setting));
  command.settings.push_back({.flag = "--deadline",
                              .value = seconds(options->deadline),
                              .help = "How long the other side may take to answer"});
  command.settings.push_back(
      {.flag = "-L,--local",
       .value = local_ports(options->locals),
       .help = "Pass no pipe: listen here, and lead each connection to the service of pake listen --service: 8080, "
               "192.0.2.7:8080 or unix:PATH"});
  command.settings.push_back({.flag = "--any-user",
                              .value = flag(options->any_user),
                              .help = "Let processes of other users of this machine connect to -L too"});
  command.settings.push_back(export_setting(options->export_label));
  command.settings.push_back(trace_setting(*options));
  command.settings.push_back(quiet_setting());
  meeting::add_via(command, options->via, meeting::Beside::code);
  return command;
}

}  // namespace

std::vector<Command> commands() {
  std::vector<Command> all;
  all.push_back(listen_command());
  all.push_back(dial_command());
  return all;
}

}  // namespace pake::cli::pipe
