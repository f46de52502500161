#include "server/serve_options.h"

#include <fmt/format.h>

#include <utility>

#include "options/value.h"
#include "pake/identity/name.h"
#include "pake/internal/try.h"
#include "terminal/escape.h"
#include "trace/trace.h"

namespace pake::cli::server {
namespace {

using pake::server::Config;
using pake::server::LogFormat;
using pake::server::LogLevel;

constexpr std::size_t kMany = 1'000'000;
constexpr std::size_t kYear = 366 * kDay;

std::unexpected<Problem> wrong(std::string error, std::string hint = {}) {
  return std::unexpected(Problem{.exit_code = kExitUsage, .error = std::move(error), .hint = std::move(hint)});
}

std::string check_address_to_listen(std::string_view typed) {
  const auto address = parse_address_to_listen(typed);
  return address ? "" : address.error().error;
}

/// A list of which each text is kept as it is, `was_set` told.
Value list_of(std::vector<std::string>& values, std::string name, bool* was_set = nullptr) {
  auto value = texts(values, std::move(name));
  if (was_set == nullptr) return value;
  value.clear = [&values, was_set] {
    values.clear();
    *was_set = true;
  };
  return value;
}

// NAME=TARGET, as on the command line and as NAME = "TARGET" in a file.
Value services_value(std::map<std::string, ServiceText>& services) {
  return {.type = Value::Type::list,
          .name = "NAME=TARGET",
          .bounds = "TARGET is HOST:PORT, unix:PATH, echo or meet",
          .set = [&services](std::string_view text) -> Accepted {
            const auto equals = text.find('=');
            if (equals == std::string_view::npos || equals == 0)
              return std::unexpected(Complaint{.error = fmt::format("'{}' is not NAME=HOST:PORT", escape(text)),
                                               .hint = "--service web=127.0.0.1:80"});
            services[std::string(text.substr(0, equals))].to = text.substr(equals + 1);
            return {};
          },
          .show =
              [&services] {
                std::string all;
                for (const auto& [name, service] : services)
                  all += fmt::format("{}={},{},{},{},{},{};", name, service.to, fmt::join(service.exec, " "),
                                     fmt::join(service.users, " "), service.send_user,
                                     fmt::join(service.environment, " "), service.export_label);
                return all;
              }};
}

std::vector<Setting> service_members(std::map<std::string, ServiceText>& services, const std::string& name) {
  auto& service = services[name];
  return {
      {.key = "to", .value = text(service.to, "TARGET"), .help = "HOST:PORT, unix:PATH, echo or meet"},
      {.key = "exec", .value = list_of(service.exec, "WORDS"), .help = "A program and its arguments, without a shell"},
      {.key = "environment",
       .value = list_of(service.environment, "NAME=VALUE"),
       .help = "What the program finds beside PATH and PAKE_USER"},
      {.key = "export",
       .value = label(service.export_label),
       .help = "Give the program, on descriptor 3, the key that a client's --export prints for this label"},
      {.key = "users",
       .value = list_of(service.users, "NAMES", &service.is_for_some),
       .help = "Who may use it; every user if this is missing"},
      {.key = "send_user",
       .value = flag(service.send_user),
       .help = "Begin with a PROXY protocol header (version 2) that names the user, in TLV 0xE0"}};
}

Value published_value(std::map<std::string, PublishedText>& published) {
  return {.type = Value::Type::list,
          .name = "NAME=USER",
          .set = [&published](std::string_view text) -> Accepted {
            const auto equals = text.find('=');
            if (equals == std::string_view::npos || equals == 0)
              return std::unexpected(Complaint{.error = fmt::format("'{}' is not NAME=USER", escape(text))});
            published[std::string(text.substr(0, equals))].publisher = text.substr(equals + 1);
            return {};
          },
          .show =
              [&published] {
                std::string all;
                for (const auto& [name, one] : published)
                  all += fmt::format("{}={},{};", name, one.publisher, fmt::join(one.users, " "));
                return all;
              }};
}

std::vector<Setting> published_members(std::map<std::string, PublishedText>& published, const std::string& name) {
  auto& one = published[name];
  return {{.key = "publisher", .value = text(one.publisher, "NAME"), .help = "The user who may publish it"},
          {.key = "users",
           .value = list_of(one.users, "NAMES", &one.is_for_some),
           .help = "Who may use it; every user if this is missing"}};
}

Expected<std::string> to_name(const std::string& typed) {
  auto name = identity::normalise_name(as_bytes(typed));
  if (name) return *std::move(name);
  return wrong(fmt::format("'{}' cannot be a user's name", escape(typed)));
}

Expected<std::optional<std::set<std::string>>> to_users(const std::vector<std::string>& typed, bool is_for_some) {
  if (!is_for_some) return std::nullopt;
  std::set<std::string> users;
  for (const auto& one : typed) {
    PAKE_TRY(auto name, to_name(one));
    users.insert(std::move(name));
  }
  return users;
}

Expected<pake::server::ServiceConfig> to_service(const std::string& name, const ServiceText& text) {
  pake::server::ServiceConfig service;
  PAKE_TRY(service.users, to_users(text.users, text.is_for_some));
  if (text.exec.empty() == text.to.empty())
    return wrong(fmt::format("service '{}' has either `to` or `exec`", escape(name)));
  if (text.exec.empty() && !text.export_label.empty())
    return wrong(fmt::format("service '{}': `export` belongs beside `exec`: only a program gets a key", escape(name)));
  if (!text.exec.empty()) {
    pake::server::ExecService exec{.argv = text.exec, .environment = {}, .export_label = text.export_label};
    for (const auto& entry : text.environment) {
      const auto equals = entry.find('=');
      if (equals == std::string::npos || equals == 0)
        return wrong(fmt::format("service '{}': '{}' is not NAME=VALUE", escape(name), escape(entry)));
      exec.environment[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    service.what = std::move(exec);
    return service;
  }
  if (text.to == "echo") {
    service.what = pake::server::EchoService{};
    return service;
  }
  if (text.to == "meet") {
    service.what = pake::server::MeetService{};
    return service;
  }
  const auto address = net::parse_address(text.to);
  if (!address) return wrong(fmt::format("service '{}': {}: {}", escape(name), escape(text.to), address.error()));
  const auto* const tcp = std::get_if<net::TcpAddress>(&*address);
  if (tcp != nullptr && (tcp->port == 0 || tcp->host.empty()))
    return wrong(fmt::format("service '{}': {} is nowhere to connect to", escape(name), escape(text.to)));
  service.what = pake::server::ForwardService{.backend = *address, .send_user = text.send_user};
  return service;
}

store::BucketRule rule(std::size_t burst, std::chrono::seconds refill) {
  return {.burst = static_cast<std::uint32_t>(burst), .refill_interval = refill};
}

Setting number_setting(std::string key, std::size_t& value, std::string help, Bounds<std::size_t> bounds) {
  return {.key = std::move(key), .value = number(value, "NUMBER", bounds), .help = std::move(help), .reloadable = true};
}
Setting seconds_setting(std::string key, std::chrono::seconds& value, std::string help, Bounds<std::size_t> bounds) {
  return {.key = std::move(key), .value = seconds(value, bounds), .help = std::move(help), .reloadable = true};
}

Settings guess_settings(ServeOptions& o) {
  constexpr Bounds<std::size_t> kBurst{.from = 1, .to = kMany};
  constexpr Bounds<std::size_t> kRefill{.from = 1, .to = 30 * kDay};
  return {
      number_setting("guesses.account_burst", o.account_burst, "Wrong passwords at one account, one after another",
                     kBurst),
      seconds_setting("guesses.account_refill", o.account_refill, "Until one of them comes back", kRefill),
      number_setting("guesses.source_burst", o.source_burst, "Wrong passwords from one network (/32, /64)", kBurst),
      seconds_setting("guesses.source_refill", o.source_refill, "Until one of them comes back", kRefill),
      number_setting("guesses.source_rows", o.source_rows,
                     "Rows of the ledger, one a name, that one network may make in an hour", {.from = 2, .to = kMany}),
      number_setting("guesses.device_burst", o.device_burst,
                     "Wrong passwords from a known device while its account is under attack", kBurst),
      seconds_setting("guesses.device_refill", o.device_refill, "Until one of them comes back", kRefill)};
}

Settings limit_settings(ServeOptions& o) {
  constexpr Bounds<std::size_t> kPlaces{.from = 1, .to = kMany};
  Settings settings = {
      number_setting("limits.sessions", o.sessions, "Sessions at once", kPlaces),
      number_setting("limits.sessions_per_user", o.sessions_per_user, "Sessions of one user at once", kPlaces),
      number_setting("limits.streams_per_session", o.streams_per_session, "Streams of one session at once",
                     {.from = 1, .to = 256}),
      seconds_setting("limits.idle", o.idle, "A session without a stream ends after so long; 0: never",
                      {.from = 0, .to = kYear}),
      seconds_setting("limits.session", o.session, "The longest that a session may last; 0: no end",
                      {.from = 0, .to = kYear}),
      seconds_setting("limits.backend_connect", o.backend_connect, "How long a service's backend may take to answer",
                      {.from = 1, .to = 300}),
      seconds_setting("limits.drain", o.drain, "How long streams may go on when the server is told to end",
                      {.from = 0, .to = kDay}),
      seconds_setting("limits.ticket_lifetime", o.ticket_lifetime,
                      "How long a device gets in again without the password, from the login by password on; 0: never",
                      {.from = 0, .to = 90 * kDay}),
      number_setting("limits.meetings", o.meetings, "Meetings at once, waiting or under way",
                     {.from = 1, .to = 100'000}),
      seconds_setting("limits.meeting_time", o.meeting_time, "The longest that a meeting may last",
                      {.from = 1, .to = kYear}),
      number_setting("limits.meeting_mebibytes", o.meeting_mebibytes, "What may pass in a meeting, both ways, in MiB",
                     {.from = 1, .to = 1'000'000'000}),
      number_setting("limits.silent", o.silent, "Connections that have not said anything yet", kPlaces),
      number_setting("limits.waiting", o.waiting, "Clients that are stretching their password", kPlaces)};
  for (auto& setting : settings)
    if (setting.key == "limits.silent" || setting.key == "limits.waiting") setting.reloadable = false;
  return settings;
}

void append(Settings& settings, Settings more) {
  for (auto& setting : more) settings.push_back(std::move(setting));
}

}  // namespace

Settings serve_settings(ServeOptions& o) {
  Settings settings = {
      {.flag = "ADDRESS",
       .key = "listen",
       .value = list_of(o.addresses, "ADDRESS"),
       .help =
           "Where to listen: PORT, HOST:PORT, [V6]:PORT or unix:PATH, several if need be; 127.0.0.1:8088 without it"},
      {.flag = "--service",
       .key = "services",
       .value = services_value(o.services),
       .help = "Offer a service: connections to it go to HOST:PORT or unix:PATH",
       .reloadable = true,
       .members = [&o](const std::string& name) { return service_members(o.services, name); }}};
  append(settings, data_settings(o.data));
  append(settings,
         {{.flag = "--name",
           .key = "names",
           .value = list_of(o.names, "NAME"),
           .help = "A name by which clients may call this server; without it, any",
           .reloadable = true},
          {.flag = "--suite",
           .key = "suite",
           .value = choice<channel::Suite>(
               o.suite, "SUITE",
               {{"ristretto255", channel::Suite::opaque_ristretto255}, {"p256", channel::Suite::opaque_p256}}),
           .help = "The suite of logins, chosen at the first start"},
          {.flag = "--ksf",
           .key = "ksf",
           .value = choice<crypto::KsfProfile>(o.ksf, "PROFILE",
                                               {{"rfc9106-2", crypto::KsfProfile::rfc9106_2},
                                                {"rfc9807", crypto::KsfProfile::rfc9807},
                                                {"scrypt-rfc9807", crypto::KsfProfile::scrypt_rfc9807},
                                                {"small", crypto::KsfProfile::small}}),
           .help = "How passwords are stretched, chosen at the first start"},
          {.key = "published",
           .value = published_value(o.published),
           .help = "Services that a user's client brings: NAME = USER",
           .reloadable = true,
           .members = [&o](const std::string& name) { return published_members(o.published, name); }},
          {.flag = "--meet",
           .key = "strangers_meet",
           .value = flag(o.strangers_meet),
           .help = "Let strangers meet here, without an account: what they say to each other passes and is not read",
           .reloadable = true},
          {.key = "trusted_proxies",
           .value = list_of(o.trusted_proxies, "NETWORK"),
           .help = "Proxies that must begin with a PROXY protocol header (version 2): addresses, networks or `unix`",
           .reloadable = true},
          {.flag = "--metrics",
           .key = "metrics",
           .value = text(o.metrics, "ADDRESS", check_address_to_listen),
           .help = "Where Prometheus finds /metrics, and others /healthz and /readyz"},
          trace::setting(o.trace),
          {.key = "threads",
           .value = number(o.threads, "NUMBER", {.from = 0, .to = 256}),
           .help = "Event loops; 0: one a core"},
          {.key = "log.format",
           .value = choice<LogFormat>(o.log_format, "FORMAT", {{"text", LogFormat::text}, {"json", LogFormat::json}}),
           .help = "How the log is written",
           .reloadable = true},
          {.key = "log.level",
           .value = choice<LogLevel>(o.log_level, "LEVEL",
                                     {{"debug", LogLevel::debug},
                                      {"info", LogLevel::info},
                                      {"warning", LogLevel::warning},
                                      {"error", LogLevel::error}}),
           .help = "From which level on",
           .reloadable = true},
          {.key = "log.file",
           .value = file(o.log_file),
           .help = "Where to; stderr without it. A reload opens it anew",
           .reloadable = true}});
  append(settings, guess_settings(o));
  append(settings, limit_settings(o));
  return settings;
}

Expected<pake::server::Config> to_config(const ServeOptions& o, bool has_file) {
  Config config;
  config.names = {o.names.begin(), o.names.end()};
  config.suite = o.suite;
  config.ksf = o.ksf;
  config.guesses.account = rule(o.account_burst, o.account_refill);
  config.guesses.source = rule(o.source_burst, o.source_refill);
  config.guesses.device = rule(o.device_burst, o.device_refill);
  config.guesses.new_rows = pake::server::rows_an_hour(static_cast<std::uint32_t>(o.source_rows));
  config.limits = {.silent = o.silent,
                   .waiting = o.waiting,
                   .sessions = o.sessions,
                   .sessions_per_user = o.sessions_per_user,
                   .streams_per_session = o.streams_per_session,
                   .idle = o.idle,
                   .session = o.session,
                   .backend_connect = o.backend_connect,
                   .drain = o.drain,
                   .ticket_lifetime = o.ticket_lifetime,
                   .meetings = o.meetings,
                   .meeting_time = o.meeting_time,
                   .meeting_bytes = std::uint64_t{o.meeting_mebibytes} << 20U};
  config.strangers_meet = o.strangers_meet;
  if (!has_file) config.services["echo"] = {.what = pake::server::EchoService{}, .users = {}};
  for (const auto& [name, text] : o.services) {
    PAKE_TRY(auto service, to_service(name, text));
    config.services.insert_or_assign(name, std::move(service));
  }
  for (const auto& [name, text] : o.published) {
    pake::server::PublishedConfig published;
    PAKE_TRY(published.publisher, to_name(text.publisher));
    PAKE_TRY(published.users, to_users(text.users, text.is_for_some));
    config.published.emplace(name, std::move(published));
  }
  for (const auto& network : o.trusted_proxies) {
    if (network == "unix")
      config.trusted_proxies.add_unix();
    else if (!config.trusted_proxies.add(network))
      return wrong(fmt::format("'{}' is no network", escape(network)), "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]");
  }
  if (auto fault = pake::server::find_fault(config)) return wrong(*std::move(fault));
  return config;
}

pake::server::LogOptions to_log_options(const ServeOptions& options) {
  return {.format = options.log_format, .level = options.log_level, .file = options.log_file.value_or("")};
}

Expected<std::vector<net::Address>> to_addresses(const ServeOptions& options) {
  std::vector<net::Address> addresses;
  for (const auto& typed : options.addresses) {
    auto address = parse_address_to_listen(typed);
    if (!address) return wrong(fmt::format("ADDRESS: {}", address.error().error), std::move(address.error().hint));
    addresses.push_back(std::move(*address));
  }
  if (addresses.empty()) addresses.emplace_back(net::TcpAddress{});
  return addresses;
}

}  // namespace pake::cli::server
