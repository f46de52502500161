// Lets tests begin anywhere in a direction's 2^48 records.
#pragma once

#include <cstdint>

#include "pake/channel/record.h"

namespace pake::channel {

struct RecordTestAccess {
  /// The next record has this number; its key is the one given at the start, however many ratchets were leapt over.
  template <class SealerOrOpener>
  static void begin_at(SealerOrOpener& side, std::uint64_t sequence) {
    side.direction_.sequence_ = sequence;
  }
};

}  // namespace pake::channel
