// The options of `pake listen` and `pake dial`.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "pake/channel/keys.h"
#include "pake/net/address.h"
#include "secrets/secret_source.h"

namespace pake::cli::pipe {

struct CommonOptions {
  net::Address address;
  std::optional<std::string> trace;  // a file for what passes
  bool quiet = false;
};

struct ListenOptions : CommonOptions {};

struct DialOptions : CommonOptions {
  SecretOptions secret;
  std::chrono::seconds deadline{10};
};

/// AES-256-GCM where the processor has instructions for it.
[[nodiscard]] channel::AeadId fastest_aead() noexcept;

}  // namespace pake::cli::pipe
