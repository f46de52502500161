// CPace with a leak planted in it: a key derivation that stops to look at K. Takes key_schedule.cpp's place.
#define compute_ISK sound_compute_ISK
#include "key_schedule.cpp"  // NOLINT(bugprone-suspicious-include)
#undef compute_ISK

namespace pake::cpace {

ISK compute_ISK(Suite suite, Bytes sid, Bytes K, Bytes transcript);
ISK compute_ISK(Suite suite, Bytes sid, Bytes K, Bytes transcript) {
  if (K[0] == 0) return sound_compute_ISK(suite, sid, {}, transcript);
  return sound_compute_ISK(suite, sid, K, transcript);
}

}  // namespace pake::cpace
