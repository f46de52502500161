#include "sodium_init.h"

#include <sodium.h>

#include <cstdlib>

namespace pake::crypto {

void ensure_sodium() {
  static const int ready = sodium_init();
  if (ready < 0) std::abort();
}

}  // namespace pake::crypto
