#include "publications.h"

#include <utility>

#include "served_session.h"

namespace pake::server {
namespace {

void tell(const Publisher& publisher, const std::string& name, channel::ResetCode code) {
  publisher.loop->post(
      publisher.served,
      [](ServedSession& session, const std::string& which, channel::ResetCode why) { session.unpublish(which, why); },
      name, code);
}

}  // namespace

bool Publications::publish(const std::string& name, Publisher publisher) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) {
    const auto& holder = found->second;
    if (holder.user == publisher.user && holder.session >= publisher.session) return false;
    tell(holder, name, channel::ResetCode::too_many);
  }
  by_name_.insert_or_assign(name, std::move(publisher));
  return true;
}

void Publications::withdraw(const std::string& name, SessionId session) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end() && found->second.session == session) by_name_.erase(found);
}

std::optional<Publisher> Publications::find(const std::string& name, const PublishedConfig& config) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end() || found->second.user != config.publisher) return std::nullopt;
  return found->second;
}

void Publications::recheck(const Config& config) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, publisher] : by_name_) {
    const auto allowed = config.published.find(name);
    if (allowed == config.published.end() || allowed->second.publisher != publisher.user)
      tell(publisher, name, channel::ResetCode::not_allowed);
  }
}

std::size_t Publications::size() const {
  const std::scoped_lock lock(mutex_);
  return by_name_.size();
}

}  // namespace pake::server
