#include "login/named_hosts.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/identity/name.h"

namespace pake::cli::login {
namespace {

std::string_view environment(const char* name) {
  const char* const value = ::secure_getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::optional<std::string> usual_file() {
  namespace fs = std::filesystem;
  const auto configuration = environment("XDG_CONFIG_HOME");
  const auto home = environment("HOME");
  if (!configuration.starts_with('/') && !home.starts_with('/')) return std::nullopt;
  const auto directory = configuration.starts_with('/') ? fs::path(configuration) : fs::path(home) / ".config";
  auto file = directory / "pake" / "config.toml";
  std::error_code error;
  if (!fs::exists(file, error) && !error) return std::nullopt;
  return file.string();
}

/// One key of a host's table; notes that it is there.
Setting one(NamedHost& host, const char* key, Value value, const char* help) {
  value.set = [&host, key, set = std::move(value.set)](std::string_view typed) -> Accepted {
    host.given.insert(key);
    return set(typed);
  };
  return {.key = key, .value = std::move(value), .help = help};
}

std::string check_user(std::string_view typed) {
  return identity::normalise_name(as_bytes(typed)) ? "" : "it has 1 to 255 bytes of letters, digits and . _ - + @";
}

Settings settings_of(NamedHost& host) {
  return {
      one(host, "address", address_to_dial(host.address), "Where the server is, if not at the host's own name"),
      one(host, "user", text(host.user, "NAME", check_user), "Who logs in, if no NAME@ is typed"),
      one(host, "service", text(host.service, "SERVICE"), "The service, if none is typed"),
      one(host, "services", texts(host.services, "SERVICE"), "Services that completion offers"),
      one(host, "local", local_ports(host.locals), "Where pake forward listens, if no -L is typed"),
      one(host, "ksf_ceiling", ksf_profile(host.ksf_ceiling), "As --ksf-ceiling"),
      one(host, "ksf_floor", ksf_profile(host.ksf_floor), "As --ksf-floor"),
      one(host, "deadline", seconds(host.deadline), "As --deadline"),
      one(host, "password_file", file(host.password_file), "As --password-file, if no other source is named"),
      one(host, "remember", flag(host.remember), "As --remember"),
  };
}

bool names_a_password(const Given& given) {
  for (const auto* const option : {"--password-fd", "--password-file", "--password-prompt"})
    if (given.contains(option)) return true;
  return ::secure_getenv("PAKE_PASSWORD") != nullptr;  // NOLINT(concurrency-mt-unsafe): before any thread
}

void apply(const NamedHost& host, const Given& given, Settable& settable) {
  auto& login = settable.login;
  const auto holds = [&](const char* key, const char* option) {
    return host.given.contains(key) && !given.contains(option);
  };
  if (host.given.contains("address")) set_address(login.destination, host.address);
  if (login.destination.name.empty() && host.given.contains("user"))
    login.destination.name = identity::normalise_name(as_bytes(host.user)).value_or("");
  if (settable.service != nullptr && holds("service", "SERVICE")) *settable.service = host.service;
  if (settable.locals != nullptr && holds("local", "-L,--local")) *settable.locals = host.locals;
  if (holds("ksf_ceiling", "--ksf-ceiling")) login.ksf_ceiling = host.ksf_ceiling;
  if (settable.ksf_floor != nullptr && holds("ksf_floor", "--ksf-floor")) *settable.ksf_floor = host.ksf_floor;
  if (holds("deadline", "--deadline")) login.deadline = host.deadline;
  if (holds("remember", "--remember")) login.remember = host.remember;
  if (host.password_file && !names_a_password(given)) login.password.file = host.password_file;
}

}  // namespace

Setting hosts_setting(NamedHosts& hosts) {
  return {.key = "host",
          .value = {.type = Value::Type::list,
                    .name = "NAME",
                    .set = [](std::string_view) -> Accepted {
                      return std::unexpected(Complaint{.error = "a host is a table of its own", .hint = "[host.NAME]"});
                    },
                    .show = [] { return std::string(); },
                    .clear = [&hosts] { hosts.clear(); }},
          .help = "Hosts by a name of one's own",
          .members = [&hosts](const std::string& name) { return settings_of(hosts[name]); }};
}

void add_client_configuration(Command& command, NamedHosts& hosts) {
  command.settings.push_back(hosts_setting(hosts));
  // Other commands read it: meeting/via.h.
  command.settings.push_back({.key = "via",
                              .value = {.name = "HOST",
                                        .set = [](std::string_view) -> Accepted { return {}; },
                                        .show = [] { return std::string(); }},
                              .help = "As --via of pake send, receive, listen and dial, if no other way is typed"});
  add_usual_configuration(command);
}

void add_usual_configuration(Command& command) {
  add_configuration(command);
  command.configuration->usual_file = usual_file;
}

Expected<void> apply_host(const NamedHosts& hosts, const Given& given, Settable settable) {
  auto& destination = settable.login.destination;
  if (const auto host = hosts.find(destination.host); host != hosts.end()) {
    const bool has_user = !destination.name.empty();
    apply(host->second, given, settable);
    if (!has_user && !destination.name.empty()) destination.typed = destination.name + '@' + destination.host;
  }
  if (destination.name.empty()) return std::unexpected(no_user(destination));
  return {};
}

}  // namespace pake::cli::login
