// Whose process is at the other end of a connection within this machine.
#pragma once

#include <sys/types.h>

#include <optional>

#include "pake/net/address.h"

namespace pake::cli {

/// The user whose process holds the connection from `peer` to `local`, both numeric addresses of this machine, as the
/// kernel has it; nothing if there is none, or none any more, or for addresses of other kinds.
[[nodiscard]] std::optional<uid_t> user_of_connection(const net::Address& peer, const net::Address& local);

}  // namespace pake::cli
