// What both sides' handshakes share: docs/wire.md, sections 3 to 7 and 10.
#pragma once

#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/channel/alert.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// Why a run ended without a channel.
struct Failure {
  Errc error = Errc::misuse;
  /// To be sent, then the transport is closed. Nothing if `received` says why.
  std::optional<Alert> to_send;
  /// What the peer said. Not authenticated: it explains, and decides nothing.
  std::optional<Alert> received;
};

/// "pake/1 user" || name: what stands for a user in OPAQUE, at registration as at login. docs/wire.md, section 5.
[[nodiscard]] Buffer credential_identifier(Bytes name);

}  // namespace pake::channel

PAKE_EXPORT_END
