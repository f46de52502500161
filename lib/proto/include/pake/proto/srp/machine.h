// SRP-6a behind the common interface, framed as RFC 5054's TLS messages are (lp1, lp2: behind a length of one byte or
// two):
//
//   client    send lp1(I) || lp2(A)    receive lp1(s) || lp2(B)    send M1    receive M2
//   server    receive lp1(I) || lp2(A)    record    send lp1(s) || lp2(B)    receive M1    send M2
#pragma once

#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/srp/srp.h"

PAKE_EXPORT_BEGIN

namespace pake::srp {

// The session key is K. `rng` outlives the machine. A machine of Cognito's mode is Errc::misuse: its server proves
// nothing, so there would never be a key.

[[nodiscard]] std::unique_ptr<Machine> client_machine(const Parameters& parameters, Buffer I, const SecretBuffer& P,
                                                      Rng& rng);

class ServerMachine : public Machine {
 public:
  /// The client's name, once it wants a record; empty before.
  [[nodiscard]] virtual Bytes I() const noexcept = 0;
};
/// Takes an encoded Verifier of the parameters, or none, when it wants a record.
/// @param fake_secret  see Verifier::fake
[[nodiscard]] std::unique_ptr<ServerMachine> server_machine(const Parameters& parameters, SecretBuffer fake_secret,
                                                            GuessPermit permit, Rng& rng);

}  // namespace pake::srp

PAKE_EXPORT_END
