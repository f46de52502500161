// What an operator decides. Values; how they are spelled in a file is the program's matter.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "pake/channel/suite.h"
#include "pake/crypto/ksf.h"
#include "pake/net/address.h"
#include "pake/server/guesses.h"
#include "pake/server/networks.h"

namespace pake::server {

/// `receive <line>` for each line, as the seed's server had it.
struct EchoService {
  friend bool operator==(const EchoService&, const EchoService&) = default;
};

/// A TCP or unix socket that is dialled for each stream.
struct ForwardService {
  net::Address backend;
  bool send_user = false;  // a PROXY v2 header with the user's name comes first
  friend bool operator==(const ForwardService&, const ForwardService&) = default;
};

/// A program that is run for each stream, without a shell.
struct ExecService {
  std::vector<std::string> argv;                   // an absolute path first
  std::map<std::string, std::string> environment;  // beside PAKE_USER and PATH; nothing is inherited
  std::string export_label = {};                   // descriptor 3 has a key of the channel under it; empty: no key
  friend bool operator==(const ExecService&, const ExecService&) = default;
};

/// Where two of this server's users meet, or one of them and a stranger if strangers may: docs/wire.md, section 15.
struct MeetService {
  friend bool operator==(const MeetService&, const MeetService&) = default;
};

struct ServiceConfig {
  std::variant<EchoService, ForwardService, ExecService, MeetService> what;
  std::optional<std::set<std::string>> users;  // who may use it; nothing: every user
  friend bool operator==(const ServiceConfig&, const ServiceConfig&) = default;
};

/// A service that a user's client brings.
struct PublishedConfig {
  std::string publisher;
  std::optional<std::set<std::string>> users;
  friend bool operator==(const PublishedConfig&, const PublishedConfig&) = default;
};

struct Limits {
  std::size_t silent = 1024;                        // connections without a complete hello, on all loops
  std::size_t waiting = 4096;                       // clients that are stretching
  std::size_t sessions = 20'000;                    // at once
  std::size_t sessions_per_user = 256;              // at once
  std::size_t streams_per_session = 256;            // at once
  std::chrono::seconds idle{0};                     // a session without a stream ends; 0: never
  std::chrono::seconds session{0};                  // the longest life of a session; 0: no end
  std::chrono::seconds backend_connect{10};         // until a backend answers
  std::chrono::seconds drain{30};                   // at the end, for streams to finish
  std::chrono::seconds ticket_lifetime{7 * 86400};  // after the login by password
  std::size_t meetings = 256;                       // at once, waiting or under way
  std::chrono::seconds meeting_time{86400};         // the longest that one may last
  std::uint64_t meeting_bytes = 64ULL << 30U;       // the most that pass, both ways together
  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Config {
  std::set<std::string> names = {};  // that this server answers to; none: any
  channel::Suite suite = channel::Suite::opaque_ristretto255;
  crypto::KsfProfile ksf = crypto::kDefaultKsfProfile;  // the least that a registration may use
  GuessRules guesses = {};
  Limits limits = {};
  std::map<std::string, ServiceConfig> services = {};
  std::map<std::string, PublishedConfig> published = {};
  NetworkList trusted_proxies = {};
  bool strangers_meet = false;  // whoever connects may meet somebody here, without an account
};

/// Whether `name` can be a service's: 1 to 64 of letters, digits, `.`, `_` and `-`, a letter first.
[[nodiscard]] bool is_service_name(std::string_view name) noexcept;

/// What is wrong with a configuration as a whole, or nothing: names of services, a user to a backend that others reach,
/// a published name that shadows a service.
[[nodiscard]] std::optional<std::string> find_fault(const Config& config);

}  // namespace pake::server
