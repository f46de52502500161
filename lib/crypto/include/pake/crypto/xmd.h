// expand_message_xmd: uniform bytes from a message under a domain separation tag.
#pragma once

#include <initializer_list>

#include "pake/base/bytes.h"
#include "pake/crypto/hash.h"

namespace pake::crypto {

/// RFC 9380, Section 5.3.1: fills `out` from msg = part || part || ... under DST = part || part || ... A DST over 255
/// bytes is hashed first (Section 5.3.3). `out` has at most 65,535 bytes and 255 * output_size(hash); more aborts
/// (lengths are constants of the suites).
void expand_message_xmd(HashId hash, std::initializer_list<Bytes> msg_parts, std::initializer_list<Bytes> dst_parts,
                        MutableBytes out) noexcept;

}  // namespace pake::crypto
