#include "pipe/command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "options/shared_options.h"
#include "pake/crypto/aead.h"
#include "pipe/dial.h"
#include "pipe/listen.h"
#include "pipe/options.h"

namespace pake::cli::pipe {
namespace {

void add_common_options(CLI::App& command, CommonOptions& options) {
  command.add_option("--trace", options.trace, "Write every frame that passes into this file, as JSON lines")
      ->type_name("FILE");
  command.add_flag("--quiet", options.quiet, "Say nothing but what is needed");
}

void add_listen(CommandLine& line) {
  const auto options = std::make_shared<ListenOptions>();
  auto* const command =
      line.app.add_subcommand("listen", "Show a code, wait for the one who types it, then pass bytes both ways");
  add_address(*command, options->address, "host:port, [v6]:port (port 0: any free one) or unix:PATH");
  command->add_option("--tries", options->tries, "So many wrong tries use the code up, 1 to 5")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, kMostTries).description(""));
  add_common_options(*command, *options);
  line.describe(*command,
                {.text = "One wrong try uses the code up, unless --tries allows more.",
                 .examples = {"pake listen 0.0.0.0:8088", "pake listen < photo.jpg"},
                 .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitAuthFailed, kExitCutShort, kExitProtocol}});
  command->callback([options, &line] { line.chosen = [options] { return listen(*options); }; });
}

void add_dial(CommandLine& line) {
  const auto options = std::make_shared<DialOptions>();
  auto* const command = line.app.add_subcommand("dial", "Type the other side's code, then pass bytes both ways");
  add_address(*command, options->address, "host:port, [v6]:port or unix:PATH");
  command->add_option("CODE", options->secret.in_argv)->group("");  // refused: everybody can read it
  add_secret_options(*command, options->secret);
  add_common_options(*command, *options);
  add_seconds(*command, "--deadline", options->deadline, "How long the other side may take to answer");
  line.describe(*command, {.text = "The code is asked for on the terminal, unless an option or PAKE_PASSWORD gives it.",
                           .examples = {"pake dial 192.0.2.7:8088", "pake dial 192.0.2.7 > photo.jpg"},
                           .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitAuthFailed, kExitUnreachable,
                                          kExitThrottled, kExitCutShort, kExitProtocol}});
  command->callback([options, &line] {
    refuse_port_zero(options->address);
    line.chosen = [options] { return dial(*options); };
  });
}

}  // namespace

channel::AeadId fastest_aead() noexcept {
  return crypto::aes_gcm_in_hardware() ? channel::AeadId::aes_256_gcm : channel::AeadId::chacha20_poly1305;
}

void add_commands(CommandLine& line) {
  add_listen(line);
  add_dial(line);
}

}  // namespace pake::cli::pipe
