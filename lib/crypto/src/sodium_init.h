// Private to the room.
#pragma once

namespace pake::crypto {

/// sodium_init() once; aborts when the library cannot be used. Cheap afterwards; any thread.
void ensure_sodium();

}  // namespace pake::crypto
