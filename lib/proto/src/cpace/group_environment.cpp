#include "group_environment.h"

#include <cstdlib>

namespace pake::cpace {

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
