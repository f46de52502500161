#include "pake/server/administration.h"

#include <algorithm>
#include <utility>

#include "pake/channel/handshake.h"
#include "pake/identity/invitation.h"
#include "pake/internal/try.h"
#include "pake/store/bucket.h"
#include "pake/store/sealing.h"
#include "pake/store/shares.h"
#include "registration.h"

namespace pake::server {
namespace {

using store::StoreErrc;
using store::UserState;

constexpr int kTries = 8;  // against somebody who changes the same row
constexpr std::size_t kPage = 1'000;

std::string quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

std::unexpected<store::StoreError> fail_no_user(std::string_view name) {
  return store::fail(StoreErrc::not_found, "there is no user " + quoted(name), "pake user list");
}

}  // namespace

Administration::Administration(store::CredentialStore& store, std::shared_ptr<const Keyring> keyring, Rng& rng, Now now)
    : store_(store), keyring_(std::move(keyring)), rng_(rng), now_(std::move(now)) {}

store::AuditNote Administration::note(std::string_view action, std::string_view name, std::string_view detail) {
  return {.at = now_(),
          .actor = "operator",
          .action = std::string(action),
          .name = std::string(name),
          .detail = std::string(detail)};
}

store::StoreResult<store::CredentialParameters> Administration::current_parameters() {
  PAKE_TRY(const auto steps, store_.fake_shares());
  return store::step_at(steps, now_()).shares.back().parameters;
}

store::StoreResult<store::UserRow> Administration::require(std::string_view name) {
  PAKE_TRY(auto row, store_.find_user(name));
  if (!row || row->state == UserState::removed) return fail_no_user(name);
  return *std::move(row);
}

store::StoreStatus Administration::change(std::string_view name, std::string_view action, const Change& change) {
  for (int i = 1;; ++i) {
    PAKE_TRY(const auto row, require(name));
    PAKE_TRY(auto opened, store::open_user(keyring_->file(), row));
    auto record = opened ? *std::move(opened) : SecretBuffer();
    auto next = store::next_revision(row, now_());
    PAKE_TRY(const auto is_changed, change(next, record));
    if (!is_changed) return {};
    PAKE_TRYV(store::seal_user(keyring_->file(), next, record.reveal(), rng_));
    const auto written = store_.write_user({.row = std::move(next), .redeemed_selector = {}}, note(action, name));
    if (written || written.error().code != StoreErrc::conflict || i == kTries) return written;
  }
}

// A row without a credential: to everybody but the bearer of the code he is a name without an account.
store::StoreResult<bool> Administration::ensure_user(std::string_view name) {
  PAKE_TRY(const auto found, store_.find_user(name));
  if (found && found->state == UserState::disabled)
    return store::fail(StoreErrc::conflict, "user " + quoted(name) + " is disabled",
                       "pake user enable " + std::string(name));
  if (found && found->state == UserState::enabled) return false;
  PAKE_TRY(const auto parameters, current_parameters());
  PAKE_TRY(const auto used, store_.used_generation(name));
  auto row = store::new_user(name, parameters, now_(), rng_, used);
  if (found) {
    row = store::next_revision(*found, now_());
    ++row.generation;
    row.state = UserState::enabled;
    row.parameters = parameters;
  }
  PAKE_TRYV(store::seal_user(keyring_->file(), row, {}, rng_));
  PAKE_TRYV(store_.write_user({.row = std::move(row), .redeemed_selector = {}}, note("user.new", name)));
  return true;
}

store::StoreResult<Invited> Administration::put_invitation(std::string_view name, std::string_view action) {
  for (int i = 1;; ++i) {
    const auto code = identity::generate_invitation_code(rng_);
    const auto now = now_();
    store::InvitationRow row{.selector = code.selector,
                             .name = std::string(name),
                             .expires_at = now + kInvitationLife,
                             .sealed = {},
                             .created_at = now};
    PAKE_TRYV(store::seal_invitation(keyring_->file(), row, code.words.reveal(), rng_));
    const auto put = store_.put_invitation(row, note(action, name));
    if (put) return Invited{.code = code.text(), .expires_at = row.expires_at, .is_new_user = false};
    if (put.error().code != StoreErrc::exists || i == kTries) return std::unexpected(put.error());
  }
}

store::StoreResult<Invited> Administration::invite(std::string_view name) {
  PAKE_TRY(const auto is_new, ensure_user(name));
  PAKE_TRY(auto invited, put_invitation(name, "user.invite"));
  invited.is_new_user = is_new;
  return invited;
}

store::StoreResult<Invited> Administration::reset(std::string_view name) {
  PAKE_TRYV(require(name));
  PAKE_TRYV(ensure_user(name));
  return put_invitation(name, "user.reset");
}

store::StoreStatus Administration::add(std::string_view name, const SecretBuffer& password) {
  PAKE_TRYV(ensure_user(name));
  PAKE_TRY(const auto parameters, current_parameters());
  PAKE_TRY(const auto record, register_here(*keyring_, parameters, name, password, rng_));
  return change(name, "user.add", [&](store::UserRow& row, SecretBuffer& old) -> store::StoreResult<bool> {
    if (!old.empty())
      return store::fail(StoreErrc::exists, "there is a user " + quoted(name) + " with a password already",
                         "pake user reset " + std::string(name));
    ++row.generation;
    row.parameters = parameters;
    old = SecretBuffer::copy_of(record.reveal());
    return true;
  });
}

store::StoreResult<UserView> Administration::view(store::UserRow row, const GuessRules& rules) {
  PAKE_TRY(const auto record, store::open_user(keyring_->file(), row));
  PAKE_TRY(const auto invitation, store_.find_invitation_of(row.name));
  const std::vector<store::BucketKey> keys = {
      keyring_->file().bucket_key(store::BucketKind::account, as_bytes(row.name))};
  PAKE_TRY(const auto buckets, store_.read_buckets(keys));
  const auto now = now_();
  const auto left = std::max<std::int64_t>(0, store::guesses_left(rules.account, buckets.front(), now));
  UserView view{.row = std::move(row),
                .has_credential = record.has_value(),
                .invited_until = {},
                .guesses_left = left,
                .guesses_of = rules.account.burst,
                .wait = {}};
  if (invitation && invitation->expires_at > now) view.invited_until = invitation->expires_at;
  if (left == 0)
    view.wait = std::chrono::ceil<std::chrono::seconds>(store::wait_until_left(rules.account, buckets.front(), 1, now));
  view.row.sealed.clear();
  return view;
}

store::StoreResult<std::vector<UserView>> Administration::list(const GuessRules& rules) {
  std::vector<UserView> views;
  std::string after;
  for (;;) {
    PAKE_TRY(auto page, store_.list_users(after, kPage));
    if (page.empty()) return views;
    after = page.back().name;
    for (auto& row : page) {
      if (row.state == UserState::removed) continue;
      PAKE_TRY(auto seen, view(std::move(row), rules));
      views.push_back(std::move(seen));
    }
  }
}

store::StoreResult<UserView> Administration::show(std::string_view name, const GuessRules& rules) {
  PAKE_TRY(auto row, require(name));
  return view(std::move(row), rules);
}

store::StoreStatus Administration::disable(std::string_view name) {
  return change(name, "user.disable", [](store::UserRow& row, SecretBuffer&) -> store::StoreResult<bool> {
    if (row.state == UserState::disabled) return false;
    ++row.generation;
    row.state = UserState::disabled;
    return true;
  });
}

store::StoreStatus Administration::enable(std::string_view name) {
  return change(name, "user.enable", [](store::UserRow& row, SecretBuffer&) -> store::StoreResult<bool> {
    return std::exchange(row.state, UserState::enabled) != UserState::enabled;
  });
}

store::StoreStatus Administration::logout(std::string_view name) {
  return change(name, "user.logout", [](store::UserRow& row, SecretBuffer&) -> store::StoreResult<bool> {
    ++row.generation;
    return true;
  });
}

store::StoreStatus Administration::remove(std::string_view name) {
  return change(name, "user.remove", [](store::UserRow& row, SecretBuffer& record) -> store::StoreResult<bool> {
    ++row.generation;
    row.state = UserState::removed;
    record = SecretBuffer();
    return true;
  });
}

store::StoreStatus Administration::unthrottle(std::string_view name) {
  PAKE_TRYV(require(name));
  const auto& file = keyring_->file();
  std::vector<store::BucketKey> keys = {file.bucket_key(store::BucketKind::account, as_bytes(name)),
                                        registration_bucket_of_name(file, as_bytes(name))};
  PAKE_TRY(const auto invitation, store_.find_invitation_of(name));
  if (invitation) {
    keys.push_back(file.bucket_key(store::BucketKind::code, as_bytes(invitation->selector)));
    keys.push_back(registration_bucket_of_code(file, as_bytes(invitation->selector)));
  }
  PAKE_TRY(const auto devices, store_.devices_of(name));
  keys.insert(keys.end(), devices.begin(), devices.end());
  return store_.clear_buckets(keys, note("user.unthrottle", name));
}

}  // namespace pake::server
