// The client's side of the handshake, sans-I/O: docs/wire.md, section 10.
//
//   send -> receive -> [send -> receive] -> [ksf] -> send -> done        any of them: failed
//
// The last message is the ClientFinish. Once it has been taken the channel stands: the caller appends its first records
// to it and sends both in one segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/channel/handshake.h"
#include "pake/channel/keys.h"
#include "pake/channel/suite.h"
#include "pake/channel/ticket.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/machine.h"
#include "pake/proto/opaque/identities.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

/// What a client's configuration allows; it offers nothing else.
struct ClientConfig {
  Buffer server_name = {};  // as the user typed it, without the port; at most 255 bytes
  /// Leave it to the processor. With aes_256_gcm both AEADs are offered.
  AeadId fastest_aead = channel::fastest_aead();
  /// For logins, the preferred suite first; the others are accepted when the server asks.
  std::vector<Suite> login_suites = {Suite::opaque_ristretto255, Suite::opaque_p256};
  /// The strongest KSF profile that this client will run for a server it does not trust yet.
  crypto::KsfProfile ksf_ceiling = crypto::kDefaultKsfProfile;
  /// For logins: accepted (pinned) public keys of the server. Empty: none pinned.
  std::vector<Buffer> server_public_keys = {};
  /// For logins by password: `none` if the ticket will not be kept, so that it takes no place from a device that keeps
  /// its own. The server lends one all the same.
  DevicePlace device_place = DevicePlace::taken;
};

/// `name` has 1 to 255 bytes, normalised; so is the password.
struct PasswordCredentials {
  OwnedBytes name;
  OwnedBytes password;
};

/// `selector` has at most 255 bytes and is public; empty if there is none.
struct CodeCredentials {
  OwnedBytes selector;
  OwnedBytes code;
};

/// What a client keeps of an earlier channel.
struct StoredTicket {
  Buffer ticket;            // 1 to 1,024 bytes
  ResumptionSecret secret;  // of the channel in which the ticket came
};

/// A channel as the client has it: the server has proved itself.
struct ClientOutcome {
  HandshakeKind kind{};
  crypto::KsfProfile ksf{};      // login: of the record, whose password must not be stretched less from now on
  Buffer server_public_key;      // login: to be remembered for this server and user
  opaque::ExportKey export_key;  // login: a key that the server does not know
};

/// One run. A call out of turn is Errc::misuse and ends it; one that is over stays as it ended. Not thread-safe: one
/// driver at a time.
class ClientHandshake {
 public:
  /// A login by password. Errc::misuse if `credentials` or `config` is out of bounds (names and passwords too long
  /// or a name missing, no suite, one of another kind, one twice).
  /// @param rng  outlives the handshake
  [[nodiscard]] static Result<ClientHandshake> by_password(const ClientConfig& config,
                                                           const PasswordCredentials& credentials, Rng& rng);
  /// The same from a device that the server may know: the hello shows a ticket of an earlier login by this user at this
  /// name of the server, be it expired. The server then counts the device's guesses instead of the account's. To be
  /// used only after a `throttled` answer: whoever sees both hellos sees that they are of one device. Errors as above,
  /// and Errc::misuse if `ticket` is out of bounds.
  /// @param time  now, in seconds since 1970: the server takes the hello for five minutes
  [[nodiscard]] static Result<ClientHandshake> by_password_from_device(const ClientConfig& config,
                                                                       const PasswordCredentials& credentials,
                                                                       const StoredTicket& ticket, std::uint64_t time,
                                                                       Rng& rng);
  /// Two who share a code. Errors as above.
  [[nodiscard]] static Result<ClientHandshake> by_code(const ClientConfig& config, const CodeCredentials& credentials,
                                                       Rng& rng);
  /// A ticket of an earlier login. Errors as above; a refusal (Errc::auth_failed) sends the client back to its
  /// password.
  [[nodiscard]] static Result<ClientHandshake> by_ticket(const ClientConfig& config, const StoredTicket& ticket,
                                                         Rng& rng);

  ClientHandshake(ClientHandshake&&) noexcept;
  ClientHandshake& operator=(ClientHandshake&&) noexcept;
  ~ClientHandshake();

  /// send, receive, ksf, done or failed.
  [[nodiscard]] Want want() const noexcept;

  /// The frame to send, whole; the handshake goes on as if it had been sent. Errc::misuse unless want() == Want::send.
  [[nodiscard]] Result<Buffer> take_message();

  /// Bounds of the next frame; meaningful while want() == Want::receive.
  [[nodiscard]] Incoming incoming() const noexcept;
  /// Looks at all bytes that have arrived and not been consumed.
  /// @return how many of them were the frame, 0 while it is not whole. Any error is final: Errc::auth_failed if the
  ///         server did not prove itself, Errc::malformed if its bytes are no frame for this step or ask for more
  ///         than the configuration allows, or what its Alert stands for. Errc::misuse unless want() == Want::receive.
  [[nodiscard]] Result<std::size_t> receive(Bytes bytes);

  /// The key stretching, once; to be run on any thread. Errc::misuse unless want() == Want::ksf.
  [[nodiscard]] Result<std::unique_ptr<Job>> take_job();
  /// Goes on with that job, after its run(). Errc::auth_failed (wrong password, or not the server that has its record)
  /// and Errc::unavailable (no memory for the stretching) are final. Errc::misuse if it is another job or has
  /// not run.
  [[nodiscard]] Status resume(std::unique_ptr<Job> job);

  /// Null unless want() == Want::failed.
  [[nodiscard]] const Failure* failure() const noexcept;
  /// The channel's keys, once. Errc::misuse unless want() == Want::done.
  [[nodiscard]] Result<ChannelKeys> take_keys();
  /// What else there is to know of the channel, once. Errc::misuse unless want() == Want::done.
  [[nodiscard]] Result<ClientOutcome> take_outcome();

 private:
  struct PAKE_HIDDEN Run;
  [[nodiscard]] std::unexpected<Errc> misuse();
  explicit ClientHandshake(std::unique_ptr<Run> run) noexcept;
  [[nodiscard]] static Result<ClientHandshake> start(std::unique_ptr<Run> run);
  [[nodiscard]] static Result<std::unique_ptr<Run>> login(const ClientConfig& config,
                                                          const PasswordCredentials& credentials, Rng& rng);
  std::unique_ptr<Run> run_;
};

}  // namespace pake::channel

PAKE_EXPORT_END
