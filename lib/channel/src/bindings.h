// Private to the room: what each PAKE is given beside the secret. docs/wire.md, section 5.
#pragma once

#include "pake/base/bytes.h"
#include "pake/channel/messages.h"
#include "pake/crypto/hash.h"
#include "pake/proto/opaque/suite.h"

namespace pake::channel {

/// The same suite by OPAQUE's own name; `suite` is one of a login.
[[nodiscard]] opaque::SuiteId opaque_suite(Suite suite) noexcept;

/// OPAQUE's Context = "pake/1" || H1.
[[nodiscard]] Buffer opaque_context(const crypto::Digest& H1);

/// CPace's CI = lv_cat("pake/1", kind as one byte, server_name, name).
[[nodiscard]] Buffer cpace_ci(Bytes server_name, Bytes selector);

}  // namespace pake::channel
