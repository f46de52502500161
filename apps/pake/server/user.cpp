#include "server/user.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "options/quiet.h"
#include "pake/crypto/rng.h"
#include "pake/identity/name.h"
#include "pake/identity/password.h"
#include "pake/internal/try.h"
#include "pake/server/administration.h"
#include "pake/store/export.h"
#include "process/output.h"
#include "secrets/secret_source.h"
#include "server/data.h"
#include "server/time_text.h"
#include "terminal/escape.h"

namespace pake::cli::server {
namespace {

using pake::server::Administration;
using pake::server::Invited;
using pake::server::UserView;
using Json = nlohmann::ordered_json;

struct UserOptions {
  DataOptions data;
  std::string name;
  SecretOptions password;
  bool json = false;
};
using Shared = std::shared_ptr<UserOptions>;

std::string state_of(const UserView& user) {
  if (user.row.state == store::UserState::disabled) return "disabled";
  if (user.has_credential) return "enabled";
  return user.invited_until ? "invited" : "without a password";
}

Json to_json(const UserView& user) {
  Json object = {{"name", user.row.name},
                 {"state", state_of(user)},
                 {"has_password", user.has_credential},
                 {"created", iso_time(user.row.created_at)},
                 {"changed", iso_time(user.row.changed_at)},
                 {"epoch", user.row.parameters.epoch},
                 {"guesses_left", user.guesses_left},
                 {"guesses", user.guesses_of}};
  object["invited_until"] = user.invited_until ? Json(iso_time(*user.invited_until)) : Json();
  object["retry_after"] = user.wait ? Json(user.wait->count()) : Json();
  return object;
}

/// One run of a subcommand: the store, what is said of it, stdout.
class Run {
 public:
  explicit Run(const UserOptions& options) : options_(options) {}

  Expected<void> open() {
    PAKE_TRY(data_, open_data(options_.data));
    admin_.emplace(*data_.store, data_.keyring, rng_, [] { return wall_now(); });
    return {};
  }
  Administration& admin() { return *admin_; }
  store::CredentialStore& store() { return *data_.store; }
  store::StoreResult<store::ImportReport> import_users(
      const std::function<store::StoreResult<std::optional<std::string>>()>& next_line) {
    return store::import_users(
        *data_.store, data_.keyring->file(), next_line,
        {.at = wall_now(), .actor = "operator", .action = "user.import", .name = {}, .detail = {}}, rng_);
  }

  Expected<std::string> name() const {
    auto normalised = identity::normalise_name(as_bytes(options_.name));
    if (normalised) return *std::move(normalised);
    return std::unexpected(Problem{.exit_code = kExitUsage,
                                   .error = fmt::format("'{}' cannot be a user's name", escape(options_.name)),
                                   .hint = "letters, digits and . _ - + @, at most 255 bytes"});
  }

  Expected<void> print(std::string_view line) {
    output_.line(line);
    return output_.outcome();
  }

