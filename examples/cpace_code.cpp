// Two people with a code, told over the telephone, agree on a key. An arrow is what travels between them.
#include <cstdio>

#include "pake/cpace.h"

namespace cpace = pake::cpace;

int main() {
  pake::crypto::SystemRng rng;
  pake::GuessBudget guesses(3);  // Bob answers three wrong codes, then nobody until he gives out another code
  const auto names = cpace::lv_cat({pake::as_bytes("example chat"), pake::as_bytes("alice"), pake::as_bytes("bob")});
  const cpace::Inputs code = {.PRS = pake::as_bytes("7-walnut-otter"), .CI = names};

  auto alice = cpace::initiate(code, {}, rng);
  auto permit = guesses.take();
  if (!alice || !permit) return 1;
  auto bob = cpace::respond(code, std::move(*permit), {.Y = alice->Ya}, {}, rng);  // Ya -> Bob
  if (!bob) return 1;
  auto at_alice = std::move(alice->next).finish({.Y = bob->Yb}, bob->Tb);  // Yb, Tb -> Alice
  if (!at_alice) return 1;                                                 // another code, or somebody in between
  auto at_bob = std::move(bob->next).finish(at_alice->Ta);                 // Ta -> Bob
  if (!at_bob) return 1;

  const auto a = at_alice->key.session_key("example chat", 32), b = at_bob->session_key("example chat", 32);
  const bool same = a && b && pake::ct_equal(a->reveal(), b->reveal());
  std::puts(same ? "Alice and Bob have the same key" : "the keys differ");
  return same ? 0 : 1;
}
