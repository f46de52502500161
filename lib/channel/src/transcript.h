// Private to the room: what both sides have said so far. docs/wire.md, section 4.
#pragma once

#include "pake/base/bytes.h"
#include "pake/crypto/hash.h"

namespace pake::channel {

/// The running hash over whole frames, headers included, as they stood on the wire. H0, H1 and H2 are its value after
/// the ClientHello up to its PAKE bytes, after the ServerHello up to its PAKE bytes, and after the ClientFinish.
class Transcript {
 public:
  Transcript& add(Bytes bytes) noexcept {
    running_.update(bytes);
    return *this;
  }
  /// The hash of everything so far, 64 bytes; the transcript goes on.
  [[nodiscard]] crypto::Digest hash() const noexcept { return crypto::Hash(running_).finish(); }

 private:
  crypto::Hash running_{crypto::HashId::sha512};
};

}  // namespace pake::channel
