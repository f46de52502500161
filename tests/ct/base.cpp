// The base room on secret bytes.
#include <cstdlib>

#include "secrets.h"

using namespace pake;

int main() {
  const auto a = ct::secret(as_bytes("a secret of thirty-two bytes ...")), b = ct::secret(as_bytes("a guess"));
  if (!ct_equal(a, a) || ct_equal(a, b) || ct_is_zero(a)) return EXIT_FAILURE;
  auto wiped = a;
  wipe(wiped);
  return ct_is_zero(wiped) ? EXIT_SUCCESS : EXIT_FAILURE;
}
