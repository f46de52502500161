// CPace behind the common interface, one run a machine, framed as `messages.h` says:
//
//   initiator    send lv_cat(Ya, ADa)    receive lv_cat(Yb, ADb) || Tb    send Ta
//   responder    receive lv_cat(Ya, ADa)    send lv_cat(Yb, ADb) || Tb    receive Ta
//   symmetric    send lv_cat(Y, AD)    receive the peer's    send the own tag    receive the peer's
#pragma once

#include <memory>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/proto/cpace/suite.h"
#include "pake/proto/guess.h"
#include "pake/proto/machine.h"

PAKE_EXPORT_BEGIN

namespace pake::cpace {

/// What a machine keeps for its run; see `Inputs` for the first four.
struct Config {
  Suite suite = Suite::ristretto255_sha512;
  SecretBuffer PRS;
  Buffer CI = {};
  Buffer sid = {};
  Buffer AD = {};  // this side's
  /// The peer's AD, if it is known beforehand: any other is Errc::auth_failed, or Errc::malformed when it is longer.
  /// Without it, compare `received_AD` with whom you meant to talk to.
  std::optional<Buffer> expected_AD = {};
};

/// Session key: SharedKey::session_key("pake cpace session key", tag_size(suite)).
class CPaceMachine : public Machine {
 public:
  /// The peer's AD; empty unless want() == Want::done.
  [[nodiscard]] virtual Bytes received_AD() const noexcept = 0;
};

/// A. Failed from the start, with Errc::misuse, if AD is longer than kMaxADSize; so are the others.
[[nodiscard]] std::unique_ptr<CPaceMachine> initiator_machine(const Config& config, Rng& rng);

/// B. The permit is spent when A's message has been answered, refunded when Ta has verified. `rng` outlives the
/// machine.
[[nodiscard]] std::unique_ptr<CPaceMachine> responder_machine(Config config, GuessPermit permit, Rng& rng);

/// One of two equals. Both may send at once; a tag that arrives right behind the peer's share waits for its turn.
[[nodiscard]] std::unique_ptr<CPaceMachine> symmetric_machine(const Config& config, GuessPermit permit, Rng& rng);

}  // namespace pake::cpace

PAKE_EXPORT_END
