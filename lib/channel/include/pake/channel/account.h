// Messages inside a channel by which a user's record is made or replaced: docs/wire.md, section 14.
//
//   client                                          server
//     -- RecordRequest (RegistrationRequest) ------->          one OPRF answer is charged here
//     <- RecordAnswer (RegistrationResponse) --------
//     -- RecordUpload (RegistrationRecord, KE1) ---->
//     <- RecordChallenge (KE2 under that record) ----
//     -- RecordProof (KE3) ------------------------->          verified: one swap, committed
//     <- RecordStored -------------------------------
//
// In place of any of them, from either side: RecordRefused, the last message of its stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/channel/keys.h"
#include "pake/channel/suite.h"
#include "pake/crypto/ksf.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// The service under which a client opens the stream for these messages. The name of a service that a server offers or
/// a user publishes begins with a letter and holds no colon.
inline constexpr std::string_view kAccountService = "pake:account";
/// The service under which a server opens a stream to ask for a record under newer keys. Its argument is a
/// MigrationOffer; on the stream the client begins as on one of its own, with RecordPurpose::migrate. Who cannot or
/// will not resets it.
inline constexpr std::string_view kMigrationService = "pake:migrate";

enum class RecordPurpose : std::uint8_t {  // on the wire: never renumber
  enrol = 1,                               // in a channel opened by an invitation's code
  change_password = 2,                     // in a channel opened by password, not by ticket
  migrate = 3,                             // the same; the password stays
};

/// Messages as they stand on the stream: type (1 byte) || length of the body (3 bytes) || body.
enum class AccountMessageType : std::uint8_t {  // on the wire: never renumber
  request = 1,
  answer = 2,
  upload = 3,
  challenge = 4,
  proof = 5,
  stored = 6,
  refused = 7,
};

/// No message, header included, is longer.
inline constexpr std::size_t kMaxAccountMessageSize = 1024;

// Messages are views: decoded ones of the bytes they came in. `encode` gives the whole message, header included; it
// aborts for what `leading_account_message` would not give back. What OPAQUE's own bytes hold is decoded by its
// machines.

/// purpose (1) || suite (1) || lp1(name) || RegistrationRequest
struct RecordRequest {
  RecordPurpose purpose{};
  Suite suite{};       // a login's
  BorrowedBytes name;  // the user's, normalised: 1 to 255 bytes
  BorrowedBytes registration_request;

  [[nodiscard]] Buffer encode() const;
};

/// suite (1) || ksf (1) || RegistrationResponse
struct RecordAnswer {
  Suite suite{};
  crypto::KsfProfile ksf{};  // what records have here, that of unknown names too; a client may find it too weak
  BorrowedBytes registration_response;

  [[nodiscard]] Buffer encode() const;
};

/// suite (1) || ksf (1) || RegistrationRecord || KE1
struct RecordUpload {
  Suite suite{};
  crypto::KsfProfile ksf{};
  BorrowedBytes registration_record;
  BorrowedBytes ke1;

  [[nodiscard]] Buffer encode() const;
};

/// suite (1) || KE2
struct RecordChallenge {
  Suite suite{};
  BorrowedBytes ke2;

  [[nodiscard]] Buffer encode() const;
};

/// suite (1) || KE3
struct RecordProof {
  Suite suite{};
  BorrowedBytes ke3;

  [[nodiscard]] Buffer encode() const;
};

/// The new record, and it alone, is what the user logs in with: the change is committed. No fields.
struct RecordStored {
  [[nodiscard]] Buffer encode() const;
};

enum class RecordRefusal : std::uint8_t {  // on the wire: never renumber
  refused = 1,                             // a proof is wrong, or any failure that is not one of the others
  throttled = 2,                           // no more answers for now: `retry_after`
  unavailable = 3,                         // the store or the holder of the keys cannot answer
  not_allowed = 4,                         // not in this channel: its kind, its user, or it has had its answer
  other_suite = 5,                         // begin again, on another stream, in `suite`
  weak_ksf = 6,                            // the server takes no record with that profile
  conflict = 7,                            // the record was changed meanwhile, or the name is taken
  declined = 8,                            // by the client: whatever depends on its export key does not follow
};

/// code (1) || suite (1; 0 unless other_suite) || retry_after (4, seconds; 0 unless throttled)
struct RecordRefused {
  RecordRefusal code = RecordRefusal::refused;
  std::optional<Suite> suite = {};
  std::uint32_t retry_after = 0;

  [[nodiscard]] Buffer encode() const;
};

using AccountMessage =
    std::variant<RecordRequest, RecordAnswer, RecordUpload, RecordChallenge, RecordProof, RecordStored, RecordRefused>;

struct LeadingAccountMessage {
  AccountMessage message;
  std::size_t size;  // of it, header included
};

/// The message with which `bytes` begin; nothing while it is not whole. Errc::malformed as soon as there can be none,
/// so that a reader never keeps more than kMaxAccountMessageSize bytes.
[[nodiscard]] Result<std::optional<LeadingAccountMessage>> leading_account_message(Bytes bytes);

/// The argument of a stream that the server opens under kMigrationService: suite (1) || ksf (1).
struct MigrationOffer {
  static constexpr std::size_t kSize = 2;

  Suite suite{};             // a login's
  crypto::KsfProfile ksf{};  // what the server would like; the client takes none weaker than the one it just used

  [[nodiscard]] Buffer encode() const;
  [[nodiscard]] static Result<MigrationOffer> decode(Bytes argument);
};

/// OPAQUE's Context of the login that proves a new record: "pake/1 record" || `exported`, which are 64 bytes that both
/// sides export from their channel as (kRecordExportLabel, one byte of purpose). So the proof is good in that channel
/// alone.
inline constexpr InternalLabel kRecordExportLabel{"record"};
[[nodiscard]] Buffer record_login_context(Bytes exported);

}  // namespace pake::channel

PAKE_EXPORT_END
