// Private to the room: the envelope around what is stored, of the protocols beside OPAQUE (whose own is the same, in
// opaque/stored.h).
//
//   "pake" || kind (1) || version (1) = 01 || suite (1) || ksf (1) || epoch (4, big-endian)
#pragma once

#include <cstdint>

#include "pake/base/bytes.h"
#include "pake/base/reader.h"
#include "pake/base/result.h"

namespace pake {

/// 1 and 2 are OPAQUE's.
enum class StoredKind : std::uint8_t { spake2plus_record = 3, srp_verifier = 4 };  // on disk: never renumber

struct StoredHeader {
  StoredKind kind;
  std::uint8_t suite;  // the protocol's own number
  std::uint8_t ksf;    // a crypto::KsfProfile, or 0 for none of them
  std::uint32_t epoch;
};

[[nodiscard]] Buffer encode_stored_header(const StoredHeader& header);
/// Errc::malformed for another kind or version, or a profile that there is not. `suite` is for the protocol to judge.
[[nodiscard]] Result<StoredHeader> take_stored_header(Reader& reader, StoredKind kind);

}  // namespace pake
