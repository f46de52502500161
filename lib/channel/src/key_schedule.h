// Private to the room: from the PAKE's key to the channel's. docs/wire.md, section 6.
#pragma once

#include <string_view>

#include "pake/base/bytes.h"
#include "pake/channel/keys.h"
#include "pake/crypto/hash.h"
#include "pake/proto/machine.h"

namespace pake::channel {

/// HKDF-Expand(prk, "pake/1 " || label) into the whole of `out`.
void expand_label(Bytes prk, std::string_view label, MutableBytes out) noexcept;

/// The channel's keys from H2 and the PAKE key.
[[nodiscard]] ChannelKeys derive_channel_keys(AeadId aead, const crypto::Digest& H2, const SessionKey& pake_key);

}  // namespace pake::channel
