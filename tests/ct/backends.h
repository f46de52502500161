// What the constant-time programs over ristretto255 share: every way to compute it.
#pragma once

#include <cstdio>

#include "pake/crypto/backend.h"

namespace pake::ct {

/// Runs `use` with every way to compute ristretto255 that valgrind can run, and leaves libsodium chosen: the lanes
/// cross no boundary, so boundaries.md counts libsodium's alone.
template <class Use>
void for_each_ristretto255_backend(const Use& use) {
  using crypto::RistrettoBackend;
  if (crypto::choose_ristretto255_backend(RistrettoBackend::avx2))
    use();
  else
    static_cast<void>(std::fputs("no AVX2: its lanes are not looked into\n", stderr));
  crypto::choose_ristretto255_backend(RistrettoBackend::portable);
  use();
  crypto::choose_ristretto255_backend(RistrettoBackend::libsodium);
  use();
}

}  // namespace pake::ct
