#include "key_schedule.h"

#include <string>

#include "pake/proto/cpace/strings.h"
#include "secret_strings.h"

namespace pake::cpace {

Buffer transcript_ir(const Share& A, const Share& B) { return lv_cat({A.Y, A.AD, B.Y, B.AD}); }

Buffer transcript_oc(const Share& one, const Share& other) { return o_cat(encode(one), encode(other)); }

ISK compute_ISK(Suite suite, Bytes sid, Bytes K, Bytes transcript) {
  const auto& G = parameters(suite);
  const auto DSI_ISK = std::string(G.DSI) + "_ISK";
  const auto prefix = secret_lv_cat({as_bytes(DSI_ISK), sid, K});
  return ISK::copy_of(crypto::hash(G.hash, {prefix.reveal(), transcript}).reveal());
}

Buffer compute_sid_output(Suite suite, Bytes transcript) {
  return to_buffer(crypto::hash(parameters(suite).hash, {as_bytes("CPaceSidOutput"), transcript}).reveal());
}

crypto::Digest compute_mac_key(Suite suite, Bytes sid, const ISK& isk) {
  return crypto::hash(parameters(suite).hash, {as_bytes("CPaceMac"), sid, isk.reveal()});
}

crypto::Digest compute_tag(Suite suite, const crypto::Digest& mac_key, const Share& share) {
  return crypto::hmac(parameters(suite).hash, mac_key.reveal(), {encode(share)});
}

}  // namespace pake::cpace
