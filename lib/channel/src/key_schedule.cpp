#include "key_schedule.h"

namespace pake::channel {

using crypto::HashId;

void expand_label(Bytes prk, std::string_view label, MutableBytes out) noexcept {
  crypto::hkdf_expand(HashId::sha512, prk, {as_bytes("pake/1 "), as_bytes(label)}, out);
}

//   prk               = HKDF-Extract(salt = H2, IKM = PAKE key)
//   client_key || iv  = expand("client traffic", 44)      exporter_secret   = expand("exporter", 64)
//   server_key || iv  = expand("server traffic", 44)      resumption_secret = expand("resumption", 64)
ChannelKeys derive_channel_keys(AeadId aead, const crypto::Digest& H2, const SessionKey& pake_key) {
  const auto prk = crypto::hkdf_extract(HashId::sha512, H2.reveal(), {pake_key.reveal()});
  const auto expand = [&prk](std::string_view label) {
    return [&prk, label](MutableBytes out) { expand_label(prk.reveal(), label, out); };
  };
  return {.aead = aead,
          .client = TrafficKey::make(expand("client traffic")),
          .server = TrafficKey::make(expand("server traffic")),
          .exporter_secret = ExporterSecret::make(expand("exporter")),
          .resumption_secret = ResumptionSecret::make(expand("resumption"))};
}

}  // namespace pake::channel