 private:
  const UserOptions& options_;
  crypto::SystemRng rng_;
  Data data_;
  std::optional<Administration> admin_;
  Output output_{STDOUT_FILENO};
};

Expected<void> checked(store::StoreStatus status) {
  if (status) return {};
  return std::unexpected(to_problem(std::move(status.error())));
}

Expected<void> show_invitation(Run& run, const UserOptions& options, const std::string& name, const Invited& invited) {
  if (options.json) {
    const Json object = {{"name", name},
                         {"code", as_text(invited.code.reveal())},
                         {"valid_until", iso_time(invited.expires_at)},
                         {"new_user", invited.is_new_user}};
    return run.print(object.dump());
  }
  PAKE_TRYV(run.print(as_text(invited.code.reveal())));
  say_note(fmt::format("the code is good for three tries until {}; {} redeems it by: pake enroll {}@HOST",
                       iso_time(invited.expires_at), name, name));
  return {};
}

using Invite = store::StoreResult<Invited> (Administration::*)(std::string_view);

Expected<void> invite(const UserOptions& options, Invite how) {
  Run run(options);
  PAKE_TRY(const auto name, run.name());
  PAKE_TRYV(run.open());
  auto invited = (run.admin().*how)(name);
  if (!invited) return std::unexpected(to_problem(std::move(invited.error())));
  return show_invitation(run, options, name, *invited);
}

std::optional<Problem> complain_about(Bytes typed) {
  if (identity::normalise_password(typed)) return std::nullopt;
  return Problem{.exit_code = kExitUsage,
                 .error = "the password cannot be used",
                 .hint = "1 to 1,024 bytes of UTF-8 without control characters"};
}

Expected<void> add(const UserOptions& options) {
  Run run(options);
  PAKE_TRY(const auto name, run.name());
  PAKE_TRY(const auto typed,
           read_secret(options.password,
                       SecretPrompt{
                           .question = fmt::format("Password of {}: ", name), .twice = true, .check = complain_about}));
  if (!typed)
    return std::unexpected(
        Problem{.exit_code = kExitUsage,
                .error = "a password is missing",
                .hint = fmt::format("pake user invite {} lets the user choose one that nobody else sees", name)});
  if (auto problem = complain_about(typed->text.reveal())) return std::unexpected(*std::move(problem));
  const auto password = identity::normalise_password(typed->text.reveal());
  PAKE_TRYV(run.open());
  return checked(run.admin().add(name, *password));
}

Expected<void> list(const UserOptions& options) {
  Run run(options);
  PAKE_TRYV(run.open());
  const auto users = run.admin().list({});
  if (!users) return std::unexpected(to_problem(users.error()));
  if (options.json) {
    for (const auto& user : *users) PAKE_TRYV(run.print(to_json(user).dump()));
    return {};
  }
  std::size_t width = 0;
  for (const auto& user : *users) width = std::max(width, user.row.name.size());
  for (const auto& user : *users) PAKE_TRYV(run.print(fmt::format("{:{}}  {}", user.row.name, width, state_of(user))));
  return {};
}

Expected<void> show(const UserOptions& options) {
  Run run(options);
  PAKE_TRY(const auto name, run.name());
  PAKE_TRYV(run.open());
  const auto user = run.admin().show(name, {});
  if (!user) return std::unexpected(to_problem(user.error()));
  if (options.json) return run.print(to_json(*user).dump());
  PAKE_TRYV(run.print(fmt::format("name      {}", user->row.name)));
  PAKE_TRYV(run.print(fmt::format("state     {}", state_of(*user))));
  PAKE_TRYV(run.print(fmt::format("created   {}", iso_time(user->row.created_at))));
  PAKE_TRYV(run.print(fmt::format("changed   {}", iso_time(user->row.changed_at))));
  if (user->invited_until) PAKE_TRYV(run.print(fmt::format("invited   until {}", iso_time(*user->invited_until))));
  PAKE_TRYV(run.print(fmt::format("guesses   {} of {} left", user->guesses_left, user->guesses_of)));
  if (user->wait)
    PAKE_TRYV(run.print(fmt::format("throttled another {} s; pake user unthrottle {}", user->wait->count(), name)));
  return {};
}

using Change = store::StoreStatus (Administration::*)(std::string_view);

Expected<void> change(const UserOptions& options, Change how) {
  Run run(options);
  PAKE_TRY(const auto name, run.name());
  PAKE_TRYV(run.open());
  return checked((run.admin().*how)(name));
}

Expected<void> export_all(const UserOptions& options) {
  Run run(options);
  PAKE_TRYV(run.open());
  std::optional<Problem> problem;
  const auto exported = store::export_users(run.store(), [&](std::string_view line) -> store::StoreStatus {
    const auto printed = run.print(line);
    if (printed) return {};
    problem = printed.error();
    return store::fail(store::StoreErrc::io, problem->error);
  });
  if (problem) return std::unexpected(*std::move(problem));
  return checked(exported);
}

Expected<void> import_all(const UserOptions& options) {
  Run run(options);
  PAKE_TRYV(run.open());
  const auto report = run.import_users([]() -> store::StoreResult<std::optional<std::string>> {
    std::string line;
    if (std::getline(std::cin, line)) return line;
    return std::nullopt;
  });
  if (!report) return std::unexpected(to_problem(report.error()));
  say_note(fmt::format("{} users imported, {} were there already", report->imported, report->present));
  return {};
}

Setting name_setting(UserOptions& options) {
  return {.flag = "NAME", .value = text(options.name, "NAME"), .help = "The user's name", .required = true};
}

Setting json_setting(UserOptions& options) {
  return {.flag = "--json", .value = flag(options.json), .help = "Print JSON, an object a line"};
}

Command subcommand(const Shared& options, std::string name, std::string summary, std::string brief,
                   std::function<Expected<void>(const UserOptions&)> run, Settings own = {}) {
  Settings settings = std::move(own);
  for (auto& setting : data_settings(options->data)) settings.push_back(std::move(setting));
  settings.push_back(quiet_setting());
  const auto example = fmt::format("pake user {}{} --data /var/lib/pake", name,
                                   name == "list" || name == "export" || name == "import" ? "" : " alice");
  return {.name = std::move(name),
          .summary = std::move(summary),
          .brief = std::move(brief),
          .examples = {example},
          .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitStore},
          .settings = std::move(settings),
          .run = [options, run = std::move(run)](const Invocation&) {
            const auto done = run(*options);
            return done ? kExitOk : report(done.error());
          }};
}

Command change_command(std::string name, std::string summary, std::string brief, Change how) {
  const auto options = std::make_shared<UserOptions>();
  return subcommand(options, std::move(name), std::move(summary), std::move(brief),
                    [how](const UserOptions& given) { return change(given, how); }, {name_setting(*options)});
}

Command invite_command(std::string name, std::string summary, std::string brief, Invite how) {
  const auto options = std::make_shared<UserOptions>();
  return subcommand(options, std::move(name), std::move(summary), std::move(brief),
                    [how](const UserOptions& given) { return invite(given, how); },
                    {name_setting(*options), json_setting(*options)});
}

Command add_command() {
  const auto options = std::make_shared<UserOptions>();
  Settings settings = {name_setting(*options)};
  for (auto& setting : secret_settings(options->password)) settings.push_back(std::move(setting));
  auto command =
      subcommand(options, "add", "Add a user whose password you type",
                 "The password is stored nowhere, in no form: only a sealed record of it. A user who shall choose his "
                 "own is invited: pake user invite.",
                 add, std::move(settings));
  command.environment = secret_variables(SecretKind::password);
  return command;
}

Command list_command() {
  const auto options = std::make_shared<UserOptions>();
  return subcommand(options, "list", "List the users", "", list, {json_setting(*options)});
}

Command transfer_command(std::string name, std::string summary, std::string brief,
                         Expected<void> (*run)(const UserOptions&)) {
  const auto options = std::make_shared<UserOptions>();
  return subcommand(options, std::move(name), std::move(summary), std::move(brief), run);
}

Command show_command() {
  const auto options = std::make_shared<UserOptions>();
  return subcommand(options, "show", "Show a user: his state, and whether his account is under attack", "", show,
                    {name_setting(*options), json_setting(*options)});
}

}  // namespace

