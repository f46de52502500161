// Which services users' clients have brought, and through which session each is reached.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "pake/net/loops.h"
#include "pake/server/config.h"
#include "pake/server/sessions.h"

namespace pake::server {

class ServedSession;

/// The session through which a published service is reached.
struct Publisher {
  std::string user;
  SessionId session = 0;
  net::Loop* loop = nullptr;
  std::weak_ptr<ServedSession> served;  // locked by its loop alone
};

/// Any thread.
class Publications {
 public:
  /// The name is `publisher`'s from now on; an older session of the same user that held it is told. False if the name
  /// is held by this session, or by a newer one of this user.
  [[nodiscard]] bool publish(const std::string& name, Publisher publisher);
  /// If it is this session's.
  void withdraw(const std::string& name, SessionId session);
  /// Nothing if nobody publishes it, or somebody who may no longer.
  [[nodiscard]] std::optional<Publisher> find(const std::string& name, const PublishedConfig& config) const;
  /// Ends what the configuration does not allow any more.
  void recheck(const Config& config);
  [[nodiscard]] std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Publisher> by_name_;
};

}  // namespace pake::server
