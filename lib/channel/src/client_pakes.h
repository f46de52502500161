// Private to the room: what differs between the kinds, at the client.
#pragma once

#include <cstddef>
#include <memory>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/messages.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/issued_job.h"
#include "transcript.h"

namespace pake::channel {

/// The second PAKE message and all that it is bound to.
struct PakeAnswer {
  Bytes message;                 // sizes_of(suite).answer bytes
  const Transcript& up_to_pake;  // both hellos before it
  crypto::KsfProfile ksf{};      // login only
};

/// The server has proved itself.
struct ClientFinished {
  Buffer finish;  // the third PAKE message
  SessionKey pake_key;
  Buffer server_public_key;
  opaque::ExportKey export_key;
};

using Stretching = IssuedJob<crypto::Digest>;

class ClientPake {
 public:
  ClientPake() = default;
  ClientPake(const ClientPake&) = delete;
  ClientPake& operator=(const ClientPake&) = delete;
  virtual ~ClientPake() = default;

  /// Bytes of the first message.
  [[nodiscard]] virtual std::size_t hello_size(Suite suite) const noexcept { return sizes_of(suite).hello; }
  /// The first message, for a hello of which `up_to_pake` holds all that comes before. Called again after a Retry.
  [[nodiscard]] virtual Result<Buffer> begin(Suite suite, const Transcript& up_to_pake, Rng& rng) = 0;
  /// Takes the second message. The run is over, or something is to be stretched for `finish`.
  [[nodiscard]] virtual Result<std::variant<ClientFinished, Stretching>> receive(const PakeAnswer& answer) = 0;
  [[nodiscard]] virtual Result<ClientFinished> finish(crypto::Digest /*stretched*/) { return fail(Errc::misuse); }
};

[[nodiscard]] std::unique_ptr<ClientPake> login_client(const PasswordCredentials& credentials);
/// @param random  of the ClientHello: CPace's sid
[[nodiscard]] std::unique_ptr<ClientPake> code_client(const CodeCredentials& credentials, Bytes server_name,
                                                      Bytes random);
[[nodiscard]] std::unique_ptr<ClientPake> ticket_client(const StoredTicket& ticket);

}  // namespace pake::channel
