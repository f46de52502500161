// What the constant-time programs share: secret inputs.
#pragma once

#include <valgrind/memcheck.h>

#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/base/ct.h"
#include "pake/base/rng.h"
#include "pake/testing/fixed_rng.h"

namespace pake::ct {

/// Reproducible randomness that valgrind takes for secret.
class SecretRng final : public Rng {
 public:
  explicit SecretRng(std::uint64_t seed) : rng_(seed) {}
  void fill(MutableBytes out) override {
    rng_.fill(out);
    mark_secret(out);
  }

 private:
  testing::SeededRng rng_;
};

/// The same bytes, marked secret.
[[nodiscard]] inline Buffer secret(Bytes bytes) {
  auto copy = to_buffer(bytes);
  mark_secret(copy);
  return copy;
}

/// Whether any bit is marked secret: a boundary must not launder what crosses it.
[[nodiscard]] inline bool is_secret(Bytes bytes) {
  Buffer marks(bytes.size());
  VALGRIND_GET_VBITS(bytes.data(), marks.data(), marks.size());
  return marks != Buffer(marks.size());
}

}  // namespace pake::ct
