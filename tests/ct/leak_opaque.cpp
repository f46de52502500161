// OPAQUE with a leak planted in it: a derivation that looks at what the password became. Takes key_schedule.cpp's
// place.
#define randomized_password sound_randomized_password
#include "opaque/key_schedule.cpp"  // NOLINT(bugprone-suspicious-include)
#undef randomized_password

namespace pake::opaque {

Digest randomized_password(const Suite& suite, const Digest& oprf_output, const Digest& stretched);
Digest randomized_password(const Suite& suite, const Digest& oprf_output, const Digest& stretched) {
  if (oprf_output.reveal()[0] == 0) return sound_randomized_password(suite, stretched, oprf_output);
  return sound_randomized_password(suite, oprf_output, stretched);
}

}  // namespace pake::opaque
