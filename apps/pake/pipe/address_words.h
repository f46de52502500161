// Where the other side reaches this one, in words.
#pragma once

#include <string>

#include "pake/net/address.h"

namespace pake::cli::pipe {

/// The commands of both sides, as hints name them: "pake listen" and "pake dial".
struct BothSides {
  std::string here;   // with the option that takes an address, if it is one: "pake send --listen"
  std::string there;  // "pake receive"
};

/// The address to type at the other side: of one that stands for all, one that this machine has.
[[nodiscard]] std::string reachable(net::Address address);

/// Says what a person who does not know networks well needs to know of an address.
/// @param is_plain  no address was typed
void explain_address(const net::Address& address, bool is_plain, const BothSides& commands);

}  // namespace pake::cli::pipe
