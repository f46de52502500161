// The Context that this toolkit uses if the application has no standard of its own to follow.
#pragma once

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/opaque/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

/// A Context that names everything a client and a server could otherwise disagree about unnoticed: this encoding and
/// its version, the suite, the KSF with all its parameters, and the application's own string.
///
///   lp2("pake opaque context 1") || suite (1) || KSF || lp2(application)
///   KSF = 01 || version (1) = 13 || m (4) || t (4) || p (4) || tag length (2) || lp2(salt)    Argon2id
///       | 02 || N (8) || r (4) || p (4) || output length (2) || lp2(salt)                       scrypt
///       | 03                                                                                   the identity
///
/// @return  Errc::misuse if it would be longer than kMaxInputSize
[[nodiscard]] Result<Buffer> toolkit_context(SuiteId suite, const crypto::KsfParameters& ksf, Bytes application);

}  // namespace pake::opaque

PAKE_EXPORT_END
