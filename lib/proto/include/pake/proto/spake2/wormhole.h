// The SPAKE2 of python-spake2 0.8, which magic-wormhole uses: Ed25519, its own blinding points, its own transcript. No
// value of it is usable in RFC 9382's, nor the other way round.
//
//     start -- message (33 bytes) --> AwaitingMessage::finish_without_confirmation_peer_unproven --> key
//
// Both sides may speak at once. The protocol has no confirmation: magic-wormhole's is that its first message under the
// key decrypts. Hence the name of the last step, and a permit on both sides.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/proto/guess.h"
#include "pake/proto/state.h"

PAKE_EXPORT_BEGIN

namespace pake::spake2::wormhole {

/// Who one is: the first byte of what one sends.
enum class Side : std::uint8_t { A = 0x41, B = 0x42, symmetric = 0x53 };  // on the wire: never renumber

inline constexpr std::size_t kMessageSize = 33;

/// Sides A and B use the first two, the symmetric one the last.
struct Identities {
  OwnedBytes A = {}, B = {};
  OwnedBytes symmetric = {};
};

using Key = Secret<32, struct WormholeKeyTag>;

/// A key that whoever sat at the other end may not have.
struct UnprovenKey {
  Key key;
  GuessPermit permit;  // spent: refund it once a message of the peer's has decrypted under the key
};

class AwaitingMessage {
 public:
  struct PAKE_HIDDEN State;
  explicit AwaitingMessage(StatePtr<State> state) noexcept : state_(std::move(state)) {}

  /// Errc::malformed unless the message is of the other side (of a symmetric one for a symmetric one), and its element
  /// is canonical, in the subgroup of prime order, not the identity, and another one than was sent.
  [[nodiscard]] Result<UnprovenKey> finish_without_confirmation_peer_unproven(Bytes message) &&;

 private:
  StatePtr<State> state_;
};

struct Start {
  Buffer message;  // to send, kMessageSize bytes
  AwaitingMessage next;
};
/// The permit is spent when the key is made. Errc::misuse for an empty password, Errc::unavailable if `rng` is
/// broken.
[[nodiscard]] Result<Start> start(Side side, Bytes password, const Identities& identities, GuessPermit permit,
                                  Rng& rng);

// --- What magic-wormhole makes of it.

/// `{"pake_v1": "<hex>"}`: what stands in the mailbox.
[[nodiscard]] std::string pake_body(Bytes message);
/// HKDF-SHA256(key, "wormhole:verifier"): for two people to compare.
[[nodiscard]] Secret<32> verifier(const Key& key);
/// "wormhole:phase:" || SHA256(side) || SHA256(phase)
[[nodiscard]] Buffer phase_purpose(std::string_view side, std::string_view phase);
/// HKDF-SHA256(key, phase_purpose): the key of one message, of the side (its hex string) and the phase ("version",
/// "0").
[[nodiscard]] Secret<32> phase_key(const Key& key, std::string_view side, std::string_view phase);

}  // namespace pake::spake2::wormhole

PAKE_EXPORT_END
