// SHA-256 of many pieces of one length, side by side: what is public and long, files.
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"

namespace pake::crypto {

inline constexpr std::size_t kSha256Size = 32;

/// Hashes each `size` bytes of `bytes`, one after the other, into `hashes`. By libipsec-mb several pieces at once take
/// half the time that they take by OpenSSL, with the processor's instructions for SHA-256 and without. Any thread.
/// @param bytes   some times `size`
/// @param size    1 to 16,384
/// @param hashes  kSha256Size for each
void sha256_of_each(Bytes bytes, std::size_t size, MutableBytes hashes) noexcept;

}  // namespace pake::crypto
