// What OpenSSL leaves in freed memory, and a way for a program to have it wiped.
#pragma once

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

/// From here on OpenSSL wipes every block that it frees, anywhere in the process: some of its functions (P-256's
/// multiplication, for one) free copies of secret scalars as they are. For programs, as the first thing that main does;
/// a library must not decide this for the process that it is part of, so ours never calls it. It costs some 50 ns a
/// block.
/// @return  false if OpenSSL has allocated memory already: then nothing changes
[[nodiscard]] bool wipe_memory_that_openssl_frees() noexcept;

}  // namespace pake::crypto

PAKE_EXPORT_END
