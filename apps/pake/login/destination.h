// Who logs in where: NAME@HOST[:PORT].
#pragma once

#include <string>

#include "options/value.h"
#include "pake/net/address.h"

namespace pake::cli::login {

struct Destination {
  std::string name;         // the user's, normalised
  net::Address address;     // where the server is
  std::string server_name;  // as it was typed, without the port: docs/wire.md, section 3.2
  std::string typed;
};

/// NAME@HOST[:PORT], NAME@[V6]:PORT or NAME@unix:PATH, split at the last @. What looks like a code is refused.
[[nodiscard]] std::expected<Destination, Complaint> parse_destination(std::string_view typed);

/// The same for a command's table.
[[nodiscard]] Value destination(Destination& value);

}  // namespace pake::cli::login
