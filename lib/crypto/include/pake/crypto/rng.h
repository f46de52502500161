// The operating system's randomness.
#pragma once

#include "pake/base/rng.h"

namespace pake::crypto {

/// The system's generator (libsodium's randombytes_buf over getrandom). Any thread may use any instance.
class SystemRng final : public Rng {
 public:
  void fill(MutableBytes out) override;
};

}  // namespace pake::crypto
