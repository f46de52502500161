// Whole CPace runs, both modes of every suite: password, scalars and everything that follows from them are secret until
// a share or a tag is sent.
#include "pake/proto/cpace/cpace.h"

#include <array>
#include <cstdio>
#include <cstdlib>

#include "backends.h"
#include "secrets.h"

namespace {

using namespace pake;
using namespace pake::cpace;

constexpr std::array kSuites = {Suite::ristretto255_sha512, Suite::x25519_sha512, Suite::p256_sha256,
                                Suite::p384_sha384, Suite::p521_sha512};

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "error: %s\n", what);
  std::exit(EXIT_FAILURE);
}

template <class T>
T must(Result<T> result) {
  require(result.has_value(), "a step failed that cannot fail here");
  return std::move(*result);
}

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

void use(const SharedKey& a, const SharedKey& b) {
  require(ct_equal(a.isk().reveal(), b.isk().reveal()), "the sides have different keys");
  require(ct::is_secret(a.isk().reveal()), "the key of secrets is secret");
  require(ct::is_secret(must(a.session_key("a purpose", 32)).reveal()), "and so is what is derived from it");
}

void run_initiator_responder(const Inputs& inputs, Rng& rng) {
  auto A = must(initiate(inputs, as_bytes("ADa"), rng));
  auto B = must(respond(inputs, permit(), {.Y = A.Ya, .AD = as_bytes("ADa")}, as_bytes("ADb"), rng));
  require(!ct::is_secret(A.Ya) && !ct::is_secret(B.Yb) && !ct::is_secret(B.Tb), "what is sent is public");
  const auto at_a = must(std::move(A.next).finish({.Y = B.Yb, .AD = as_bytes("ADb")}, B.Tb));
  use(at_a.key, must(std::move(B.next).finish(at_a.Ta)));
}

void run_symmetric(const Inputs& inputs, Rng& rng) {
  auto a = must(start_symmetric(inputs, permit(), as_bytes("a"), rng));
  auto b = must(start_symmetric(inputs, permit(), as_bytes("b"), rng));
  auto from_a = must(std::move(a.next).confirm({.Y = b.Y, .AD = as_bytes("b")}));
  auto from_b = must(std::move(b.next).confirm({.Y = a.Y, .AD = as_bytes("a")}));
  use(must(std::move(from_a.next).finish(from_b.tag)), must(std::move(from_b.next).finish(from_a.tag)));
}

void run_with_another_password(Inputs inputs, Bytes other, Rng& rng) {
  auto A = must(initiate(inputs, {}, rng));
  inputs.PRS = other;
  const auto B = must(respond(inputs, permit(), {.Y = A.Ya, .AD = {}}, {}, rng));
  require(!std::move(A.next).finish({.Y = B.Yb, .AD = {}}, B.Tb), "another password was taken");
}

}  // namespace

int main() {
  ct::SecretRng rng(1);
  const auto PRS = ct::secret(as_bytes("4711-walnut-otter")), CI = ct::secret(as_bytes("alice and bob"));
  const auto run_suite = [&](Suite suite) {
    const Inputs inputs = {.suite = suite, .PRS = PRS, .CI = CI, .sid = as_bytes("a public sid")};
    run_initiator_responder(inputs, rng);
    run_symmetric(inputs, rng);
    run_with_another_password(inputs, ct::secret(as_bytes("a guess")), rng);
  };
  for (const auto suite : kSuites) {
    if (suite == Suite::ristretto255_sha512)
      ct::for_each_ristretto255_backend([&] { run_suite(suite); });
    else
      run_suite(suite);
  }
}
