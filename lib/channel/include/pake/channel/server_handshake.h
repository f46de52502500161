// The server's side of the handshake, sans-I/O: docs/wire.md, section 10.
//
//   receive -> decision -> [send -> receive -> decision] -> [key_operation] -> send -> receive -> done
//   any of them: failed
//
// At `decision` the name has been seen, and nothing else has been done: the caller says whether this server goes by
// that name, whether a guess is left, and hands in the user's record, or the fake one. Nothing here knows which it is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/channel/handshake.h"
#include "pake/channel/keys.h"
#include "pake/channel/suite.h"
#include "pake/channel/ticket.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/opaque/stored.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

struct ServerConfig {
  /// Leave it to the processor. aes_256_gcm is taken if the client names it too.
  AeadId fastest_aead = channel::fastest_aead();
  /// Null if this server resumes nothing.
  std::shared_ptr<const TicketKeys> ticket_keys = nullptr;
};

/// A login by password has shown a ticket of an earlier one. Its bearer has proved that it knows the ticket's secret,
/// and user and server name are those of the hello. Whether the ticket is not too old, its generation still the user's,
/// the hello's time near enough and the hello a new one is for the caller to say; if not, the login is like any other.
struct ShownDevice {
  TicketFacts ticket;
  std::uint64_t time = 0;  // of the hello, by the client's clock: seconds since 1970
  /// Of the hello, and of what was before it: no two hellos of honest clients have the same.
  std::array<std::uint8_t, 32> hello_digest{};
};

/// What a ClientHello asks for. It owns its bytes: whoever decides may take their time.
struct ClientRequest {
  HandshakeKind kind{};
  Suite suite{};            // in which the client has begun
  Buffer suites = {};       // all that it would accept, unknown ones included
  Buffer server_name = {};  // to be refused (AlertCode::unknown_server) if this server does not go by it
  Buffer name = {};         // login: the user's; code: the selector; resume: empty
  /// Resume: what the ticket says. Its bearer has proved that it knows the ticket's secret; whether the generation is
  /// still the user's and the ticket has not expired is for the caller to say (else AlertCode::refused).
  std::optional<TicketFacts> ticket = {};
  /// Login: whose guesses are to be counted instead of the account's.
  std::optional<ShownDevice> device = {};
  /// Login: whether the device is to be known from now on.
  DevicePlace device_place = DevicePlace::taken;
};

/// OPAQUE.
struct LoginAnswer {
  opaque::Credential credential;  // the user's, or the fake one; in the suite that the client has begun in
  GuessPermit permit;             // spent when the ServerHello is made, given back when the finish verifies
};

/// CPace.
struct CodeAnswer {
  SecretBuffer code;   // not empty
  GuessPermit permit;  // as above
};

/// The ticket is good. No guess is spent: nothing that a password made is at stake, and the bearer has already proved a
/// 512-bit secret by its binder.
struct TicketAccepted {};

/// A login shall begin again in another suite; once. A client that does not accept it ends the run: Errc::malformed,
/// and AlertCode::unsupported for the peer.
struct RetryWith {
  Suite suite{};
};

/// The answer to a ClientRequest. An Alert ends the run before the PAKE begins.
using Decision = std::variant<LoginAnswer, CodeAnswer, TicketAccepted, RetryWith, Alert>;

/// A channel as the server has it: the client has proved itself.
struct ServerOutcome {
  HandshakeKind kind{};
  Buffer name;                        // login and resume: the user's
  std::optional<TicketFacts> ticket;  // resume; without the server name, which the hello had
};

/// One run. A call out of turn is Errc::misuse and ends it; one that is over stays as it ended. Not thread-safe: one
/// driver at a time. While it waits for the finish it holds less than 1 KiB.
class ServerHandshake {
 public:
  /// @param rng  outlives the handshake
  ServerHandshake(ServerConfig config, Rng& rng);
  ServerHandshake(ServerHandshake&&) noexcept;
  ServerHandshake& operator=(ServerHandshake&&) noexcept;
  ~ServerHandshake();

  /// receive, decision, key_operation, send, done or failed.
  [[nodiscard]] Want want() const noexcept;

  /// The frame to send, whole; the handshake goes on as if it had been sent. Errc::misuse unless want() == Want::send.
  [[nodiscard]] Result<Buffer> take_message();

  /// Bounds of the next frame; meaningful while want() == Want::receive.
  [[nodiscard]] Incoming incoming() const noexcept;
  /// Looks at all bytes that have arrived and not been consumed; what follows a ClientFinish is records.
  /// @return how many of them were the frame, 0 while it is not whole. Any error is final: Errc::auth_failed if the
  ///         client did not prove itself (or its ticket's secret), Errc::malformed if its bytes are no frame for
  ///         this step or ask for what there is not, or what its Alert stands for. Errc::misuse unless want() ==
  ///         Want::receive.
  [[nodiscard]] Result<std::size_t> receive(Bytes bytes);

  /// Null unless want() == Want::decision; valid until `decide`.
  [[nodiscard]] const ClientRequest* request() const noexcept;
  /// The answer to it. Every error is final: Errc::misuse if want() is not Want::decision or the decision does not fit
  /// (another kind or suite, no keys, an empty code, a second RetryWith), Errc::malformed if the client's first PAKE
  /// message is invalid. A permit that was not needed goes back unused.
  [[nodiscard]] Status decide(Decision decision);

  /// The question to the holder of the keys, if they are not in memory; once, to be run on any thread. Errc::misuse
  /// unless want() == Want::key_operation.
  [[nodiscard]] Result<std::unique_ptr<Job>> take_job();
  /// Goes on with that job, after its run(). Errc::unavailable (no answer, or none that makes sense) is final.
  /// Errc::misuse if it is another job or has not run.
  [[nodiscard]] Status resume(std::unique_ptr<Job> job);

  /// Null unless want() == Want::failed.
  [[nodiscard]] const Failure* failure() const noexcept;
  /// The channel's keys, once. Errc::misuse unless want() == Want::done.
  [[nodiscard]] Result<ChannelKeys> take_keys();
  /// What else there is to know of the channel, once. Errc::misuse unless want() == Want::done.
  [[nodiscard]] Result<ServerOutcome> take_outcome();

 private:
  struct PAKE_HIDDEN Run;
  [[nodiscard]] std::unexpected<Errc> misuse();
  std::unique_ptr<Run> run_;
};

}  // namespace pake::channel

PAKE_EXPORT_END
