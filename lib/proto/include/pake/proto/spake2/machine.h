// SPAKE2 behind the common interface. All sizes follow from the suite, so there is no framing:
//
//   initiator    send pA    receive pB || cB    send cA
//   responder    receive pA    send pB || cB    receive cA
//
// and magic-wormhole's, of which both sides do the same, in either order:
//
//   send message    receive message    the caller's decision
#pragma once

#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/spake2/spake2.h"
#include "pake/proto/spake2/wormhole.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2 {

struct Config {
  Buffer A = {}, B = {};
  Buffer AAD = {};
  PasswordScalar w;
};

// The session key is Ke. `rng` outlives the machine.

[[nodiscard]] std::unique_ptr<Machine> initiator_machine(const Config& config, Rng& rng);
/// The permit is spent when pA has been answered, refunded when cA has verified.
[[nodiscard]] std::unique_ptr<Machine> responder_machine(Config config, GuessPermit permit, Rng& rng);

namespace wormhole {

struct Config {
  Side side = Side::symmetric;
  SecretBuffer password = {};
  Identities identities = {};
};

/// When the peer's message has come it wants a decision (Want::decision): the protocol ends before either side has
/// proved anything, so the caller takes the unproven key, decrypts the peer's first message under a key of its phase
/// (wormhole.h), and says how that went. provide_record is no answer, and ends the run.
class SideMachine : public Machine {
 public:
  /// While it wants a decision: the key, which the peer may not have. Else Errc::misuse.
  [[nodiscard]] virtual Result<Key> unproven_key() const = 0;
  /// The peer's message has decrypted: the machine is done, the guess refunded. Errc::misuse if it wants no decision.
  [[nodiscard]] virtual Status confirm() = 0;
  /// It has not: the run has failed (Errc::auth_failed, which is also returned), the guess stays spent.
  [[nodiscard]] virtual Status refuse() = 0;
};

/// Either side, whose permit is spent when the key is there. Errc::misuse for an empty password.
[[nodiscard]] std::unique_ptr<SideMachine> side_machine(const Config& config, GuessPermit permit, Rng& rng);

}  // namespace wormhole

}  // namespace pake::spake2

PAKE_EXPORT_END
