// From a destination and a secret to a channel.
#pragma once

#include <functional>
#include <optional>

#include "login/options.h"
#include "pake/channel/key_cache.h"
#include "pake/crypto/rng.h"
#include "pake/identity/invitation.h"
#include "pake/identity/password.h"
#include "pake/net/awaitable.h"
#include "pake/net/handshake.h"
#include "pake/net/loops.h"
#include "pipe/trace.h"
#include "process/problem.h"

namespace pake::cli::login {

/// What one try needs. It outlives the channel.
class Session {
 public:
  /// @param options  outlive this; so does `trace`
  Session(const LoginOptions& options, std::optional<pipe::Trace>& trace) : options_(options), trace_(trace) {}

  /// Connects and logs in. Exit code 3 if the password is wrong or the name unknown, 4 if nobody answers, 5 if the
  /// server takes no more tries for now, 6 if it vanishes, 7 if it speaks another protocol.
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> by_password(net::Loop& loop,
                                                                         const identity::Password& password);
  /// Connects, and proves an invitation's code. Exit codes as above.
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> by_invitation(net::Loop& loop,
                                                                           const identity::InvitationCode& code);

  /// Connects, and resumes with a ticket of an earlier channel. Exit codes as above; 3 if the server takes the ticket
  /// no more.
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> by_ticket(net::Loop& loop,
                                                                       const channel::StoredTicket& ticket);

  [[nodiscard]] const LoginOptions& options() const noexcept { return options_; }
  [[nodiscard]] crypto::SystemRng& rng() noexcept { return rng_; }

 private:
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> open(net::Loop& loop,
                                                                  Result<channel::ClientHandshake> handshake,
                                                                  const Problem& wrong_secret);
  [[nodiscard]] channel::ClientConfig config() const;

  const LoginOptions& options_;
  std::optional<pipe::Trace>& trace_;
  crypto::SystemRng rng_;
  channel::KeyCache cache_{2};
};

/// What is done with the password, on a loop.
using WithPassword = std::function<net::Awaitable<Expected<void>>(net::Loop&, Session&, const identity::Password&)>;

/// How a command that logs in asks.
struct Asking {
  std::string question = "Password";             // " of alice@box: " follows
  std::function<Expected<void>()> prepare = {};  // runs behind the question, before anything is sent
};

/// Reads the password, and runs `use` with it; a wrong one that was typed at a terminal is asked for again, three times
/// in all. Returns the exit code.
[[nodiscard]] int run_with_password(const LoginOptions& options, const WithPassword& use, const Asking& asking = {});

/// Runs `task` under the options' trace. Returns the exit code, and has said what went wrong.
[[nodiscard]] int run_traced(const LoginOptions& options,
                             const std::function<Expected<int>(std::optional<pipe::Trace>&)>& task);

/// What is wrong with a password that was typed, or nothing.
[[nodiscard]] std::optional<Problem> check_password(Bytes typed);
/// The password of `given`, in the form that enters the key.
[[nodiscard]] Expected<identity::Password> password_of(const GivenSecret& given);

}  // namespace pake::cli::login
