// What a server keeps: registration records and long-term keys, each in an envelope that says what it is. The envelope
// stands outside the standard's bytes.
//
//   "pake" || kind (1) || version (1) = 01 || suite (1) || ksf (1) || epoch (4, big-endian) || body
//
//   kind 01, a record:       RegistrationRecord
//   kind 02, server's keys:  oprf_seed || server_private_key || the fake RegistrationRecord
//
// All sizes follow from the suite. Nothing here is encrypted or authenticated: that is the store's seal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/ksf.h"
#include "pake/crypto/shares.h"
#include "pake/proto/opaque/messages.h"
#include "pake/proto/opaque/server_keys.h"
#include "pake/proto/opaque/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

inline constexpr std::size_t kStoredHeaderSize = 12;

/// A generation of long-term keys: records name the one they were made under.
using EpochNumber = std::uint32_t;

struct StoredRecord {
  SuiteId suite;
  crypto::KsfProfile ksf;  // what the client stretches with
  EpochNumber epoch;
  RegistrationRecord record;

  [[nodiscard]] static constexpr std::size_t size(SuiteId suite) noexcept {
    return kStoredHeaderSize + sizes(suite).registration_record();
  }
  /// size(suite) bytes.
  [[nodiscard]] Buffer encode() const;
  /// Errc::malformed for anything that `encode` does not write: another kind, version, suite, profile or size.
  [[nodiscard]] static Result<StoredRecord> decode(Bytes bytes);
};

/// The keys of one epoch and suite, with the record that answers for unknown names.
struct StoredKeys {
  crypto::KsfProfile ksf;  // the fake record's, written beside it; a KeyRing answers with what its shares say
  EpochNumber epoch;
  ServerKeys keys;
  RegistrationRecord fake;

  [[nodiscard]] static constexpr std::size_t size(SuiteId suite) noexcept {
    const auto of = sizes(suite);
    return kStoredHeaderSize + of.Nh + of.Nsk + of.registration_record();
  }
  [[nodiscard]] static Result<StoredKeys> generate(SuiteId suite, crypto::KsfProfile ksf, EpochNumber epoch, Rng& rng);
  /// size(suite) bytes.
  [[nodiscard]] SecretBuffer encode() const;
  [[nodiscard]] static Result<StoredKeys> decode(Bytes bytes);
};

/// What a record is made under: what an observer of a login learns of it.
struct RecordParameters {
  EpochNumber epoch = 0;
  SuiteId suite = SuiteId::ristretto255;
  crypto::KsfProfile ksf = crypto::kDefaultKsfProfile;

  friend bool operator==(const RecordParameters&, const RecordParameters&) = default;
};

/// Which part of the unknown names is answered under which parameters: pake/crypto/shares.h.
using FakeShare = crypto::Share<RecordParameters>;

/// The key of the draws: 32 random bytes, made once and kept with the server's keys. It outlives every epoch.
using FakeKey = Secret<32, struct FakeKeyTag>;

/// What was found in the store. For the caller's log; the peer cannot tell.
enum class Found : std::uint8_t {
  record,      // a record, which answers
  nothing,     // no record: the fake one answers
  lost_epoch,  // a record of keys that the ring lacks: the fake one answers, and the user cannot log in
  unreadable,  // bytes that are no record: the same
};

/// A record, of a user or the fake one, and the holder of the keys it was made under.
struct Credential {
  StoredRecord record;
  std::shared_ptr<const KeyHolder> keys;
  Found found = Found::record;
};

/// The server's keys of every epoch and suite it still answers for. Fill it first; then any number of threads may read
/// it.
class KeyRing {
 public:
  struct Member {
    EpochNumber epoch;
    std::shared_ptr<const KeyHolder> keys;
    Buffer fake;  // an encoded StoredRecord of this epoch and suite
  };

  explicit KeyRing(FakeKey fake_key) noexcept : fake_key_(std::move(fake_key)) {}

  /// Errc::misuse if the ring has that epoch in that suite, or `fake` does not belong to the keys.
  [[nodiscard]] Status add(Member member);
  [[nodiscard]] Status add(StoredKeys keys);

  /// Makes parameters those of new records. The first ones answer for every unknown name. Later ones answer for none
  /// until `set_shares` gives them a share: who asks for a name before and after does not learn whether it has a
  /// record. Errc::misuse if the ring lacks these keys, or has made them current before.
  [[nodiscard]] Status activate(const RecordParameters& parameters);

  /// Hands in the table of shares, as it was stored, or the next step of a migration: `crypto::with_share`, as large a
  /// share as the part of the users whose records have moved. Its newest entry is current.
  /// Errc::misuse if it is no table, a name would move back, or the ring lacks keys that it names.
  [[nodiscard]] Status set_shares(std::span<const FakeShare> shares);
  [[nodiscard]] const std::vector<FakeShare>& shares() const noexcept { return shares_; }

  /// Null if the ring has no such keys. The pointers live until the ring is changed.
  [[nodiscard]] const Member* find(SuiteId suite, EpochNumber epoch) const noexcept;
  /// The newest of the shares that is of this suite: what new records are made under. Null if there is none.
  [[nodiscard]] const Member* current(SuiteId suite) const noexcept;

  /// Takes what the store found under a name, or nothing. Where that leads to no keys of the ring, the answer is the
  /// fake record of the parameters that are drawn for this name: from here on nobody knows which.
  ///
  /// A run begun in another suite than the answer's has to begin again in that one, whatever was found.
  ///
  /// @param credential_identifier  what the login will be given
  /// @return  Errc::unavailable if nothing is current yet, Errc::misuse for an empty identifier
  [[nodiscard]] Result<Credential> credential(Bytes credential_identifier, std::optional<Bytes> stored) const;

 private:
  [[nodiscard]] const Member* keys_of(const std::optional<Bytes>& stored, Found& found) const noexcept;

  FakeKey fake_key_;
  std::vector<Member> members_;
  std::vector<FakeShare> shares_;
};

}  // namespace pake::opaque

PAKE_EXPORT_END
