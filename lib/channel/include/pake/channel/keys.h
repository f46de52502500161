// What a handshake hands to the records.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pake/base/secret.h"

namespace pake::channel {

/// docs/wire.md, section 3.6. On the wire: never renumber.
enum class AeadId : std::uint8_t { aes_256_gcm = 1, chacha20_poly1305 = 2 };

enum class Role : std::uint8_t { client, server };

inline constexpr std::size_t kTrafficKeySize = 44;

/// key (32 bytes) || iv (12 bytes) of one direction: all that an idle direction keeps beside its sequence number.
using TrafficKey = Secret<kTrafficKeySize, struct TrafficKeyTag>;
using ExporterSecret = Secret<64, struct ExporterSecretTag>;
using ResumptionSecret = Secret<64, struct ResumptionSecretTag>;

/// docs/wire.md, section 6.
struct ChannelKeys {
  AeadId aead = AeadId::chacha20_poly1305;
  TrafficKey client;
  TrafficKey server;
  ExporterSecret exporter_secret;
  ResumptionSecret resumption_secret;
};

}  // namespace pake::channel
