#include "login/hosts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "login/destination.h"
#include "login/named_hosts.h"
#include "login/remembering.h"
#include "options/quiet.h"
#include "pake/store/key_file.h"
#include "process/output.h"
#include "server/time_text.h"
#include "terminal/escape.h"

namespace pake::cli::login {
namespace {

using Json = nlohmann::ordered_json;

struct HostsOptions {
  LoginOptions login = {};
  NamedHosts hosts = {};
  bool json = false;
  bool names = false;
  bool services = false;
};

std::uint64_t now() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

std::string until(const client::RememberedTicket& ticket) {
  return server::iso_time(store::Time(std::chrono::seconds(ticket.lent_at + ticket.lifetime)));
}

std::string in_json(const client::RememberedHost& host) {
  const bool is_good = host.ticket && host.ticket->is_good_at(now());
  return Json{{"user", host.id.user},
              {"host", host.id.address},
              {"server_key", store::fingerprint(host.server_public_key)},
              {"ticket_until", is_good ? Json(until(*host.ticket)) : Json()}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string in_words(const client::RememberedHost& host) {
  const bool is_good = host.ticket && host.ticket->is_good_at(now());
  return fmt::format("{}  key {}  {}", escape(to_string(host.id)), store::fingerprint(host.server_public_key),
                     is_good ? fmt::format("ticket until {}", until(*host.ticket)) : "no ticket");
}

int no_place() {
  return report({.exit_code = kExitStore,
                 .error = "there is no place where servers could be remembered",
                 .hint = "set HOME or XDG_STATE_HOME"});
}

// What shells complete: all that is remembered or has a name, and nothing that cannot be read.
int list_words(const HostsOptions& options) {
  std::set<std::string> words;
  if (options.names) {
    const auto memory = host_memory();
    const auto listed = memory ? memory->list() : client::Remembered<client::HostMemory::Listed>();
    if (listed)
      for (const auto& host : listed->hosts) words.insert(escape(to_string(host.id)));
    for (const auto& [name, host] : options.hosts) words.insert(host.user.empty() ? name : host.user + '@' + name);
  }
  if (options.services)
    for (const auto& [name, host] : options.hosts) {
      words.insert(host.services.begin(), host.services.end());
      if (!host.service.empty()) words.insert(host.service);
    }
  Output output(STDOUT_FILENO);
  for (const auto& word : words) output.line(word);
  return output.failure() == 0 ? kExitOk : kExitFailed;
}

int list(const HostsOptions& options) {
  if (options.names || options.services) return list_words(options);
  const auto memory = host_memory();
  if (!memory) return no_place();
  const auto listed = memory->list();
  if (!listed) return report(cannot_remember(listed.error()));
  Output output(STDOUT_FILENO);
  for (const auto& host : listed->hosts) output.line(options.json ? in_json(host) : in_words(host));
  if (const auto written = output.outcome(); !written) return report(written.error());
  int exit_code = kExitOk;
  for (const auto& failure : listed->failures) exit_code = report(cannot_remember(failure));
  return exit_code;
}

int forget(const HostsOptions& options) {
  const auto memory = host_memory();
  if (!memory) return no_place();
  const auto id = host_id(options.login.destination);
  const auto forgotten = memory->forget(id);
  if (!forgotten) return report(cannot_remember(forgotten.error()));
  if (!*forgotten)
    return report({.error = fmt::format("{} is not remembered", escape(to_string(id))), .hint = "pake hosts list"});
  say_note(fmt::format("{} is forgotten: the next login meets it as for the first time", escape(to_string(id))));
  return kExitOk;
}

}  // namespace

Command hosts_command() {
  const auto options = std::make_shared<HostsOptions>();
  Command to_list = {
      .name = "list",
      .summary = "List the servers that are remembered",
      .brief = "Each with the fingerprint of its key, and until when its ticket logs in without a password.",
      .examples = {"pake hosts list", "pake hosts list --json"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitStore},
      .settings = {{.flag = "--json", .value = flag(options->json), .help = "Print JSON, an object a line"},
                   quiet_setting(),
                   {.flag = "--names",
                    .value = flag(options->names),
                    .help = "Print names alone, those of the configuration too, as shells complete them"},
                   {.flag = "--services",
                    .value = flag(options->services),
                    .help = "Print the services that the configuration names"}},
      .run = [options](const Invocation&) { return list(*options); }};
  add_client_configuration(to_list, options->hosts);
  Command to_forget = {
      .name = "forget",
      .summary = "Forget a server: its key, and the ticket to it",
      .brief = "For a server that was made anew, and before a machine is given away.",
      .examples = {"pake hosts forget alice@box"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitStore},
      .settings = {{.flag = "NAME@HOST",
                    .value = destination(options->login.destination),
                    .help = "Which, as pake hosts list shows it",
                    .required = true},
                   quiet_setting()},
      .check = [options](const Given& given) { return apply_host(options->hosts, given, {.login = options->login}); },
      .run = [options](const Invocation&) { return forget(*options); }};
  add_client_configuration(to_forget, options->hosts);
  return {
      .name = "hosts",
      .summary = "See and forget what --remember keeps of servers",
      .text = {"Of each server that was logged in to with --remember, this machine keeps the public key and the last "
               "ticket, in $XDG_STATE_HOME/pake/hosts or ~/.local/state/pake/hosts, a file each, readable for its "
               "owner alone."},
      .examples = {"pake hosts list"},
      .commands = {std::move(to_list), std::move(to_forget)}};
}

}  // namespace pake::cli::login
