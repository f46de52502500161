// Randomness is handed in.
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake {

/// A source of random bytes. `crypto::SystemRng` is the operating system's; tests pass a fixed one.
class Rng {
 public:
  Rng() = default;
  Rng(const Rng&) = delete;
  Rng& operator=(const Rng&) = delete;
  virtual ~Rng() = default;

  /// Fills the whole of `out`. A source that cannot answer aborts the process: no caller could go on safely.
  virtual void fill(MutableBytes out) = 0;
};

}  // namespace pake

PAKE_EXPORT_END
