// OPAQUE behind the common interface. Messages are exactly as long as RFC 9807 makes them, with nothing around them:
//
//   registration   client: send request    receive response    ksf    send record
//                  server: receive request    [key_operation]    send response    receive record
//   login          client: send KE1    receive KE2    ksf    send KE3
//                  server: receive KE1    record    [key_operation]    send KE2    receive KE3
//
// A server waits for a key operation only if its keys are not in this process.
#pragma once

#include <memory>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/opaque/identities.h"
#include "pake/proto/opaque/stored.h"
#include "pake/proto/opaque/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::opaque {

/// What a client keeps for its run. The context is used at login alone.
struct ClientConfig {
  SuiteId suite = SuiteId::ristretto255;
  SecretBuffer password;
  std::optional<crypto::KsfParameters> ksf = {};  // nothing: the default profile
  Buffer context = {};
  Buffer client_identity = {};  // empty: the public key
  Buffer server_identity = {};
};

class ClientMachine : public Machine {
 public:
  /// The export key, once. Errc::misuse unless want() == Want::done.
  [[nodiscard]] virtual Result<ExportKey> take_export_key() = 0;
  /// The server's public key, Npk bytes; empty unless want() == Want::done.
  [[nodiscard]] virtual Bytes server_public_key() const noexcept = 0;
};

/// What a server keeps for its run. The context is used at login alone.
struct ServerConfig {
  SuiteId suite = SuiteId::ristretto255;
  Buffer credential_identifier;
  Buffer context = {};
  Buffer client_identity = {};
  Buffer server_identity = {};
};

class RegistrationServerMachine : public Machine {
 public:
  /// The record to store, made under the ring's current keys of the suite. Errc::misuse unless want() == Want::done.
  [[nodiscard]] virtual Result<StoredRecord> take_record() = 0;
};

// `rng` and `ring` outlive the machine that is given them. Every machine may have failed from the start, with the error
// of its first step.

/// Has an export key at its end and no session key.
[[nodiscard]] std::unique_ptr<ClientMachine> registration_client_machine(ClientConfig config, Rng& rng);
[[nodiscard]] std::unique_ptr<ClientMachine> login_client_machine(ClientConfig config, Rng& rng);

/// Has a record at its end and no session key.
/// @param permit  spent when the response is made, and never given back: server.h says why
/// @param ksf  what the client was told to stretch with: it is written beside the record
[[nodiscard]] std::unique_ptr<RegistrationServerMachine> registration_server_machine(ServerConfig config,
                                                                                     GuessPermit permit,
                                                                                     crypto::KsfProfile ksf,
                                                                                     const KeyRing& ring);
/// Takes an encoded StoredRecord, or none, when it wants a record. Errc::misuse if the name's answer
/// (`KeyRing::credential`) is of another suite than the run: ask before, and have the client begin again.
[[nodiscard]] std::unique_ptr<Machine> login_server_machine(ServerConfig config, GuessPermit permit,
                                                            const KeyRing& ring, Rng& rng);

}  // namespace pake::opaque

PAKE_EXPORT_END
