#include "pair/command.h"

#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "meeting/via.h"
#include "options/quiet.h"
#include "pair/pairing.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pipe/dial.h"
#include "pipe/exported.h"
#include "pipe/listen.h"
#include "pipe/options.h"
#include "process/output.h"
#include "process/process.h"
#include "terminal/qr.h"
#include "trace/trace.h"

namespace pake::cli::pair {
namespace {

struct Options {
  pipe::ListenOptions show;  // has what both sides share
  pipe::DialOptions type;
  std::string name;
  bool overwrite = false;
  std::optional<std::string> label;
};

Problem usage(std::string error, std::string hint = {}) {
  return {.exit_code = kExitUsage, .error = std::move(error), .hint = std::move(hint)};
}

std::string check_name(std::string_view name) {
  return client::is_pair_name(name) ? ""
                                    : "it is 1 to 64 letters, digits, hyphens, underscores and dots, a letter or a "
                                      "digit first";
}

bool gives_code(const Options& options, const Given& given) {
  return !options.type.secret.in_argv.empty() || given.contains("--code-file") || given.contains("--code-fd") ||
         given.contains("--code-prompt");
}

// An address or a code makes it the side that types the code.
bool types_code(const Options& options, const Given& given) {
  if (given.contains("--listen")) return false;
  return given.contains("ADDRESS") || gives_code(options, given) ||
         std::getenv("PAKE_CODE") != nullptr;  // NOLINT(concurrency-mt-unsafe): nobody sets it
}

Expected<void> check(Options& options, const Given& given) {
  if (options.name.empty() && !options.label)
    return std::unexpected(usage("a pairing needs a name here", "pake pair --name laptop"));
  if (!options.name.empty() && options.label)
    return std::unexpected(usage("--name and --export are two things: keep the key, or print it"));
  if (options.overwrite && options.label)
    return std::unexpected(usage("--overwrite is for a key that is kept: --name NAME"));
  if (given.contains("--listen") && given.contains("ADDRESS"))
    return std::unexpected(usage("--listen shows a code, an ADDRESS is of the side that types it: choose one"));
  if (given.contains("--listen") && gives_code(options, given))
    return std::unexpected(usage("--listen shows a code of its own: it takes none"));
  PAKE_TRYV(check_qr(options.show.qr));
  PAKE_TRYV(meeting::settle_via(options.show.via, given, {"ADDRESS", "--listen"}));
  if (!options.show.via.is_user() && !options.show.via.login.password.in_argv.empty())
    return std::unexpected(
        usage("there is no password here, and everybody on this machine can read one that is typed so",
              "the code is asked for"));
  return {};
}

// Before anything is sent, or a code shown.
Expected<Destination> take_destination(const Options& options) {
  if (options.label) {
    PAKE_TRYV(check_stdout());
    return Destination{.label = *options.label};
  }
  PAKE_TRY(const auto keys, paired_keys());
  const auto path = keys.path_of(options.name).string();
  if (!options.overwrite && keys.has(options.name))
    return std::unexpected(Problem{.exit_code = kExitStore,
                                   .error = fmt::format("there is a key for {} already: {}", options.name, path),
                                   .hint = "choose another --name, or replace it: --overwrite; nothing was sent"});
  auto place = keys.prepare(options.name, options.overwrite ? client::Existing::is_replaced : client::Existing::stays);
  if (!place) return std::unexpected(cannot_keep(place.error()));
  return Destination{.path = path, .place = std::make_shared<client::PreparedKey>(std::move(*place))};
}

pipe::Use leave(Destination destination, Side side) {
  return [destination = std::move(destination), side](net::Loop& loop, std::shared_ptr<net::ChannelLink> link) {
    return leave_key(loop, std::move(link), destination, side);
  };
}

int run(Options& options, const Given& given) {
  auto destination = take_destination(options);
  if (!destination) return report(destination.error());
  const auto here = options.label ? "--export " + *options.label : "--name " + options.name;
  const auto there = "pake pair " + (options.label ? here : "--name NAME");
  const pipe::Spellings spellings{.commands = {.here = fmt::format("pake pair {} --listen", here), .there = there},
                                  .via = there + " --code-prompt",
                                  .start = "pake pair"};
  if (!types_code(options, given)) {
    options.show.is_plain = !given.contains("--listen");
    options.show.spellings = spellings;
    options.show.use = leave(std::move(*destination), Side::shows_code);
    return pipe::listen(options.show);
  }
  options.type.via = options.show.via;
  options.type.trace = options.show.trace;
  options.type.spellings = spellings;
  options.type.use = leave(std::move(*destination), Side::types_code);
  return pipe::dial(options.type);
}

Command pair_command() {
  const auto options = std::make_shared<Options>();
  auto& show = options->show;
  auto& type = options->type;
  type.secret.kind = SecretKind::invitation;
  Command command = {
      .name = "pair",
      .summary = "Leave two machines with a key that both keep, by a code typed once",
      .brief =
          "One side shows a code; the other one, which is given an ADDRESS or a code, asks for it. Without --listen "
          "only this machine reaches the side that shows it.",
      .text =
          {"Two machines meet as by pake listen and pake dial, once: one shows a code of two words and a number, which "
           "is typed at the other. Then both have a key of 32 bytes that nobody else has, whatever was recorded, and "
           "that says nothing of the code.",
           "It is kept in $XDG_STATE_HOME/pake/pairs or ~/.local/state/pake/pairs, in a file called NAME, in base64, "
           "alone on its line, and is its owner's alone. Each side chooses its own NAME for it. A key that is there "
           "already is replaced only with --overwrite; otherwise nothing is sent.",
           "With --export on both sides each prints the key under this label instead, for another program, as a key "
           "of WireGuard for instance. The exit code is 0 only if the other side has said that it has the key too. If "
           "either side cannot keep it, neither does.",
           "With --via the side that types the code is the one that is given it: by --code-file, --code-fd or "
           "PAKE_CODE, or by --code-prompt, which asks for it."},
      .examples = {"pake pair --name desktop --listen 8088", "pake pair --name laptop 192.0.2.7:8088",
                   "pake pair --name desktop --via box", "pake pair --name laptop --via box --code-prompt",
                   "pake pair --export wireguard 192.0.2.7:8088"},
      .exit_codes = meeting::exit_codes_via(),
      .environment = secret_variables(SecretKind::invitation),
      .settings = {{.flag = "ADDRESS",
                    .value = address_to_dial(type.address),
                    .help = "Where the other side shows its code: HOST:PORT, HOST, [V6]:PORT or unix:PATH"},
                   {.flag = "--listen",
                    .value = address_to_listen(show.address),
                    .help = "Where to wait: PORT, HOST:PORT, [V6]:PORT (port 0: any free one) or unix:PATH"},
                   {.flag = "--name",
                    .value = text(options->name, "NAME", check_name),
                    .help = "What the key is called on this machine"},
                   {.flag = "--overwrite",
                    .value = flag(options->overwrite),
                    .help = "Replace a key of that name, once the other side is ready too"},
                   pipe::export_setting(options->label),
                   {.flag = "--tries",
                    .value = number(show.tries, "N", {.from = 1, .to = pipe::kMostTries}),
                    .help = "So many wrong tries use the code up, 1 to 5"},
                   qr_setting(show.qr)},
      .check = [options](const Given& given) { return check(*options, given); },
      .run = [options](const Invocation& invocation) { return run(*options, invocation.given); },
  };
  for (auto& setting : secret_settings(type.secret)) command.settings.push_back(std::move(setting));
  command.settings.push_back({.flag = "--deadline",
                              .value = seconds(type.deadline),
                              .help = "How long the side that shows the code may take to answer"});
  command.settings.push_back(trace::setting(show.trace));
  command.settings.push_back(quiet_setting());
  meeting::add_via(command, show.via, meeting::Beside::nothing);
  return command;
}

}  // namespace

std::vector<Command> commands() {
  std::vector<Command> all;
  all.push_back(pair_command());
  return all;
}

}  // namespace pake::cli::pair
