// What pake serve may be told, on its command line and in its configuration file.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "options/command.h"
#include "pake/net/address.h"
#include "pake/server/config.h"
#include "pake/server/log.h"
#include "process/problem.h"
#include "server/data.h"

namespace pake::cli::server {

/// A service as it is written; what kind it is, is found out when all is read.
struct ServiceText {
  std::string to = {};                        // HOST:PORT, unix:PATH or `echo`
  std::vector<std::string> exec = {};         // a program and its arguments
  std::vector<std::string> environment = {};  // of the program: NAME=VALUE
  std::string export_label = {};              // of a key that the program gets
  std::vector<std::string> users = {};
  bool is_for_some = false;  // `users` was written
  bool send_user = false;
};

struct PublishedText {
  std::string publisher = {};
  std::vector<std::string> users = {};
  bool is_for_some = false;
};

struct ServeOptions {
  DataOptions data;
  std::vector<std::string> addresses;
  std::map<std::string, ServiceText> services;
  std::map<std::string, PublishedText> published;
  std::vector<std::string> names;
  std::vector<std::string> trusted_proxies;
  channel::Suite suite = channel::Suite::opaque_ristretto255;
  crypto::KsfProfile ksf = crypto::kDefaultKsfProfile;

  std::size_t account_burst = 10, source_burst = 30, device_burst = 5, source_rows = 1000;
  std::chrono::seconds account_refill{3600}, source_refill{60}, device_refill{3600};

  std::size_t silent = 1024, waiting = 4096, sessions = 20'000, sessions_per_user = 256, streams_per_session = 256;
  std::chrono::seconds idle{0}, session{0}, backend_connect{10}, drain{30}, ticket_lifetime{7 * 86'400};

  std::size_t meetings = 256, meeting_mebibytes = 64 << 10U;
  std::chrono::seconds meeting_time{86'400};
  bool strangers_meet = false;

  std::optional<std::string> metrics;
  std::optional<std::string> trace;  // a file for what passes
  std::size_t threads = 0;           // 0: one a core
  pake::server::LogFormat log_format = pake::server::LogFormat::text;
  pake::server::LogLevel log_level = pake::server::LogLevel::info;
  std::optional<std::string> log_file;
};

[[nodiscard]] Settings serve_settings(ServeOptions& options);

/// The configuration that they make, or what is wrong with it.
/// @param has_file  a configuration file was named: then nothing is offered but what is written
[[nodiscard]] Expected<pake::server::Config> to_config(const ServeOptions& options, bool has_file);
[[nodiscard]] pake::server::LogOptions to_log_options(const ServeOptions& options);
/// Where to listen; loopback unless something else is written.
[[nodiscard]] Expected<std::vector<net::Address>> to_addresses(const ServeOptions& options);

}  // namespace pake::cli::server
