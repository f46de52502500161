#include "server/keys.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "options/quiet.h"
#include "pake/channel/suite.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/server/keyring.h"
#include "pake/store/migration.h"
#include "pake/store/sqlite.h"
#include "process/output.h"
#include "server/data.h"
#include "server/time_text.h"

namespace pake::cli::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kDefaultWindow = 90;  // days

struct KeysOptions {
  DataOptions data;
  std::optional<int> epoch = {};
  std::size_t window = kDefaultWindow;
  std::string to;
  std::optional<std::string> store_to = {};
  std::optional<std::string> suite = {};
  std::optional<std::string> ksf = {};
  bool json = false;
};
using Shared = std::shared_ptr<KeysOptions>;

std::string suite_name(std::uint8_t suite) { return suite == 2 ? "p256" : "ristretto255"; }

std::string ksf_name(std::uint8_t profile) {
  const auto decoded = crypto::decode_ksf_profile(profile);
  return decoded ? std::string(to_string(*decoded)) : fmt::format("profile {}", profile);
}

Problem of(store::StoreError error) { return to_problem(std::move(error)); }

struct Status {
  Data data;
  store::KeyStatus keys;
};

Expected<Status> read_status(const KeysOptions& options) {
  Status status;
  PAKE_TRY(status.data, open_data(options.data));
  auto keys = store::key_status(*status.data.store, status.data.keyring->file());
  if (!keys) return std::unexpected(of(std::move(keys.error())));
  status.keys = std::move(*keys);
  return status;
}

const store::CredentialParameters& current_of(const Status& status) {
  for (const auto& epoch : status.keys.epochs)
    if (epoch.is_current) return epoch.parameters;
  return status.keys.epochs.back().parameters;
}

Expected<void> status(const KeysOptions& options) {
  PAKE_TRY(const auto status, read_status(options));
  Output output(STDOUT_FILENO);
  if (options.json) {
    Json epochs = Json::array();
    for (const auto& epoch : status.keys.epochs)
      epochs.push_back({{"epoch", epoch.parameters.epoch},
                        {"suite", suite_name(epoch.parameters.suite)},
                        {"ksf", ksf_name(epoch.parameters.ksf_profile)},
                        {"fingerprint", epoch.fingerprint.empty() ? Json() : Json(epoch.fingerprint)},
                        {"current", epoch.is_current},
                        {"users", epoch.users}});
    output.line(Json({{"epochs", std::move(epochs)},
                      {"window_ends", status.keys.window_ends ? Json(iso_time(*status.keys.window_ends)) : Json()},
                      {"complete", status.keys.is_complete}})
                    .dump());
    return output.outcome();
  }
  for (const auto& epoch : status.keys.epochs)
    output.line(fmt::format(
        "epoch {}  {:12}  {:10}  {:>6} {:5}  {}{}", epoch.parameters.epoch, suite_name(epoch.parameters.suite),
        ksf_name(epoch.parameters.ksf_profile), epoch.users, epoch.users == 1 ? "user" : "users",
        epoch.fingerprint.empty() ? "not in the key file" : epoch.fingerprint, epoch.is_current ? "  current" : ""));
  if (status.keys.window_ends)
    output.line(fmt::format("older records log in until {}", iso_time(*status.keys.window_ends)));
  if (!status.keys.is_complete)
    say("warning", "the key file lacks keys that the store needs: copy the newest key file here");
  return output.outcome();
}

// Keys of both suites: an operator may change the suite with the epoch.
Expected<void> stage(const KeysOptions& options) {
  PAKE_TRY(const auto status, read_status(options));
  crypto::SystemRng rng;
  const auto ksf = crypto::decode_ksf_profile(current_of(status).ksf_profile).value_or(crypto::kDefaultKsfProfile);
  auto changed = store::stage_epoch(place_of(options.data).key_file_or_default(), [&](std::uint32_t epoch) {
    std::vector<store::EpochKeys> keys;
    for (const auto suite : {channel::Suite::opaque_ristretto255, channel::Suite::opaque_p256})
      keys.push_back(pake::server::make_epoch_keys(suite, ksf, epoch, wall_now(), rng));
    return store::StoreResult<std::vector<store::EpochKeys>>(std::move(keys));
  });
  if (!changed) return std::unexpected(of(std::move(changed.error())));
  const auto epoch = changed->newest_epoch();
  Output output(STDOUT_FILENO);
  for (const auto& keys : changed->epochs())
    if (keys.parameters.epoch == epoch)
      output.line(fmt::format("epoch {}  {:12}  {}", epoch, suite_name(keys.parameters.suite),
                              store::fingerprint(keys.public_key)));
  say_note("copy the key file to every node, let each read it (SIGHUP), then: pake keys activate");
  return output.outcome();
}

Expected<std::uint8_t> suite_of(const KeysOptions& options, std::uint8_t otherwise) {
  if (!options.suite) return otherwise;
  if (*options.suite == "ristretto255") return std::uint8_t{1};
  if (*options.suite == "p256") return std::uint8_t{2};
  return std::unexpected(Problem{.exit_code = kExitUsage, .error = "--suite is ristretto255 or p256"});
}

Expected<std::uint8_t> ksf_of(const KeysOptions& options, std::uint8_t otherwise) {
  if (!options.ksf) return otherwise;
  for (std::uint8_t profile = 1; profile <= 4; ++profile)
    if (ksf_name(profile) == *options.ksf) return profile;
  return std::unexpected(
      Problem{.exit_code = kExitUsage, .error = "--ksf is rfc9106-2, rfc9807, scrypt-rfc9807 or small"});
}

