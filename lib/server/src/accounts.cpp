#include "pake/server/accounts.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "pake/identity/invitation.h"
#include "pake/identity/name.h"
#include "pake/internal/try.h"
#include "pake/store/migration.h"
#include "pake/store/sealing.h"
#include "pake/store/shares.h"

namespace pake::server {
namespace {

using store::StoreErrc;
using What = LoginRead::What;

constexpr std::string_view kFakeCode = "pake/1 unknown selector";

struct Choice {
  What what;
  store::CredentialParameters parameters;  // of the answer
};

Choice choose(const store::LoginRows& rows, bool has_record, const store::FakeShareStep& step,
              const store::CredentialParameters& of_unknown, store::Time now) {
  const auto& own = rows.user.parameters;
  if (!rows.found) return {.what = What::unknown, .parameters = of_unknown};
  if (!store::may_log_in(step, own, now)) return {.what = What::window_over, .parameters = of_unknown};
  if (rows.user.state == store::UserState::removed) return {.what = What::removed, .parameters = own};
  if (!has_record) return {.what = What::unknown, .parameters = of_unknown};
  if (rows.user.state == store::UserState::disabled) return {.what = What::disabled, .parameters = own};
  return {.what = What::record, .parameters = own};
}

}  // namespace

Accounts::Accounts(std::shared_ptr<store::CredentialStore> store, std::shared_ptr<const Keyring> keyring)
    : store_(std::move(store)), keyring_(std::move(keyring)) {}

std::shared_ptr<const Keyring> Accounts::keyring() const {
  const std::scoped_lock lock(mutex_);
  return keyring_;
}

void Accounts::set_keyring(std::shared_ptr<const Keyring> keyring) {
  const std::scoped_lock lock(mutex_);
  keyring_ = std::move(keyring);
}

store::StoreStatus Accounts::refresh_shares() {
  PAKE_TRY(auto steps, store_->fake_shares());
  auto shared = std::make_shared<const std::vector<store::FakeShareStep>>(std::move(steps));
  const std::scoped_lock lock(mutex_);
  shares_ = std::move(shared);
  return {};
}

store::CredentialParameters Accounts::current_parameters(store::Time now) const {
  const std::scoped_lock lock(mutex_);
  return store::step_at(*shares_, now).shares.back().parameters;
}

bool Accounts::has_current_keys(store::Time now) const {
  const auto parameters = current_parameters(now);
  return keyring()->find(parameters.epoch, parameters.suite) != nullptr;
}

store::BucketKey Accounts::bucket(store::BucketKind kind, Bytes identifier) const {
  return keyring()->file().bucket_key(kind, identifier);
}

// One path for every name: one query, one row of one size opened, one record decoded.
store::StoreResult<LoginRead> Accounts::read_login(Bytes name, const GuessKeys& keys,
                                                   const std::optional<store::BucketKey>& device,
                                                   store::Time now) const {
  const auto [keyring, shares] = [&] {
    const std::scoped_lock lock(mutex_);
    return std::pair(keyring_, shares_);
  }();
  std::string looked_up(identity::is_normalised_name(name) ? as_text(name) : std::string_view());
  PAKE_TRY(auto rows, store_->read_login({.name = std::move(looked_up),
                                          .account = keys.target,
                                          .source = keys.source,
                                          .new_rows = keys.new_rows,
                                          .device = device}));
  PAKE_TRY(const auto opened, store::open_user(keyring->file(), rows.user));
  const auto& step = store::step_at(*shares, now);
  const auto of_unknown = store::parameters_of(step, keyring->file().fake_draw(name));
  auto choice = choose(rows, opened.has_value(), step, of_unknown, now);
  if (keyring->find(choice.parameters.epoch, choice.parameters.suite) == nullptr)
    choice = {.what = choice.what == What::record ? What::lost_epoch : choice.what, .parameters = of_unknown};

  LoginRead read{.what = choice.what,
                 .credential = {},
                 .generation = rows.user.generation,
                 .rows = {.target = std::move(rows.account),
                          .source = std::move(rows.source),
                          .new_rows = std::move(rows.new_rows)},
                 .device_row = std::move(rows.device),
                 .device_is_known = rows.device_is_known};
  const auto record = choice.what == What::record ? opened->reveal() : Bytes();
  PAKE_TRY(read.credential, fake_credential(*keyring, choice.parameters, record));
  return read;
}

// `record`, or if it is empty the fake one of its parameters.
store::StoreResult<opaque::Credential> Accounts::fake_credential(const Keyring& keyring,
                                                                 const store::CredentialParameters& wanted,
                                                                 Bytes record) const {
  const auto* const member = keyring.find(wanted.epoch, wanted.suite);
  if (member == nullptr)
    return store::fail(StoreErrc::key_file_damaged, "the key file lacks the keys of the current epoch",
                       "copy the newest key file to this node");
  const auto ksf = crypto::decode_ksf_profile(wanted.ksf_profile);
  auto stored = opaque::StoredRecord::decode(record.empty() ? Bytes(member->fake) : record);
  if (!ksf || !stored || stored->epoch != wanted.epoch || static_cast<std::uint8_t>(stored->suite) != wanted.suite)
    return store::fail(StoreErrc::corrupt, "a credential of the store makes no sense",
                       "restore the store from a backup");
  stored->ksf = *ksf;
  return opaque::Credential{.record = *std::move(stored), .keys = member->keys};
}

store::StoreResult<CodeRead> Accounts::read_code(Bytes selector, const GuessKeys& keys, store::Time now) const {
  const auto ring = keyring();
  std::string looked_up(identity::is_selector(selector) ? as_text(selector) : std::string_view());
  PAKE_TRY(
      auto rows,
      store_->read_code(
          {.selector = std::move(looked_up), .code = keys.target, .source = keys.source, .new_rows = keys.new_rows}));
  PAKE_TRY(auto secret, store::open_invitation(ring->file(), rows.invitation));
  const auto unknown = ring->file().fake_secret(kFakeCode, selector);
  CodeRead read{
      .is_real = rows.found && rows.invitation.expires_at > now && rows.user.state == store::UserState::enabled,
      .code = {},
      .name = std::move(rows.user.name),
      .generation = rows.user.generation,
      .rows = {.target = std::move(rows.code), .source = std::move(rows.source), .new_rows = std::move(rows.new_rows)}};
  read.code = read.is_real ? std::move(secret) : SecretBuffer::copy_of(unknown.reveal());
  return read;
}

}  // namespace pake::server
