// Resumption tickets as this server seals them: docs/wire.md, section 12. To a client they are bytes without meaning.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/channel/keys.h"
#include "pake/crypto/seal.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// One day's key. The identifier stands in the ticket, in clear.
struct TicketKey {
  std::array<std::uint8_t, 4> id{};
  crypto::SealKey key;
};

/// The keys a server knows, the newest first: it seals with that one, and opens with any. Whoever rotates them builds a
/// new set; a set never changes, so threads may share it.
class TicketKeys {
 public:
  explicit TicketKeys(std::vector<TicketKey> newest_first) noexcept : keys_(std::move(newest_first)) {}

  /// Null if there are no keys.
  [[nodiscard]] const TicketKey* newest() const noexcept { return keys_.empty() ? nullptr : &keys_.front(); }
  /// Null if no key has this identifier.
  [[nodiscard]] const TicketKey* find(Bytes id) const noexcept;

 private:
  std::vector<TicketKey> keys_;
};

/// Names one device of a user: drawn at a verified login by password, kept by every renewal.
using DeviceId = std::array<std::uint8_t, 16>;

/// Whether a login by password makes its device one that the server knows again: a user has eight places for these.
enum class DevicePlace : std::uint8_t { taken, none };

/// What a ticket says of its bearer. Times are seconds since 1970, UTC.
struct TicketFacts {
  Buffer name = {};         // the user's, at most 255 bytes
  Buffer server_name = {};  // of the login: the ticket is good for this name of the server alone
  DeviceId device{};
  std::uint64_t generation = 0;  // of the credential it stems from
  std::uint64_t login_time = 0;  // of the login by password with which the chain of tickets began
  std::uint64_t expiry = 0;

  friend bool operator==(const TicketFacts&, const TicketFacts&) = default;
};

/// Seals `secret` (the resumption secret of the channel in which the ticket will travel) and `facts` under the newest
/// key: 151 bytes and the names'. Errc::misuse when there is no key or a name is longer than 255 bytes.
[[nodiscard]] Result<Buffer> seal_ticket(const TicketKeys& keys, const TicketFacts& facts,
                                         const ResumptionSecret& secret, Rng& rng);

struct OpenedTicket {
  TicketFacts facts;
  ResumptionSecret secret;
};

/// Errc::auth_failed for everything that one of `keys` did not seal. Nothing is said of generation and expiry, nor of
/// the bearer, who has yet to prove that it knows the secret.
[[nodiscard]] Result<OpenedTicket> open_ticket(const TicketKeys& keys, Bytes ticket);

}  // namespace pake::channel

PAKE_EXPORT_END
