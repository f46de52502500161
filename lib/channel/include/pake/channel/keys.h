// What a handshake hands to the records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// docs/wire.md, section 3.6. On the wire: never renumber.
enum class AeadId : std::uint8_t { aes_256_gcm = 1, chacha20_poly1305 = 2 };

/// What this processor does best: aes_256_gcm if it has instructions for it, which are also what makes it
/// constant-time.
[[nodiscard]] AeadId fastest_aead() noexcept;

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

/// The key and IV with which a direction goes on after 2^20 records: docs/wire.md, section 8.
[[nodiscard]] TrafficKey ratchet(const TrafficKey& key) noexcept;

/// A label of what pake itself derives from a channel.
struct InternalLabel {
  std::string_view text;
};

/// docs/wire.md, section 6: fills `out` with the channel's keying material for (label, context, out.size()); another
/// size gives other bytes. For applications, whatever label they or their users choose: no label meets an internal one.
/// Errc::misuse when `out` is longer than 16,320 bytes, or label or context than 65,535.
[[nodiscard]] Status export_keying_material(const ExporterSecret& exporter_secret, std::string_view label,
                                            Bytes context, MutableBytes out) noexcept;
/// The same for what pake itself derives from a channel; errors as above.
[[nodiscard]] Status export_keying_material(const ExporterSecret& exporter_secret, InternalLabel label, Bytes context,
                                            MutableBytes out) noexcept;

}  // namespace pake::channel

PAKE_EXPORT_END
