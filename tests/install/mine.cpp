// A user's own shared library: it exports one function.
#include "pake/cpace.h"
#include "pake/opaque.h"

extern "C" __attribute__((visibility("default"))) int mine_draw() {
  pake::crypto::SystemRng rng;
  const auto names = pake::cpace::lv_cat({pake::as_bytes("mine")});
  pake::Buffer bytes(names.size());
  rng.fill(bytes);
  return bytes.empty() ? 0 : bytes[0];
}
