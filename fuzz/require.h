// What must hold whatever the input is: a broken promise is a crash that libFuzzer reports.
#pragma once

#include <cstdlib>

namespace pake::fuzz {

inline void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace pake::fuzz
