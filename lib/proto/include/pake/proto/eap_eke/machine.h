// EAP-EKE behind the common interface: EAP packets back to back, whose length is in their header.
//
//   server    send ID/Request    receive ID/Response    record    send Commit/Request    receive Commit/Response
//             send Confirm/Request    receive Confirm/Response
//   peer      receive and answer each
#pragma once

#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/proto/eap_eke/eap_eke.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"

PAKE_EXPORT_BEGIN

namespace pake::eap_eke {

class EapEkeMachine : public Machine {
 public:
  /// The EMSK, once. Errc::misuse unless want() == Want::done. The session key is the MSK.
  [[nodiscard]] virtual Result<Secret<64, EmskTag>> take_emsk() = 0;
  /// The other side's name, once it has sent it; not authenticated until want() == Want::done.
  [[nodiscard]] virtual Bytes other_identity() const noexcept = 0;
  /// Once want() == Want::failed: the Failure packet that the other side is to be sent, perhaps none.
  [[nodiscard]] virtual Bytes failure_packet() const noexcept = 0;
};

// `rng` outlives the machine.

/// Takes the peer's password, or none, when it wants a record.
/// @param fake_secret  32 random bytes or more, from which the password of a name without one is made
[[nodiscard]] std::unique_ptr<EapEkeMachine> server_machine(Config config, std::uint8_t identifier,
                                                            SecretBuffer fake_secret, GuessPermit permit, Rng& rng);
[[nodiscard]] std::unique_ptr<EapEkeMachine> peer_machine(Config config, const SecretBuffer& password,
                                                          GuessPermit permit, Rng& rng);

}  // namespace pake::eap_eke

PAKE_EXPORT_END
