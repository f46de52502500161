// Private to the room: from K and the transcript to the keys (draft-irtf-cfrg-cpace-21, "CPace protocol",
// "Key confirmation").
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/secret.h"
#include "pake/proto/cpace/cpace.h"
#include "pake/proto/cpace/messages.h"
#include "pake/proto/cpace/suite.h"

namespace pake::cpace {

//   transcript_ir(Ya, ADa, Yb, ADb) = lv_cat(Ya, ADa) || lv_cat(Yb, ADb)
[[nodiscard]] Buffer transcript_ir(const Share& A, const Share& B);
//   transcript_oc(Ya, ADa, Yb, ADb) = o_cat(lv_cat(Ya, ADa), lv_cat(Yb, ADb))
[[nodiscard]] Buffer transcript_oc(const Share& one, const Share& other);

//   ISK = H.hash(lv_cat(G.DSI || "_ISK", sid, K) || transcript)
[[nodiscard]] ISK compute_ISK(Suite suite, Bytes sid, Bytes K, Bytes transcript);

//   sid_output = H.hash("CPaceSidOutput" || transcript)
[[nodiscard]] Buffer compute_sid_output(Suite suite, Bytes transcript);

//   mac_key = H.hash("CPaceMac" || sid || ISK)
[[nodiscard]] crypto::Digest compute_mac_key(Suite suite, Bytes sid, const ISK& isk);

/// The tag of the side that sent `share`; secret until that side sends it.
//   T = MAC(mac_key, lv_cat(Y, AD)); Choice: HMAC with the suite's hash, whole.
[[nodiscard]] crypto::Digest compute_tag(Suite suite, const crypto::Digest& mac_key, const Share& share);

}  // namespace pake::cpace
