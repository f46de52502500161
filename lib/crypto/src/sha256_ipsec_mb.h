// SHA-256 of several pieces at once, if the library that can is there.
#pragma once

#include <cstddef>

#include "pake/base/bytes.h"

namespace pake::crypto {

/// As `sha256_of_each`. False if it cannot: nothing that counts is in `hashes` then.
[[nodiscard]] bool sha256_by_ipsec_mb(Bytes bytes, std::size_t size, MutableBytes hashes) noexcept;

}  // namespace pake::crypto
