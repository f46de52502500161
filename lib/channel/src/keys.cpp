#include "pake/channel/keys.h"

namespace pake::channel {

static_assert(sizeof(TrafficKey) == kTrafficKeySize, "an idle direction costs its key and nothing else");

}  // namespace pake::channel