Expected<void> activate(const KeysOptions& options) {
  PAKE_TRY(const auto status, read_status(options));
  const auto& file = status.data.keyring->file();
  const auto& current = current_of(status);
  const auto epoch = options.epoch ? static_cast<std::uint32_t>(std::max(0, *options.epoch)) : file.newest_epoch();
  store::CredentialParameters wanted{.epoch = epoch, .suite = 0, .ksf_profile = 0};
  PAKE_TRY(wanted.suite, suite_of(options, current.suite));
  PAKE_TRY(wanted.ksf_profile, ksf_of(options, current.ksf_profile));
  if (epoch < current.epoch)
    return std::unexpected(
        Problem{.error = fmt::format("epoch {} is older than the current one, {}", epoch, current.epoch),
                .hint = "epochs only advance; pake keys stage adds the next one"});
  const auto now = wall_now();
  const auto window_ends = now + std::chrono::days(options.window);
  const auto step = store::activate(
      *status.data.store, file, wanted, window_ends,
      {.at = now,
       .actor = "operator",
       .action = "keys.activate",
       .name = {},
       .detail = fmt::format("epoch {}, {}, {}", epoch, suite_name(wanted.suite), ksf_name(wanted.ksf_profile))});
  if (!step) return std::unexpected(of(step.error()));
  say_note(fmt::format("epoch {} is current from {} on; records move to it as their users log in, until {}", epoch,
                       iso_time(step->effective_at), iso_time(window_ends)));
  return {};
}

Expected<void> backup(const KeysOptions& options) {
  const auto place = place_of(options.data);
  if (auto done = store::back_up_key_file(place.key_file_or_default(), options.to); !done)
    return std::unexpected(of(std::move(done.error())));
  say_note(fmt::format("the key file is copied to {}: keep it apart from the store", options.to));
  if (!options.store_to) return {};
  if (place.store_or_default().contains("://"))
    return std::unexpected(Problem{.exit_code = kExitUsage, .error = "a PostgreSQL store is backed up by pg_dump"});
  if (auto done = store::back_up_sqlite(place.store_or_default(), *options.store_to); !done)
    return std::unexpected(of(std::move(done.error())));
  say_note(fmt::format("the store is copied to {}", *options.store_to));
  return {};
}

Command subcommand(const Shared& options, std::string name, std::string summary, std::string brief, Settings own,
                   Expected<void> (*run)(const KeysOptions&)) {
  Settings settings = std::move(own);
  for (auto& setting : data_settings(options->data)) settings.push_back(std::move(setting));
  settings.push_back(quiet_setting());
  const auto example =
      fmt::format("pake keys {}{} --data /var/lib/pake", name, name == "backup" ? " /mnt/usb/pake.key" : "");
  return {.name = std::move(name),
          .summary = std::move(summary),
          .brief = std::move(brief),
          .examples = {example},
          .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitStore},
          .settings = std::move(settings),
          .run = [options, run](const Invocation&) {
            const auto done = run(*options);
            return done ? kExitOk : report(done.error());
          }};
}

}  // namespace

Command keys_command() {
  const auto of_status = std::make_shared<KeysOptions>();
  const auto of_stage = std::make_shared<KeysOptions>();
  const auto of_activate = std::make_shared<KeysOptions>();
  const auto of_backup = std::make_shared<KeysOptions>();
  return {
      .name = "keys",
      .summary = "The server's long-term keys: which there are, the next ones, a backup",
      .examples = {"pake keys status --data /var/lib/pake"},
      .commands = {
          subcommand(of_status, "status", "Show the epochs of the key file, and how far users have moved", "",
                     {{.flag = "--json", .value = flag(of_status->json), .help = "Print JSON"}}, status),
          subcommand(of_stage, "stage", "Add the next epoch to the key file and print its fingerprint",
                     "Nothing changes for anybody until it is activated.", {}, stage),
          subcommand(of_activate, "activate", "Make an epoch the one under which records are made",
                     "Every node must have the key file by then: one that has not is not ready. Each record moves when "
                     "its user next logs in; what has not moved by the end of the window no longer logs in.",
                     {{.flag = "EPOCH", .value = number(of_activate->epoch, "EPOCH"), .help = "The newest without it"},
                      {.flag = "--window",
                       .value = number(of_activate->window, "DAYS", {.from = 1, .to = 3650}),
                       .help = "How long older records log in"},
                      {.flag = "--suite",
                       .value = text(of_activate->suite, "SUITE"),
                       .help = "Move to another suite as well: ristretto255 or p256"},
                      {.flag = "--ksf",
                       .value = text(of_activate->ksf, "PROFILE"),
                       .help = "Move to another stretching as well"}},
                     activate),
          subcommand(of_backup, "backup", "Copy the key file, and the store if asked",
                     "Keep the two apart: together they are what somebody guesses against.",
                     {{.flag = "FILE",
                       .value = text(of_backup->to, "FILE"),
                       .help = "Where the key file goes",
                       .required = true},
                      {.flag = "--store-to",
                       .value = file(of_backup->store_to),
                       .help = "Where a consistent copy of the SQLite store goes"}},
                     backup)}};
}

}  // namespace pake::cli::server
