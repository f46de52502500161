#include "bench/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "bench/measure.h"
#include "options/quiet.h"
#include "pake/crypto/backend.h"
#include "process/output.h"

namespace pake::cli::bench {
namespace {

using Json = nlohmann::ordered_json;

struct BenchOptions {
  std::chrono::seconds time{1};
  bool json = false;
};

struct Handshake {
  std::string_view name;    // in JSON
  std::string_view people;  // in the table
  channel::Suite suite;
};
constexpr Handshake kHandshakes[] = {
    {"login", "login (OPAQUE, ristretto255)", channel::Suite::opaque_ristretto255},
    {"login_p256", "login (OPAQUE, P-256)", channel::Suite::opaque_p256},
    {"code", "code (CPace, ristretto255)", channel::Suite::cpace_ristretto255},
    {"resume", "return with a ticket (X25519)", channel::Suite::x25519},
};

struct Cipher {
  std::string_view name;
  std::string_view people;
  channel::AeadId aead;
};
constexpr Cipher kCiphers[] = {
    {"aes_256_gcm", "AES-256-GCM", channel::AeadId::aes_256_gcm},
    {"chacha20_poly1305", "ChaCha20-Poly1305", channel::AeadId::chacha20_poly1305},
};

int run(const BenchOptions& options) {
  Output output(STDOUT_FILENO);
  const auto print = [&](const std::string& people, const Json& json) {
    output.line(options.json ? json.dump() : people);
  };
  const std::string backend(to_string(crypto::ristretto255_backend()));
  say_note(fmt::format("one core, CPU time; ristretto255 by {}", backend));
  if (!options.json) output.line(fmt::format("{:<32}{:>14}{:>14}", "handshakes a second", "client", "server"));
  for (const auto& [name, people, suite] : kHandshakes) {
    const auto rates = measure_handshakes(suite, options.time);
    Json json = {{"handshake", name}, {"client_per_second", rates.client}, {"server_per_second", rates.server}};
    if (suite != channel::Suite::opaque_p256 && suite != channel::Suite::x25519) json["ristretto255"] = backend;
    print(fmt::format("{:<32}{:>14.0f}{:>14.0f}", people, rates.client, rates.server), json);
  }
  if (!options.json) output.line(fmt::format("{:<32}{:>14}", "one stream, both sides", "MB a second"));
  for (const auto& [name, people, aead] : kCiphers) {
    const auto megabytes = measure_stream(aead, options.time) / 1e6;
    print(fmt::format("{:<32}{:>14.0f}", people, megabytes), {{"stream", name}, {"megabytes_per_second", megabytes}});
  }
  const auto written = output.outcome();
  return written ? kExitOk : report(written.error());
}

}  // namespace

std::vector<Command> commands() {
  const auto options = std::make_shared<BenchOptions>();
  return {{
      .name = "bench",
      .summary = "Measure how many logins and bytes a second this machine does",
      .brief = "Nothing leaves this machine: both sides run in memory, on one core.",
      .text = {"Prints how many handshakes a second one core does as the client and as the server of each kind, and "
               "how many megabytes (of 1,000,000 bytes) a second one stream carries if one core does both sides. "
               "Counted is CPU time, so that other work on the machine shows little.",
               "A login's key stretching is left out: it runs on the client, and takes as long as its profile says. "
               "Sockets and the store of users are left out too.",
               "With --json each line is an object: handshake, client_per_second and server_per_second, or stream "
               "and megabytes_per_second."},
      .examples = {"pake bench", "pake bench --json --seconds 5"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage},
      .settings = {{.flag = "--seconds",
                    .value = seconds(options->time, {.from = 0, .to = 60}),
                    .help = "How long each line is measured, of CPU time; 0 measures once"},
                   {.flag = "--json", .value = flag(options->json), .help = "Print JSON, an object a line"},
                   quiet_setting()},
      .run = [options](const Invocation&) { return run(*options); },
  }};
}

}  // namespace pake::cli::bench
