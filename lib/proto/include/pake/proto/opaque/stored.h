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
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/ksf.h"
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
  crypto::KsfProfile ksf;  // the fake record's: what most users have
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

/// A record, of a user or the fake one, and the holder of the keys it was made under.
struct Credential {
  StoredRecord record;
  std::shared_ptr<const KeyHolder> keys;
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

  /// Errc::misuse where the ring has that epoch in that suite, or `fake` does not belong to the keys.
  [[nodiscard]] Status add(Member member);
  [[nodiscard]] Status add(StoredKeys keys);

  /// Makes an epoch the current one in every suite that has it: new records are made under it, and unknown names answer
  /// from it. Errc::misuse where no suite has it.
  [[nodiscard]] Status activate(EpochNumber epoch);

  /// Null where the ring has no such keys. The pointers live until the ring is changed.
  [[nodiscard]] const Member* find(SuiteId suite, EpochNumber epoch) const noexcept;
  [[nodiscard]] const Member* current(SuiteId suite) const noexcept;

  /// Takes what the store found, or the current fake record where it found nothing: from here on nobody knows which.
  /// Errc::unavailable where the bytes are no record of this suite, or of an epoch that the ring lacks.
  [[nodiscard]] Result<Credential> credential(SuiteId suite, std::optional<Bytes> stored) const;

 private:
  std::vector<Member> members_;
  std::vector<std::pair<SuiteId, EpochNumber>> current_;
};

}  // namespace pake::opaque

PAKE_EXPORT_END
