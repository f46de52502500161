#include "pake/crypto/rng.h"

#include <sodium.h>

#include "sodium_init.h"

namespace pake::crypto {

void SystemRng::fill(MutableBytes out) {
  ensure_sodium();
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

}  // namespace pake::crypto
