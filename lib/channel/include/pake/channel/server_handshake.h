// The server's side of the handshake, sans-I/O: docs/wire.md, section 10.
//
//   receive -> record -> [send -> receive -> record] -> [key_operation] -> send -> receive -> done        any of them:
//   failed
//
// At `record` the name has been seen, and nothing else has been done: the caller says whether this server goes by that
// name, whether a guess is left, and hands in the user's record, or the fake one. Nothing here knows which it is.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/channel/handshake.h"
#include "pake/channel/keys.h"
#include "pake/channel/messages.h"
#include "pake/channel/ticket.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/opaque/messages.h"
#include "pake/proto/opaque/server_keys.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

struct ServerConfig {
  /// aes_256_gcm where the processor has instructions for it: taken when the client names it too.
  AeadId fastest_aead = AeadId::chacha20_poly1305;
  /// Null where this server resumes nothing.
  std::shared_ptr<const TicketKeys> ticket_keys = nullptr;
};

/// What a ClientHello asks for. Views, valid until the answer.
struct ClientRequest {
  HandshakeKind kind{};
  Suite suite{};        // in which the client has begun
  Bytes suites{};       // all that it would accept, unknown ones included
  Bytes server_name{};  // to be refused (AlertCode::unknown_server) where this server does not go by it
  Bytes name{};         // login: the user's; code: the selector; resume: empty
  /// Resume: what the ticket says, else null. Its bearer has proved that it knows the ticket's secret; whether the
  /// generation is still the user's and the ticket has not expired is for the caller to say (else AlertCode::refused).
  const TicketFacts* ticket = nullptr;
};

struct LoginAnswer {
  const opaque::KeyHolder& keys;             // of request()->suite; they outlive the run where they are not in memory
  const opaque::RegistrationRecord& record;  // the user's, or the fake one; read during the call
  crypto::KsfProfile ksf;                    // of the record
  GuessPermit permit;                        // spent when the ServerHello is made, refunded when the finish verifies
};

struct CodeAnswer {
  Bytes code;          // read during the call
  GuessPermit permit;  // as above
};

/// A channel as the server has it: the client has proved itself.
struct ServerOutcome {
  HandshakeKind kind{};
  ChannelKeys keys;
  Buffer name;                        // login and resume: the user's
  std::optional<TicketFacts> ticket;  // resume
};

/// One run. Not thread-safe: one driver at a time. While it waits for the finish it holds less than 1 KiB.
class ServerHandshake {
 public:
  /// @param rng  outlives the handshake
  ServerHandshake(ServerConfig config, Rng& rng);
  ServerHandshake(ServerHandshake&&) noexcept;
  ServerHandshake& operator=(ServerHandshake&&) noexcept;
  ~ServerHandshake();

  /// receive, record, key_operation, send, done or failed.
  [[nodiscard]] Want want() const noexcept;

  /// The frame to send, whole; the handshake goes on as if it had been sent. Errc::misuse unless want() == Want::send.
  [[nodiscard]] Result<Buffer> take_message();

  /// Bounds of the next frame; meaningful while want() == Want::receive.
  [[nodiscard]] Incoming incoming() const noexcept;
  /// Looks at all bytes that have arrived and not been consumed; what follows a ClientFinish is records.
  /// @return how many of them were the frame, 0 while it is not whole. Any error is final: Errc::auth_failed where the
  ///         client did not prove itself (or its ticket's secret), Errc::malformed where its bytes are no frame for
  ///         this step or ask for what there is not, or what its Alert stands for. Errc::misuse, not final, unless
  ///         want() == Want::receive.
  [[nodiscard]] Result<std::size_t> receive(Bytes bytes);

  /// Null unless want() == Want::record; valid until the answer.
  [[nodiscard]] const ClientRequest* request() const noexcept;

  // The answers, one of them, once: Errc::misuse, not final, unless want() == Want::record and the kind fits. Other
  // errors are final: Errc::malformed where the client's first PAKE message is none (the permit goes back unused).

  /// OPAQUE, with `answer.keys` of the suite that the client has begun in (else Errc::misuse).
  [[nodiscard]] Status answer_login(LoginAnswer answer);
  /// CPace.
  [[nodiscard]] Status answer_code(CodeAnswer answer);
  /// The ticket is good. No guess is spent: nothing that a password made is at stake, and the bearer has already proved
  /// a 512-bit secret by its binder.
  [[nodiscard]] Status answer_ticket();
  /// A login shall begin again in another suite. Once only (else Errc::misuse). A client that does not accept `suite`
  /// ends the run: Errc::malformed, and AlertCode::unsupported for the peer.
  [[nodiscard]] Status retry(Suite suite);
  /// The run is over before the PAKE begins: want() == Want::failed, with this Alert to send.
  [[nodiscard]] Status refuse(const Alert& alert);

  /// The question to the holder of the keys, where they are not in memory; once, to be run on any thread. Errc::misuse
  /// unless want() == Want::key_operation.
  [[nodiscard]] Result<std::unique_ptr<Job>> take_job();
  /// Goes on with that job, after its run(). Errc::unavailable (no answer, or none that makes sense) is final.
  /// Errc::misuse, not final, where it is another job or has not run.
  [[nodiscard]] Status resume(std::unique_ptr<Job> job);

  /// Null unless want() == Want::failed.
  [[nodiscard]] const Failure* failure() const noexcept;
  /// The channel, once. Errc::misuse unless want() == Want::done.
  [[nodiscard]] Result<ServerOutcome> take_outcome();

 private:
  struct PAKE_HIDDEN Run;
  std::unique_ptr<Run> run_;
};

}  // namespace pake::channel

PAKE_EXPORT_END
