// Users and invitations over a store: what is read for a run, and what is written after one. Blocking: for a worker.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/secret.h"
#include "pake/proto/opaque/stored.h"
#include "pake/server/guesses.h"
#include "pake/server/keyring.h"
#include "pake/store/credential_store.h"

namespace pake::server {

/// What a login is answered with. Nothing that a peer sees tells which of them it was.
struct LoginRead {
  enum class What : std::uint8_t {
    record,       // the user's own
    unknown,      // no such name, or one without a credential
    disabled,     // his account is disabled
    removed,      // the name was removed, and a migration's window is not over yet
    lost_epoch,   // his record was made under keys that the key file lacks: the operator must hear of it
    window_over,  // his record was not renewed before the window of a migration ended
  };
  What what = What::unknown;
  opaque::Credential credential;
  std::uint64_t generation = 0;  // meaningful for `record`
  GuessRows rows;
  std::optional<store::BucketRow> device_row;
  bool device_is_known = false;
};

/// What a run by invitation code is answered with.
struct CodeRead {
  bool is_real = false;  // else the code below is nobody's
  SecretBuffer code;
  std::string name;  // of the user it is for
  std::uint64_t generation = 0;
  GuessRows rows;
};

/// Any thread; each call may block for as long as the store takes.
class Accounts {
 public:
  Accounts(std::shared_ptr<store::CredentialStore> store, std::shared_ptr<const Keyring> keyring);

  [[nodiscard]] store::CredentialStore& store() const noexcept { return *store_; }
  [[nodiscard]] std::shared_ptr<const Keyring> keyring() const;
  /// After a reload of the key file.
  void set_keyring(std::shared_ptr<const Keyring> keyring);

  /// Reads the fake-share table again; to be called within every 5 s.
  [[nodiscard]] store::StoreStatus refresh_shares();
  /// What new credentials are made under.
  [[nodiscard]] store::CredentialParameters current_parameters(store::Time now) const;

  /// Whether the key file has the keys under which records are made now; a node without them is not ready.
  [[nodiscard]] bool has_current_keys(store::Time now) const;

  [[nodiscard]] store::BucketKey bucket(store::BucketKind kind, Bytes identifier) const;

  /// @param name  as it came; a form that normalise_name does not give is an unknown user
  [[nodiscard]] store::StoreResult<LoginRead> read_login(Bytes name, const GuessKeys& keys,
                                                         const std::optional<store::BucketKey>& device,
                                                         store::Time now) const;
  [[nodiscard]] store::StoreResult<CodeRead> read_code(Bytes selector, const GuessKeys& keys, store::Time now) const;

 private:
  [[nodiscard]] store::StoreResult<opaque::Credential> fake_credential(const Keyring& keyring,
                                                                       const store::CredentialParameters& wanted,
                                                                       Bytes record) const;

  std::shared_ptr<store::CredentialStore> store_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keyring> keyring_;
  std::shared_ptr<const std::vector<store::FakeShareStep>> shares_;
};

}  // namespace pake::server
