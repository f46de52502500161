#include "row_columns.h"

#include <utility>

#include "pake/store/sealing.h"

namespace pake::store {
namespace {

std::string in_quotes(std::string_view name) { return std::string("'").append(name).append("'"); }

}  // namespace

StoreStatus require_sealed(const UserRow& row) {
  if (!row.name.empty() && row.revision != 0 && row.sealed.size() == kSealedUserSize) return {};
  return fail(StoreErrc::misuse, "this is no user's row: it has no name, no revision, or is not sealed");
}

StoreStatus require_sealed(const InvitationRow& row) {
  if (!row.selector.empty() && !row.name.empty() && row.sealed.size() == kSealedInvitationSize) return {};
  return fail(StoreErrc::misuse, "this is no invitation's row: it has no selector, no name, or is not sealed");
}

StoreStatus require_next_revision(const StoredUser& stored, const UserRow& next) {
  if (next.revision == 1) return fail_user_exists(next.name);
  if (stored.revision + 1 == next.revision) return {};
  return fail(StoreErrc::conflict, in_quotes(next.name) + " was changed meanwhile", "try again");
}

std::unexpected<StoreError> fail_removed_meanwhile(std::string_view name) {
  return fail(StoreErrc::conflict, in_quotes(name) + " was removed meanwhile", "read the user again");
}

std::unexpected<StoreError> fail_user_exists(std::string_view name) {
  return fail(StoreErrc::exists, "there is a user " + in_quotes(name) + " already");
}

std::unexpected<StoreError> fail_no_user(std::string_view name) {
  return fail(StoreErrc::not_found, "there is no user " + in_quotes(name), "pake user list shows them");
}

std::unexpected<StoreError> fail_no_invitation(std::string_view name) {
  return fail(StoreErrc::not_found, in_quotes(name) + " has no invitation");
}

std::unexpected<StoreError> fail_invitation_gone(std::string_view name) {
  return fail(StoreErrc::invitation_gone, "the invitation of " + in_quotes(name) + " is used, withdrawn or expired",
              "make a new one: pake user invite " + std::string(name));
}

std::unexpected<StoreError> fail_selector(StoreError error, std::string_view selector) {
  if (error.code != StoreErrc::exists) return std::unexpected(std::move(error));
  return fail(StoreErrc::exists, "the selector " + std::string(selector) + " is taken", "draw another code");
}

}  // namespace pake::store
