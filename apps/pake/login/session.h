// From a destination and a secret to a channel.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "login/events.h"
#include "login/options.h"
#include "login/remembering.h"
#include "pake/channel/account.h"
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

/// How a command that logs in asks.
struct Asking {
  std::string question = "Password";             // " of alice@box: " follows
  std::function<Expected<void>()> prepare = {};  // runs behind the question, before anything is sent
  bool by_password_alone = false;                // a remembered ticket is not used
  Events events = {};                            // take the place of errors
};

/// A login: what proves who the user is, and the channels that it opens. It outlives them. Used on one loop at a time.
class Session {
 public:
  /// @param options  outlive this; so do `trace` and `asking`
  Session(const LoginOptions& options, std::optional<pipe::Trace>& trace, const Asking& asking, Remembering remembering)
      : options_(options), trace_(trace), asking_(asking), remembering_(std::move(remembering)) {}

  /// Takes the password of an option or the environment, if there is one, and a ticket that is remembered. Comes before
  /// the program has a second thread.
  [[nodiscard]] Expected<void> take_credentials();
  /// Asks for the password, if neither it nor a ticket is there. Blocks.
  [[nodiscard]] Expected<void> ask();

  /// Connects and logs in: by the ticket of an earlier channel, and if the server refuses it by the password. Exit code
  /// 3 if the password is wrong or the name unknown, 4 if nobody answers, 5 if the server takes no more tries for now,
  /// 6 if it vanishes, 7 if it speaks another protocol, 9 if the server cannot be remembered.
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> log_in(net::Loop& loop);
  /// The same, for a command that has been running: asks on the terminal, on a thread of its own, if it must.
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> log_in_again(net::Loop& loop);
  /// Connects, and proves an invitation's code. Exit codes as above.
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> by_invitation(net::Loop& loop,
                                                                           const identity::InvitationCode& code);

  /// Takes the last ticket that came in `link`, and keeps it if it is to be remembered. While the channel runs, and
  /// after it.
  void collect_ticket(net::ChannelLink& link);

  /// Takes a stream that the server has opened in `link` to ask for a record under its newer keys, and makes that
  /// record in its own time. False if it is another stream.
  [[nodiscard]] bool take_stream(net::Loop& loop, const std::shared_ptr<net::ChannelLink>& link,
                                 net::AcceptedStream& accepted);
  /// Whether such a record is being made: the channel is not to be closed yet.
  [[nodiscard]] bool is_migrating() const noexcept { return is_migrating_; }

  /// Why the last log_in failed: the password was wrong, and can be asked for again; or there was but a ticket.
  [[nodiscard]] bool can_ask_again() const noexcept { return needs_password_ || (is_wrong_ && was_typed_); }
  [[nodiscard]] bool needs_password() const noexcept { return needs_password_; }
  /// Says why the last log_in failed.
  void complain(const Problem& problem) const;
  [[nodiscard]] const Events& events() const noexcept { return asking_.events; }

  [[nodiscard]] const LoginOptions& options() const noexcept { return options_; }
  [[nodiscard]] crypto::SystemRng& rng() noexcept { return rng_; }
  [[nodiscard]] Remembering& remembering() noexcept { return remembering_; }

 private:
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> by_ticket(net::Loop& loop);
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> by_password(net::Loop& loop);
  [[nodiscard]] net::Awaitable<Expected<net::ClientChannel>> open(net::Loop& loop,
                                                                  Result<channel::ClientHandshake> handshake,
                                                                  const Problem& wrong_secret);
  [[nodiscard]] net::Awaitable<void> migrate(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                             channel::MigrationOffer offer, std::unique_ptr<net::Stream> stream);
  [[nodiscard]] net::Awaitable<Expected<void>> ask_on_a_thread(net::Loop& loop);
  [[nodiscard]] Expected<void> take(const GivenSecret& given);
  [[nodiscard]] channel::ClientConfig config() const;

  const LoginOptions& options_;
  std::optional<pipe::Trace>& trace_;
  const Asking& asking_;
  Remembering remembering_;
  std::optional<identity::Password> password_;
  std::optional<client::RememberedTicket> ticket_;
  crypto::KsfProfile used_ksf_{};  // of the last login by password
  bool is_migrating_ = false;
  bool was_typed_ = false;       // the password
  bool is_wrong_ = false;        // the same
  bool is_capitals_ = false;     // every letter of it
  bool needs_password_ = false;  // the ticket was refused, and there is no password
  crypto::SystemRng rng_;
  channel::KeyCache cache_{2};
};

/// What is done with a login, on a loop.
using WithSession = std::function<net::Awaitable<Expected<void>>(net::Loops&, Session&)>;

/// Runs `use`, which logs in. A wrong password that was typed at a terminal is asked for again, three times in all;
/// then `use` runs again. Returns the exit code.
[[nodiscard]] int run_logged_in(const LoginOptions& options, const WithSession& use, const Asking& asking = {});

/// Runs `task` under the options' trace. Returns the exit code, and has said what went wrong.
[[nodiscard]] int run_traced(const LoginOptions& options,
                             const std::function<Expected<int>(std::optional<pipe::Trace>&)>& task);

/// What a first contact with a server is told.
void say_first_contact(const Destination& destination);

/// What is wrong with a password that was typed, or nothing.
[[nodiscard]] std::optional<Problem> check_password(Bytes typed);
/// The password of `given`, in the form that enters the key.
[[nodiscard]] Expected<identity::Password> password_of(const GivenSecret& given);

}  // namespace pake::cli::login
