#include "eke/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "eke/connect.h"
#include "eke/listen.h"
#include "eke/options.h"
#include "options/shared_options.h"

namespace pake::cli::eke {
namespace {

pake::eke::CipherMode parse_mode(std::string_view text) {
  if (text == "gcm") return pake::eke::CipherMode::gcm;
  if (text == "cbc") return pake::eke::CipherMode::cbc;
  throw CLI::ValidationError(fmt::format("--mode is gcm or cbc, not {}", text));
}

constexpr const char* kSeedPassword =
    "Without a password from anywhere it is 12345678, as in the seed; of a longer one the first 16 bytes count.";

void add_common_options(CLI::App& command, CommonOptions& options) {
  command.add_option("--user", options.user, "The user's name")
      ->type_name("NAME")
      ->capture_default_str()
      ->check([](const std::string& name) {
        const bool fits = !name.empty() && name.size() <= pake::eke::kMaxUserName;
        return fits ? "" : "a user's name has 1 to 1024 bytes";
      });
  command
      .add_option_function<std::string>(
          "--mode", [&options](const std::string& text) { options.mode = parse_mode(text); },
          "The cipher, the same on both sides: gcm or cbc (an older printing)")
      ->type_name("MODE")
      ->default_str("gcm");
  add_secret_options(command, options.secret);
  add_seconds(command, "--deadline", options.deadline, "How long the peer may take for a message or an answer");
  command.add_flag("--json", options.style.json, "One JSON object a line instead of the seed's lines");
  command.add_flag("--quiet", options.style.quiet, "Print outcomes and the chat, not the run's values");
}

void add_listen(CommandLine& line, CLI::App& eke) {
  const auto options = std::make_shared<ListenOptions>();
  auto* const command = eke.add_subcommand("listen", "Wait for connections, learn who it is, answer its lines");
  add_address(*command, options->address, "host:port, [v6]:port (port 0: any free one) or unix:PATH");
  add_common_options(*command, *options);
  command->add_option("--users", options->users, "Everybody who may connect: name:password a line")->type_name("FILE");
  command->add_flag("--once", options->once, "End with the first connection, with its exit code");
  add_seconds(*command, "--idle", options->idle, "How long a chat may be silent");
  command->add_option("--max-connections", options->max_connections, "More than so many at once are closed")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::PositiveNumber.description(""));
  line.describe(*command, {.text = kSeedPassword,
                           .examples = {"pake eke listen 127.0.0.1:8088 --users users.txt"},
                           .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitAuthFailed, kExitCutShort,
                                          kExitProtocol, kExitStore}});
  command->callback([command, options, &line] {
    for (const auto* one : {"--user", "--password-fd", "--password-file", "--password-prompt"})
      if (options->users && command->count(one) > 0) throw CLI::ExcludesError("--users", one);
    line.chosen = [options] { return listen(*options); };
  });
}

void add_connect(CommandLine& line, CLI::App& eke) {
  const auto options = std::make_shared<ConnectOptions>();
  auto* const command = eke.add_subcommand("connect", "Connect, prove the password, send lines");
  add_address(*command, options->address, "host:port, [v6]:port or unix:PATH");
  add_common_options(*command, *options);
  command
      ->add_option("--bits", options->bits,
                   "The size of the RSA key, 1024 to 4096; the seed's programs read 1024 alone")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(crypto::kRsaMinBits, crypto::kRsaMaxBits).description(""));
  line.describe(*command, {.text = kSeedPassword,
                           .examples = {"pake eke connect 127.0.0.1:8088 --user alice --password-prompt",
                                        "echo hello | pake eke connect unix:/tmp/eke.sock"},
                           .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitAuthFailed, kExitUnreachable,
                                          kExitCutShort, kExitProtocol}});
  command->callback([options, &line] {
    refuse_port_zero(options->address);
    line.chosen = [options] { return connect(*options); };
  });
}

}  // namespace

void add_command(CommandLine& line) {
  auto* const eke = line.app.add_subcommand("eke", "The seed's two programs of 1992's RSA-EKE: insecure, for study");
  line.describe(*eke,
                {.examples = {"pake eke listen          in one terminal", "pake eke connect         in another"}});
  add_listen(line, *eke);
  add_connect(line, *eke);
}

}  // namespace pake::cli::eke
