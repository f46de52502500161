// draft-irtf-cfrg-cpace-21, "CPace group objects for the single-coordinate Ladders X25519 and X448".
#include "pake/crypto/x25519.h"

#include "group_environment.h"
#include "pake/internal/try.h"

namespace pake::cpace {
namespace {

using crypto::kX25519Size;

crypto::X25519Scalar ladder_scalar(const Scalar& y) {
  return crypto::X25519Scalar::copy_of(y.reveal().first<kX25519Size>());
}

class X25519 final : public GroupEnvironment {
 public:
  //   u = decodeUCoordinate(H.hash(generator_string, 32), 255);  g = elligator2(u, A, 2, p)
  [[nodiscard]] Result<Generator> calculate_generator(Bytes generator_string) const override {
    const auto hash = crypto::hash(crypto::HashId::sha512, {generator_string});
    return Generator(crypto::curve25519_elligator2(hash.reveal().first<kX25519Size>()));
  }

  // 32 random bytes; X25519 clamps them.
  [[nodiscard]] Result<Scalar> sample_scalar(Rng& rng) const override {
    return Scalar::make(kX25519Size, [&](MutableBytes out) { rng.fill(out); });
  }

  [[nodiscard]] Result<Buffer> scalar_mult(const Scalar& y, const Generator& g) const override {
    PAKE_TRY(const auto Y, crypto::x25519(ladder_scalar(y), std::get<crypto::X25519Point>(g).reveal()));
    auto encoded = to_buffer(Y.reveal());
    declassify(encoded);
    return encoded;
  }

  // Any 32 bytes are a u coordinate; RFC 7748 says what bit 255 and values from p on mean.
  [[nodiscard]] Result<PeerPoint> decode(Bytes X) const override {
    if (X.size() != kX25519Size) return fail(Errc::malformed);
    return PeerPoint(crypto::X25519Point::copy_of(X.first<kX25519Size>()));
  }
  [[nodiscard]] Result<SharedPoint> agree(const Scalar& y, const PeerPoint& X) const override {
    PAKE_TRY(const auto K, crypto::x25519(ladder_scalar(y), std::get<crypto::X25519Point>(X).reveal()));
    return SharedPoint::copy_of(K.reveal());
  }
};

}  // namespace

const GroupEnvironment& x25519() noexcept {
  static const X25519 environment;
  return environment;
}

}  // namespace pake::cpace