Command user_command() {
  return {
      .name = "user",
      .summary = "Look after the users of a server, whether it runs or not",
      .examples = {"pake user invite alice --data /var/lib/pake", "pake user list --data /var/lib/pake"},
      .commands = {
          add_command(), list_command(), show_command(),
          change_command("disable", "Let a user in no more, and end his sessions",
                         "A running server ends his sessions and refuses his tickets within five seconds.",
                         &Administration::disable),
          change_command("enable", "Let a disabled user in again", "", &Administration::enable),
          change_command("remove", "Remove a user", "His sessions and tickets end within five seconds.",
                         &Administration::remove),
          invite_command("invite", "Print a code by which a user chooses his password",
                         "The code stands alone on stdout. It is good for one use, three tries and a day; a newer one "
                         "takes its place. The password of a user who has one works until the code is redeemed.",
                         &Administration::invite),
          invite_command("reset", "Print a code by which a user who is there chooses another password",
                         "The old password works until the code is redeemed.", &Administration::reset),
          change_command("logout", "End a user's sessions and tickets",
                         "He must type his password again, on every device.", &Administration::logout),
          change_command("unthrottle", "Give back all guesses at a user's account",
                         "For an account that is under attack, or whose user has mistyped too often.",
                         &Administration::unthrottle),
          transfer_command("export", "Print all users as JSON lines, their records sealed",
                           "The lines give nothing to guess against, and are of no use without the key file.",
                           export_all),
          transfer_command("import", "Read users from stdin, as pake user export prints them",
                           "Under the same key file. Users who are there already stay as they are; tickets of before "
                           "are void.",
                           import_all)}};
}

}  // namespace pake::cli::server
