#include "group_environment.h"

#include <cstdlib>

#include "pake/internal/try.h"

namespace pake::cpace {

Result<SharedPoint> GroupEnvironment::scalar_mult_vfy(const Scalar& y, Bytes X) const {
  PAKE_TRY(const auto point, decode(X));
  return agree(y, point);
}

const GroupEnvironment& GroupEnvironment::get(Suite suite) noexcept {
  switch (suite) {
    case Suite::ristretto255_sha512:
      return ristretto255();
    case Suite::x25519_sha512:
      return x25519();
    case Suite::p256_sha256:
      return nist(crypto::GroupId::p256);
    case Suite::p384_sha384:
      return nist(crypto::GroupId::p384);
    case Suite::p521_sha512:
      return nist(crypto::GroupId::p521);
  }
  std::abort();
}

}  // namespace pake::cpace
