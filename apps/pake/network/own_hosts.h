// By which addresses other machines reach this one.
#pragma once

#include <string>
#include <vector>

namespace pake::cli {

/// The addresses of the interfaces that are up, without loopback and link-local ones; IPv4 first, as people type them.
/// If there are none, the host's name. Never empty.
[[nodiscard]] std::vector<std::string> own_hosts();

}  // namespace pake::cli
