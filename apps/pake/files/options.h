// The options of `pake send` and `pake receive`.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "meeting/via.h"
#include "pake/net/address.h"
#include "secrets/secret_source.h"

namespace pake::cli::files {

inline constexpr std::chrono::seconds kDefaultWait{120};

struct CommonOptions {
  net::Address address;
  std::chrono::seconds wait = kDefaultWait;  // after a cut, for the other side to come back
  bool json = false;
  bool lan = false;  // find the other side in this network
  meeting::ViaOptions via = {};
  std::optional<std::string> trace = {};  // a file for what passes
};

struct SendOptions : CommonOptions {
  bool is_plain = false;  // no address was typed
  std::vector<std::string> paths;
  std::vector<std::string> excluded;
  std::optional<std::string> text;
  std::string stdin_name = "stdin";
  std::size_t tries = 1;
  std::size_t receivers = 1;
  bool qr = false;
};

struct ReceiveOptions : CommonOptions {
  SecretOptions secret{.kind = SecretKind::code};
  std::chrono::seconds deadline{10};
  std::string out = ".";  // a folder, or "-"
  bool yes = false;
  bool overwrite = false;
};

}  // namespace pake::cli::files
