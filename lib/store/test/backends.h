// The stores that the contract is tested on.
#pragma once

#include <expected>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "rig.h"

namespace pake::store::testing {

struct NamedBackend {
  std::string name;
  /// A fresh one; or, in words, why there is none on this machine.
  std::expected<std::unique_ptr<Backend>, std::string> (*make)();

  friend void PrintTo(const NamedBackend& backend, std::ostream* out) { *out << backend.name; }
};

[[nodiscard]] std::vector<NamedBackend> backends();

}  // namespace pake::store::testing
