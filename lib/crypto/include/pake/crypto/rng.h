// The operating system's randomness.
#pragma once

#include "pake/base/export.h"
#include "pake/base/rng.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

/// The system's generator (libsodium's randombytes_buf over getrandom). Any thread may use any instance.
class SystemRng final : public Rng {
 public:
  void fill(MutableBytes out) override;
};

}  // namespace pake::crypto

PAKE_EXPORT_END
