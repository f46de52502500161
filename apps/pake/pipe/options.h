// The options of `pake listen` and `pake dial`.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "meeting/via.h"
#include "pake/net/address.h"
#include "secrets/secret_source.h"

namespace pake::cli::pipe {

struct CommonOptions {
  net::Address address;
  std::optional<std::string> trace;              // a file for what passes
  std::optional<std::string> export_label = {};  // print a key of the channel instead
  meeting::ViaOptions via = {};
};

/// What --tries allows. A code is one of 94 million, and each try is a guess of an attacker's.
inline constexpr std::size_t kMostTries = 5;

struct ListenOptions : CommonOptions {
  bool is_plain = false;  // no ADDRESS was typed
  std::size_t tries = 1;
};

struct DialOptions : CommonOptions {
  SecretOptions secret{.kind = SecretKind::code};
  std::chrono::seconds deadline{10};
};

}  // namespace pake::cli::pipe
