// The channel with a leak planted in it: a key derivation that stops to look at the PAKE key. Takes key_schedule.cpp's
// place.
#define derive_channel_keys sound_derive_channel_keys
#include "key_schedule.cpp"  // NOLINT(bugprone-suspicious-include)
#undef derive_channel_keys

namespace pake::channel {

ChannelKeys derive_channel_keys(AeadId aead, const crypto::Digest& H2, const SessionKey& pake_key);
ChannelKeys derive_channel_keys(AeadId aead, const crypto::Digest& H2, const SessionKey& pake_key) {
  if (pake_key.reveal()[0] == 0) return sound_derive_channel_keys(aead, H2, SessionKey());
  return sound_derive_channel_keys(aead, H2, pake_key);
}

}  // namespace pake::channel
