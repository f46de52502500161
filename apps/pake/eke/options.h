// The options of `pake eke listen` and `pake eke connect`.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "eke/report.h"
#include "pake/net/address.h"
#include "pake/proto/eke/rsa_eke.h"
#include "secrets/secret_source.h"

namespace pake::cli::eke {

/// What both sides have. The defaults are the seed's.
struct CommonOptions {
  net::Address address;
  pake::eke::CipherMode mode = pake::eke::CipherMode::gcm;
  std::string user = "server";
  SecretOptions secret;
  std::optional<std::string> trace;  // a file for what passes
  Style style;
  std::chrono::seconds deadline{10};
};

struct ListenOptions : CommonOptions {
  std::optional<std::string> users;
  bool once = false;
  std::chrono::seconds idle{3600};
  std::size_t max_connections = 10'000;
};

struct ConnectOptions : CommonOptions {
  std::size_t bits = 1024;
  pake::eke::Form form = pake::eke::Form::seed;
};

/// The given password, or the seed's.
[[nodiscard]] Expected<SecretBuffer> password_or_default(const SecretOptions& options);

/// Says once, on stderr, what this protocol is.
void say_history();

}  // namespace pake::cli::eke
