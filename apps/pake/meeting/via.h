// --via: the server behind which two people meet who cannot reach each other, and how this side comes to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "login/named_hosts.h"
#include "login/options.h"
#include "login/session.h"
#include "options/command.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pipe/trace.h"
#include "process/problem.h"
#include "secrets/secret_source.h"

namespace pake::cli::meeting {

/// It must stay where it is once `add_via` has been called.
struct ViaOptions {
  login::LoginOptions login = {};  // its destination is the server; without a name: as nobody
  login::NamedHosts hosts = {};
  std::string service = "meet";  // of a user's server, as its operator calls it
  bool no_direct = false;        // stay behind the server

  [[nodiscard]] bool is_given() const noexcept { return !login.destination.typed.empty(); }
  [[nodiscard]] bool is_user() const noexcept { return !login.destination.name.empty(); }
  /// Whether this side tells its addresses once the other one has proved the code. Not behind a loopback address: that
  /// is this machine, or the end of a tunnel that somebody has chosen.
  [[nodiscard]] bool may_go_directly() const;
  /// What the other side types behind --via.
  [[nodiscard]] std::string for_the_other_side() const;
};

enum class Beside : std::uint8_t { nothing, code };

/// What a command with --via ends with.
[[nodiscard]] inline std::vector<int> exit_codes_via() {
  return {kExitOk,        kExitFailed,   kExitUsage,    kExitAuthFailed, kExitUnreachable,
          kExitThrottled, kExitCutShort, kExitProtocol, kExitService,    kExitStore};
}

/// Adds --via and the client's configuration, in which it may stand too; and the sources of a password, unless the
/// command reads a code, whose settings have them already.
void add_via(Command& command, ViaOptions& options, Beside beside);

/// Puts what the configuration says of the host in its place. If one of `other_ways` is typed, the configuration's
/// `via` does not count; a --via that is typed beside it is a usage problem.
/// @param code  the command's, if it reads one: with a user's --via a password's spellings are the password's
[[nodiscard]] Expected<void> settle_via(ViaOptions& options, const Given& given,
                                        std::initializer_list<const char*> other_ways, SecretOptions* code = nullptr);

/// The server, as often as this side comes to it: a connection each time, or for a user a stream of one channel.
class MeetingPoint : public std::enable_shared_from_this<MeetingPoint> {
 public:
  /// Asks for the password, if a user's is needed. Blocks; a command's code has been read by then.
  /// @param options  outlive it; so does `trace`
  [[nodiscard]] static Expected<std::shared_ptr<MeetingPoint>> open(const ViaOptions& options,
                                                                    std::optional<pipe::Trace>& trace);
  MeetingPoint(const ViaOptions& options, std::optional<pipe::Trace>& trace) : options_(options), trace_(trace) {}
  MeetingPoint(const MeetingPoint&) = delete;
  MeetingPoint& operator=(const MeetingPoint&) = delete;
  ~MeetingPoint() = default;

  /// Exit codes as of a login, or 4 if the server cannot be reached.
  [[nodiscard]] net::Awaitable<Expected<std::unique_ptr<net::Stream>>> connect(net::Loop& loop);
  /// After the last stream has gone, and before the loops have: what they sent has left by then.
  [[nodiscard]] net::Awaitable<void> leave(net::Loop& loop);

  [[nodiscard]] const ViaOptions& options() const noexcept { return options_; }
  /// As messages name it: "HOST:PORT".
  [[nodiscard]] std::string name() const;

 private:
  class UserStream;
  [[nodiscard]] net::Awaitable<Expected<std::shared_ptr<net::ChannelLink>>> channel(net::Loop& loop);
  static net::Awaitable<void> carry(std::shared_ptr<MeetingPoint> self, std::shared_ptr<net::ChannelLink> link);
  static net::Awaitable<void> take_streams(std::shared_ptr<MeetingPoint> self, net::Loop& loop,
                                           std::shared_ptr<net::ChannelLink> link);
  static net::Awaitable<void> end_stream(std::shared_ptr<MeetingPoint> self, std::unique_ptr<net::Stream> stream);

  const ViaOptions& options_;
  std::optional<pipe::Trace>& trace_;
  login::Asking asking_;
  std::optional<login::Session> session_;   // of a user
  std::shared_ptr<net::ChannelLink> link_;  // his channel, while it stands
  std::size_t ending_ = 0;                  // streams whose last bytes are on their way
};

}  // namespace pake::cli::meeting
