#include "bindings.h"

#include <cstdlib>
#include <utility>

#include "pake/base/writer.h"
#include "pake/channel/handshake.h"
#include "pake/proto/cpace/strings.h"

namespace pake::channel {

Buffer credential_identifier(Bytes name) {
  const auto prefix = as_bytes("pake/1 user");
  return Writer(prefix.size() + name.size()).put(prefix).put(name).take();
}

opaque::SuiteId opaque_suite(Suite suite) noexcept {
  switch (suite) {
    case Suite::opaque_ristretto255:
      return opaque::SuiteId::ristretto255;
    case Suite::opaque_p256:
      return opaque::SuiteId::p256;
    case Suite::cpace_ristretto255:
    case Suite::x25519:
      break;
  }
  std::abort();
}

Buffer opaque_context(const crypto::Digest& H1) {
  return Writer(6 + H1.size()).put(as_bytes("pake/1")).put(H1.reveal()).take();
}

Buffer cpace_ci(Bytes server_name, Bytes selector) {
  const auto kind = std::to_underlying(HandshakeKind::code);
  return cpace::lv_cat({as_bytes("pake/1"), {&kind, 1}, server_name, selector});
}

}  // namespace pake::channel
