// Who logs in where: NAME@HOST[:PORT].
#pragma once

#include <string>

#include "options/value.h"
#include "pake/net/address.h"
#include "process/problem.h"

namespace pake::cli::login {

struct Destination {
  std::string name;              // the user's, normalised; empty if none was typed
  net::Address address = {};     // where the server is
  std::string server_name = {};  // as it was typed, without the port: docs/wire.md, section 3.2
  std::string typed;
  std::string host = {};  // what stands behind the @
};

/// NAME@HOST[:PORT], NAME@[V6]:PORT or NAME@unix:PATH, split at the last @. The name may be left out, if a
/// configuration has it. What looks like a code is refused.
[[nodiscard]] std::expected<Destination, Complaint> parse_destination(std::string_view typed);

/// What is wrong if no configuration has the name either.
[[nodiscard]] Problem no_user(const Destination& destination);
/// Where `address` is, by which name of the server.
void set_address(Destination& destination, net::Address address);

/// The same for a command's table.
[[nodiscard]] Value destination(Destination& value);

}  // namespace pake::cli::login
