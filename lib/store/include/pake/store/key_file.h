// The key file: every long-term secret of a server, in one file apart from the store. Nothing works without it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/seal.h"
#include "pake/store/error.h"
#include "pake/store/rows.h"

namespace pake::store {

/// The protocol's keys of one epoch and suite, as the protocol encodes them: bytes that mean nothing here.
struct EpochKeys {
  CredentialParameters parameters{};  // the profile is the fake record's
  Time created_at{};
  Buffer public_key{};     // at most 255 bytes; what the fingerprint is of
  SecretBuffer secrets{};  // at most kMaxEpochSecrets bytes
};

inline constexpr std::size_t kMaxEpochSecrets = 4096;
inline constexpr std::size_t kMaxEpochEntries = 64;

/// What a bucket belongs to. Buckets of different kinds never share a key.
enum class BucketKind : std::uint8_t {  // in the store: never renumber
  account = 1,                          // a name, with or without an account
  source = 2,                           // a network from which guesses come
  device = 3,                           // a known device
  code = 4,                             // the selector of an invitation code, known or not
  registration = 5,                     // OPRF answers of registrations: an invitation, or a name and a day
  new_rows = 6,                         // the rows of the ledger that a network makes
};

class KeyFile {
 public:
  /// Fresh secrets without any epoch.
  [[nodiscard]] static KeyFile generate(Time now, Rng& rng);

  /// The file's bytes; `decode` is total and tells apart what is no key file, what is cut, damaged or of a newer pake
  /// (the errors key_file_*). `where` names the file in the messages.
  [[nodiscard]] SecretBuffer encode() const;
  [[nodiscard]] static StoreResult<KeyFile> decode(Bytes bytes, std::string_view where);

  [[nodiscard]] const KeyFileId& id() const noexcept { return id_; }
  [[nodiscard]] Time created_at() const noexcept { return created_at_; }
  /// In the order of epoch and suite.
  [[nodiscard]] const std::vector<EpochKeys>& epochs() const noexcept { return epochs_; }
  [[nodiscard]] const EpochKeys* find(std::uint32_t epoch, std::uint8_t suite) const noexcept;
  [[nodiscard]] std::uint32_t newest_epoch() const noexcept;  // 0: none
  /// exists: it has that epoch in that suite. misuse: too large, or too many.
  [[nodiscard]] StoreStatus add(EpochKeys keys);
  /// Drops an epoch in every suite: records made under it no longer log in. not_found: it has none of that number.
  [[nodiscard]] StoreStatus drop_epoch(std::uint32_t epoch);

  /// HMAC-SHA256(ledger key, kind || identifier).
  [[nodiscard]] BucketKey bucket_key(BucketKind kind, Bytes identifier) const;
  /// A name as the log may have it: 16 hex digits that mean nothing without this file.
  [[nodiscard]] std::string name_for_log(Bytes name) const;
  /// A name's draw from the fake-share table (shares.h): 32 bits of PRF(fake key, name).
  [[nodiscard]] std::uint32_t fake_draw(Bytes name) const;
  /// PRF(fake key, label || identifier): the secret on which a run for an unknown identifier (a selector) goes on.
  [[nodiscard]] Secret<32> fake_secret(std::string_view label, Bytes identifier) const;
  [[nodiscard]] const crypto::SealKey& seal_key() const noexcept { return seal_key_; }
  /// The key of the tickets sealed on a day (days since 1970, UTC): derived, so that the file need not be written and
  /// nodes that share it agree.
  [[nodiscard]] crypto::SealKey ticket_key(std::uint32_t day) const;
  [[nodiscard]] static std::uint32_t day_of(Time now) noexcept;

 private:
  KeyFile() = default;

  KeyFileId id_{};
  Time created_at_{};
  crypto::SealKey seal_key_;
  Secret<32> ledger_key_, fake_key_, ticket_key_;
  std::vector<EpochKeys> epochs_;
};

/// `SHA256:` and Base64, as OpenSSH prints them, of a server's public key: the same on both sides of a channel.
[[nodiscard]] std::string fingerprint(Bytes public_key);

/// Whose rules the file's permissions follow.
enum class KeyFilePlace : std::uint8_t {
  own,                // a file of ours or of root's: nobody else may read it (0600 or 0400)
  system_credential,  // systemd's LoadCredential=: root's, read by group through an access list
};

/// Reads a key file. Every mistake has its own message and hint: missing, exposed, no regular file, foreign (the
/// database instead of it said so), truncated, damaged, newer.
[[nodiscard]] StoreResult<KeyFile> read_key_file(const std::filesystem::path& path,
                                                 KeyFilePlace place = KeyFilePlace::own);

/// Writes a key file that is not there yet, with mode 0600, by temporary file, fsync and link. key_file_exists: it is.
[[nodiscard]] StoreStatus create_key_file(const std::filesystem::path& path, const KeyFile& keys);

/// Reads, changes and replaces a key file under a lock: by temporary file, fsync and rename, so that a crash leaves the
/// old or the new one. Returns what was written. An error of `change` leaves the file as it was.
[[nodiscard]] StoreResult<KeyFile> change_key_file(const std::filesystem::path& path,
                                                   const std::function<StoreStatus(KeyFile&)>& change);

/// `pake keys stage`: adds the next epoch. `make` is asked for the keys of its number, a suite each.
[[nodiscard]] StoreResult<KeyFile> stage_epoch(
    const std::filesystem::path& path,
    const std::function<StoreResult<std::vector<EpochKeys>>(std::uint32_t epoch)>& make);

/// `pake keys backup`: a copy of the file, mode 0600, read back and compared. key_file_exists: `to` is there.
[[nodiscard]] StoreStatus back_up_key_file(const std::filesystem::path& path, const std::filesystem::path& to);

/// key_mismatch, with the way out, unless the store says that it belongs to this file.
[[nodiscard]] StoreStatus require_same_key_file(const KeyFile& keys, const KeyFileId& of_store, std::string_view where);

}  // namespace pake::store
