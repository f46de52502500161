// SPAKE2 behind the common interface. All sizes follow from the suite, so there is no framing:
//
//   initiator    send pA    receive pB || cB    send cA
//   responder    receive pA    send pB || cB    receive cA
#pragma once

#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"
#include "pake/proto/spake2/spake2.h"

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

}  // namespace pake::spake2

PAKE_EXPORT_END
