// Who is in: the sessions of every loop, as the operator and the feed of changes see them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pake/net/address.h"
#include "pake/net/loops.h"
#include "pake/store/rows.h"

namespace pake::server {

/// How somebody came in.
enum class EnteredBy : std::uint8_t { password, ticket, code };
[[nodiscard]] std::string_view to_string(EnteredBy by) noexcept;

/// Why a session ends that its client did not end.
enum class EndCause : std::uint8_t { killed, account_changed, too_long, idle, drain };
[[nodiscard]] std::string_view to_string(EndCause cause) noexcept;

using SessionId = std::uint64_t;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

struct SessionFacts {
  SessionId id = 0;
  std::string user;
  EnteredBy by{};
  std::string source;  // the peer's address
  WallTime since{};
};

/// What any thread may know of a session.
struct SessionInfo {
  SessionFacts facts;
  std::atomic<std::uint64_t> generation = 0;  // of the user; moves on with a change that this session has made
  std::atomic<std::uint32_t> open_streams = 0;
  std::atomic<std::uint64_t> bytes_in = 0, bytes_out = 0;  // of streams that have ended
};

/// A session on its loop, touched by that loop's thread alone.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  /// Ends it.
  virtual void end(EndCause cause) = 0;
};

struct SessionRow {
  SessionFacts facts;
  std::uint32_t open_streams = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

/// Any thread.
class Sessions {
 public:
  /// A number for the next session.
  [[nodiscard]] SessionId next_id() noexcept { return ++last_id_; }

  /// False, and the session is not entered, when there are `most` already or its user has `most_of_user`.
  [[nodiscard]] bool enter(std::shared_ptr<const SessionInfo> info, std::weak_ptr<Session> session, net::Loop& loop,
                           std::size_t most, std::size_t most_of_user);
  void leave(const SessionInfo& info);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::size_t size_of(const std::string& user) const;
  /// In the order of their numbers.
  [[nodiscard]] std::vector<SessionRow> list() const;

  /// Each of these asks sessions to end, on their loops, and returns how many.
  std::size_t end(SessionId id, EndCause cause);
  std::size_t end_user(const std::string& user, EndCause cause);
  /// Those of the change's user that entered before it.
  std::size_t end_stale(const store::GenerationChange& change);
  std::size_t end_all(EndCause cause);

 private:
  struct Entry {
    std::shared_ptr<const SessionInfo> info;
    std::weak_ptr<Session> session;  // locked by its loop alone
    net::Loop* loop;
  };
  void ask(const Entry& entry, EndCause cause);

  std::atomic<SessionId> last_id_ = 0;
  mutable std::mutex mutex_;
  std::map<SessionId, Entry> by_id_;
  std::map<std::string, std::vector<SessionId>, std::less<>> by_user_;
};

}  // namespace pake::server
