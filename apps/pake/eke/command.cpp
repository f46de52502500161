#include "eke/command.h"

#include <memory>
#include <string>
#include <string_view>

#include "eke/connect.h"
#include "eke/listen.h"
#include "eke/options.h"
#include "options/quiet.h"
#include "trace/trace.h"

namespace pake::cli::eke {
namespace {

constexpr const char* kDefaultPassword =
    "Without a password from anywhere it is 12345678, as in the programs of old; of a longer one the first 16 bytes "
    "count.";
constexpr const char* kInsecure =
    "This is the encrypted key exchange of Bellovin and Merritt, 1992, as a teaching program once did it. It is "
    "insecure: a "
    "recording of it is enough to find the password by trying, and the chat that follows is not encrypted. It is here "
    "for "
    "study and to talk to old programs.";

std::string check_user(std::string_view name) {
  const bool fits = !name.empty() && name.size() <= pake::eke::kMaxUserName;
  return fits ? "" : "a user's name has 1 to 1024 bytes";
}

Settings common_settings(CommonOptions& options) {
  Settings settings = {
      {.flag = "--user", .value = text(options.user, "NAME", check_user), .help = "The user's name"},
      {.flag = "--mode",
       .value = choice<pake::eke::CipherMode>(
           options.mode, "MODE", {{"gcm", pake::eke::CipherMode::gcm}, {"cbc", pake::eke::CipherMode::cbc}}),
       .help = "The cipher, the same on both sides: gcm or cbc (an older printing)"},
      {.flag = "--deadline",
       .value = seconds(options.deadline),
       .help = "How long the peer may take for a message or an answer"},
      {.flag = "--json",
       .value = flag(options.style.json),
       .help = "One JSON object a line instead of lines for people"},
      trace::setting(options.trace),
      quiet_setting(&options.style.details)};
  for (auto& setting : secret_settings(options.secret)) settings.push_back(std::move(setting));
  return settings;
}

Settings joined(Settings first, Settings second) {
  for (auto& setting : second) first.push_back(std::move(setting));
  return first;
}

Expected<void> check_listen(const Given& given) {
  for (const auto* one : {"--user", "--password-fd", "--password-file", "--password-prompt"})
    if (given.contains("--users") && given.contains(one))
      return std::unexpected(Problem{.exit_code = kExitUsage,
                                     .error = std::string("--users and ") + one + " exclude each other",
                                     .hint = "--users FILE names everybody, with a password each"});
  return {};
}

Command listen_command() {
  const auto options = std::make_shared<ListenOptions>();
  return {
      .name = "listen",
      .summary = "Wait for connections, learn who it is, answer its lines",
      .brief = kDefaultPassword,
      .text = {kInsecure,
               "Waits for any number of connections, lets each prove the password, prints the lines that come and "
               "answers each with \"receive \" and the line. It goes on until a signal ends it, or with --once "
               "until the first connection has ended.",
               kDefaultPassword},
      .examples = {"pake eke listen 127.0.0.1:8088 --users users.txt"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitAuthFailed, kExitCutShort, kExitProtocol, kExitStore},
      .environment = secret_variables(SecretKind::password),
      .settings =
          joined(joined({{.flag = "ADDRESS",
                          .value = address_to_listen(options->address),
                          .help = "Where to listen: PORT, HOST:PORT, [V6]:PORT (port 0: any free one) or unix:PATH"}},
                        common_settings(*options)),
                 {{.flag = "--users",
                   .value = file(options->users),
                   .help = "Everybody who may connect: name:password a line"},
                  {.flag = "--once",
                   .value = flag(options->once),
                   .help = "End with the first connection, with its exit code"},
                  {.flag = "--idle", .value = seconds(options->idle), .help = "How long a chat may be silent"},
                  {.flag = "--max-connections",
                   .value = number(options->max_connections, "N", {.from = 1, .to = 10'000'000}),
                   .help = "More than so many at once are closed"}}),
      .check = check_listen,
      .run = [options](const Invocation&) { return listen(*options); },
  };
}

Command connect_command() {
  const auto options = std::make_shared<ConnectOptions>();
  return {
      .name = "connect",
      .summary = "Connect, prove the password, send lines",
      .brief = kDefaultPassword,
      .text = {kInsecure,
               "Connects to a pake eke listen and proves the password. Then it sends each line of stdin and prints "
               "the answer. The line quit, or the end of the input (Ctrl-D), ends it.",
               kDefaultPassword},
      .examples = {"pake eke connect 127.0.0.1:8088 --user alice --password-prompt",
                   "echo hello | pake eke connect unix:/tmp/eke.sock"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitAuthFailed, kExitUnreachable, kExitCutShort, kExitProtocol},
      .environment = secret_variables(SecretKind::password),
      .settings =
          joined(joined({{.flag = "ADDRESS",
                          .value = address_to_dial(options->address),
                          .help = "Where to connect to: HOST:PORT, HOST, [V6]:PORT or unix:PATH"}},
                        common_settings(*options)),
                 {{.flag = "--bits",
                   .value = number(options->bits, "N", {.from = crypto::kRsaMinBits, .to = crypto::kRsaMaxBits}),
                   .help = "The size of the RSA key, 1024 to 4096; old programs read 1024 alone"},
                  {.flag = "--form",
                   .value = choice<pake::eke::Form>(
                       options->form, "FORM", {{"seed", pake::eke::Form::seed}, {"paper", pake::eke::Form::paper}}),
                   .help = "seed, or the paper's own, where the listener has the key: for pake lab residues"}}),
      .run = [options](const Invocation&) { return connect(*options); },
  };
}

}  // namespace

std::vector<Command> commands() {
  Command eke = {.name = "eke",
                 .summary = "The protocol of 1992 and its two programs: insecure, for study",
                 .text = {kInsecure},
                 .examples = {"pake eke listen          in one terminal", "pake eke connect         in another"}};
  eke.commands.push_back(listen_command());
  eke.commands.push_back(connect_command());
  std::vector<Command> all;
  all.push_back(std::move(eke));
  return all;
}

}  // namespace pake::cli::eke
