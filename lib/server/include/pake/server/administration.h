// What an operator does to users: on the store, whether or not a server runs on it. Blocking.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/ksf.h"
#include "pake/server/guesses.h"
#include "pake/server/keyring.h"
#include "pake/store/credential_store.h"

namespace pake::server {

inline constexpr std::chrono::hours kInvitationLife{24};

struct Invited {
  SecretBuffer code;  // as it is printed
  store::Time expires_at{};
  bool is_new_user = false;
};

/// A user as an operator sees him.
struct UserView {
  store::UserRow row;  // without what is sealed
  bool has_credential = false;
  std::optional<store::Time> invited_until;
  std::int64_t guesses_left = 0;
  std::uint32_t guesses_of = 0;              // the burst of the bucket
  std::optional<std::chrono::seconds> wait;  // until one guess is left, if none is
};

/// Names are normalised (identity::normalise_name). One thread.
class Administration {
 public:
  using Now = std::function<store::Time()>;

  Administration(store::CredentialStore& store, std::shared_ptr<const Keyring> keyring, Rng& rng, Now now);

  /// A code by which its bearer chooses the password of `name`: a new user, or one who shall have another password; his
  /// old one works until the code is redeemed. A newer code takes the place of an older.
  /// conflict: the user is disabled.
  [[nodiscard]] store::StoreResult<Invited> invite(std::string_view name);
  /// The same for a user who is there (else not_found).
  [[nodiscard]] store::StoreResult<Invited> reset(std::string_view name);
  /// A user with this password, of which nothing but the sealed record stays. exists: he has a credential already.
  [[nodiscard]] store::StoreStatus add(std::string_view name, const SecretBuffer& password);

  /// In the order of their names; removed ones are left out.
  [[nodiscard]] store::StoreResult<std::vector<UserView>> list(const GuessRules& rules);
  [[nodiscard]] store::StoreResult<UserView> show(std::string_view name, const GuessRules& rules);

  // Each ends the user's sessions and tickets, on every node, within 5 s; enabling does not.
  [[nodiscard]] store::StoreStatus disable(std::string_view name);
  [[nodiscard]] store::StoreStatus remove(std::string_view name);
  [[nodiscard]] store::StoreStatus logout(std::string_view name);
  [[nodiscard]] store::StoreStatus enable(std::string_view name);

  /// Gives the guesses of the account, of its invitation and of its known devices back.
  [[nodiscard]] store::StoreStatus unthrottle(std::string_view name);

 private:
  using Change = std::function<store::StoreResult<bool>(store::UserRow&, SecretBuffer& record)>;
  /// Reads, changes, seals and writes, again if somebody else was faster. `change` returns whether there is anything to
  /// write.
  [[nodiscard]] store::StoreStatus change(std::string_view name, std::string_view action, const Change& change);
  [[nodiscard]] store::StoreResult<store::UserRow> require(std::string_view name);
  [[nodiscard]] store::StoreResult<bool> ensure_user(std::string_view name);
  [[nodiscard]] store::StoreResult<Invited> put_invitation(std::string_view name, std::string_view action);
  [[nodiscard]] store::StoreResult<store::CredentialParameters> current_parameters();
  [[nodiscard]] store::StoreResult<UserView> view(store::UserRow row, const GuessRules& rules);
  [[nodiscard]] store::AuditNote note(std::string_view action, std::string_view name, std::string_view detail = {});

  store::CredentialStore& store_;
  std::shared_ptr<const Keyring> keyring_;
  Rng& rng_;
  Now now_;
};

}  // namespace pake::server
