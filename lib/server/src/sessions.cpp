#include "pake/server/sessions.h"

#include <algorithm>
#include <utility>

#include "feed_reader.h"

namespace pake::server {

std::string_view to_string(EnteredBy by) noexcept {
  switch (by) {
    case EnteredBy::password:
      return "password";
    case EnteredBy::ticket:
      return "ticket";
    case EnteredBy::code:
      return "code";
  }
  std::unreachable();
}

std::string_view to_string(EndCause cause) noexcept {
  switch (cause) {
    case EndCause::killed:
      return "killed";
    case EndCause::account_changed:
      return "account-changed";
    case EndCause::too_long:
      return "too-long";
    case EndCause::idle:
      return "idle";
    case EndCause::drain:
      return "drain";
  }
  std::unreachable();
}

bool Sessions::enter(std::shared_ptr<const SessionInfo> info, std::weak_ptr<Session> session, net::Loop& loop,
                     std::size_t most, std::size_t most_of_user) {
  const auto& facts = info->facts;
  const std::scoped_lock lock(mutex_);
  if (by_id_.size() >= most) return false;
  auto& of_user = by_user_[facts.user];
  if (of_user.size() >= most_of_user) return false;
  of_user.push_back(facts.id);
  const auto id = facts.id;
  by_id_.emplace(id, Entry{.info = std::move(info), .session = std::move(session), .loop = &loop});
  return true;
}

void Sessions::leave(const SessionInfo& info) {
  const auto& facts = info.facts;
  const std::scoped_lock lock(mutex_);
  if (by_id_.erase(facts.id) == 0) return;
  const auto of_user = by_user_.find(facts.user);
  std::erase(of_user->second, facts.id);
  if (of_user->second.empty()) by_user_.erase(of_user);
}

std::size_t Sessions::size() const {
  const std::scoped_lock lock(mutex_);
  return by_id_.size();
}

std::size_t Sessions::size_of(const std::string& user) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_user_.find(user);
  return found == by_user_.end() ? 0 : found->second.size();
}

std::vector<SessionRow> Sessions::list() const {
  const std::scoped_lock lock(mutex_);
  std::vector<SessionRow> rows;
  rows.reserve(by_id_.size());
  for (const auto& [id, entry] : by_id_)
    rows.push_back({.facts = entry.info->facts,
                    .open_streams = entry.info->open_streams,
                    .bytes_in = entry.info->bytes_in,
                    .bytes_out = entry.info->bytes_out});
  return rows;
}

void Sessions::ask(const Entry& entry, EndCause cause) {
  entry.loop->post(entry.session, [](Session& session, EndCause why) { session.end(why); }, cause);
}

std::size_t Sessions::end(SessionId id, EndCause cause) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return 0;
  ask(found->second, cause);
  return 1;
}

std::size_t Sessions::end_user(const std::string& user, EndCause cause) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_user_.find(user);
  if (found == by_user_.end()) return 0;
  for (const auto id : found->second) ask(by_id_.at(id), cause);
  return found->second.size();
}

std::size_t Sessions::end_stale(const store::GenerationChange& change) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_user_.find(change.name);
  if (found == by_user_.end()) return 0;
  std::size_t count = 0;
  for (const auto id : found->second) {
    const auto& entry = by_id_.at(id);
    if (!is_ended_by(change, entry.info->generation)) continue;
    ask(entry, EndCause::account_changed);
    ++count;
  }
  return count;
}

std::size_t Sessions::end_all(EndCause cause) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, entry] : by_id_) ask(entry, cause);
  return by_id_.size();
}

}  // namespace pake::server
