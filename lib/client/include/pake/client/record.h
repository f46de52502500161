// How a user's record is made or replaced inside a channel, the client's side: docs/wire.md, section 14.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pake/base/bytes.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/channel/account.h"
#include "pake/crypto/ksf.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"
#include "pake/net/workers.h"
#include "pake/proto/opaque/identities.h"

namespace pake::client {

/// What is registered.
struct NewRecord {
  channel::RecordPurpose purpose{};
  std::string name;              // normalised
  const SecretBuffer& password;  // normalised; outlives the call
  /// The weakest and the strongest stretching that is taken. Whoever replaces a record gives the old one's as the
  /// floor.
  crypto::KsfProfile ksf_floor = crypto::kDefaultKsfProfile;
  crypto::KsfProfile ksf_ceiling = crypto::kDefaultKsfProfile;
  /// Is shown the new export key before the server is told to swap, if there is one; false lets the old record stand.
  std::function<bool(const opaque::ExportKey&)> accept_export_key = {};
};

/// The record is stored, and a login by it has been proved.
struct RecordMade {
  channel::Suite suite{};
  crypto::KsfProfile ksf{};
  Buffer server_public_key;      // to be remembered for this server and user
  opaque::ExportKey export_key;  // a key that the server does not know
};

/// Why there is no new record. The old one, if there was one, is good, unless `may_be_stored`.
struct RecordFailure {
  enum class What : std::uint8_t {
    cut,        // the stream ended, or took too long: `error` says how
    refused,    // the server says why: `refusal`
    malformed,  // what came is not of this protocol
    weak_ksf,   // the server wants a stretching outside floor and ceiling: `ksf`
    no_memory,  // for the stretching
    declined,   // accept_export_key did
  };
  What what{};
  std::optional<net::Error> error = {};
  std::optional<channel::RecordRefused> refusal = {};
  std::optional<crypto::KsfProfile> ksf = {};
  bool may_be_stored = false;  // the answer to the proof was lost: what the server did is not known
};

/// Registers `record` over a stream that it opens, proves it, and waits until it is stored. The stretching runs on
/// `workers`, twice.
/// @param link  of a running channel that a code or a password has opened
[[nodiscard]] net::Awaitable<std::expected<RecordMade, RecordFailure>> make_record(net::Loop& loop,
                                                                                   net::Workers& workers,
                                                                                   net::ChannelLink& link,
                                                                                   NewRecord record, Rng& rng);

/// The same over a stream that the server has opened under channel::kMigrationService.
[[nodiscard]] net::Awaitable<std::expected<RecordMade, RecordFailure>> make_record_on(
    net::Loop& loop, net::Workers& workers, net::ChannelLink& link, std::unique_ptr<net::Stream> stream,
    channel::Suite suite, NewRecord record, Rng& rng);

}  // namespace pake::client
