// Private to the room: the two computations that initiator, responder and symmetric side have in common.
#pragma once

#include "group_environment.h"
#include "pake/proto/cpace/cpace.h"

namespace pake::cpace {

/// Errc::misuse for a suite that there is not, and for an empty password: whoever has none has forgotten it.
[[nodiscard]] Status check(const Inputs& inputs);

/// What one side knows from sending its share until it has the peer's.
struct OwnShare {
  Suite suite;
  Buffer sid;
  Scalar y;
  Buffer Y;
  Buffer AD;

  //   g = G.calculate_generator(H, PRS, CI, sid);  y = G.sample_scalar();  Y = G.scalar_mult(y, g)
  [[nodiscard]] static Result<OwnShare> make(const Inputs& inputs, Bytes AD, Rng& rng);
};

/// The peer's share, decoded: a stranger's garbage is found out before anything is multiplied.
struct PeerShare {
  Share sent;
  PeerPoint point;

  /// Errc::malformed if Y is no share of the suite, or AD is longer than kMaxADSize.
  [[nodiscard]] static Result<PeerShare> decode(Suite suite, const Share& sent);
};

enum class Side : std::uint8_t { A, B, symmetric };

/// What follows from both shares: the key, held back until the peer's tag has verified.
struct Agreement {
  SharedKey key;
  crypto::Digest own_tag;
  crypto::Digest peer_tag;

  //   K = G.scalar_mult_vfy(y, peer's Y);  if K == G.I: abort;  ISK = H.hash(...)
  [[nodiscard]] static Result<Agreement> reach(const OwnShare& own, const PeerShare& peer, Side side);

  /// The own tag as it is sent.
  [[nodiscard]] Buffer tag_to_send() const;
  /// Errc::malformed or Errc::auth_failed unless `tag` is the peer's.
  [[nodiscard]] Status verify(Bytes tag) const;
  [[nodiscard]] UnprovenKey unproven(GuessPermit permit) &&;
};

struct AwaitingTag::State {
  Agreement agreement;
  GuessPermit permit;
};

}  // namespace pake::cpace
