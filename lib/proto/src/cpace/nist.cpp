// draft-irtf-cfrg-cpace-21, "CPace group objects for Weierstrass curves".
#include <array>
#include <cstdlib>

#include "group_environment.h"
#include "pake/internal/try.h"

namespace pake::cpace {
namespace {

class Nist final : public GroupEnvironment {
 public:
  Nist(crypto::GroupId curve, std::string_view DST) noexcept : curve_(curve), DST_(DST) {}

  //   g = encode_to_curve(generator_string, G.DSI || "_DST")
  [[nodiscard]] Result<Generator> calculate_generator(Bytes generator_string) const override {
    return Generator(crypto::nist_encode_to_curve(curve_, generator_string, as_bytes(DST_)));
  }

  [[nodiscard]] Result<Scalar> sample_scalar(Rng& rng) const override { return group().random_scalar(rng); }

  // Choice: y*g and never the negative, which is allowed as well.
  [[nodiscard]] Result<Buffer> scalar_mult(const Scalar& y, const Generator& g) const override {
    PAKE_TRY(const auto Y, group().multiply(y, std::get<crypto::Element>(g)));
    auto encoded = to_buffer(crypto::nist_encode_uncompressed(curve_, Y).reveal());
    declassify(encoded);
    return encoded;
  }

  // K is the x coordinate alone, so a peer that sent the negative of its share arrives at the same K.
  [[nodiscard]] Result<PeerPoint> decode(Bytes X) const override {
    PAKE_TRY(auto element, crypto::nist_decode_uncompressed(curve_, X));
    return PeerPoint(std::move(element));
  }
  [[nodiscard]] Result<SharedPoint> agree(const Scalar& y, const PeerPoint& X) const override {
    PAKE_TRY(const auto K, group().multiply(y, std::get<crypto::Element>(X)));
    return SharedPoint::copy_of(crypto::nist_x_coordinate(curve_, K).reveal());
  }

 private:
  [[nodiscard]] const crypto::Group& group() const noexcept { return crypto::Group::get(curve_); }

  crypto::GroupId curve_;
  std::string_view DST_;
};

}  // namespace

const GroupEnvironment& nist(crypto::GroupId curve) noexcept {
  static const Nist p256(crypto::GroupId::p256, "CPaceP256_XMD:SHA-256_SSWU_NU__DST");
  static const Nist p384(crypto::GroupId::p384, "CPaceP384_XMD:SHA-384_SSWU_NU__DST");
  static const Nist p521(crypto::GroupId::p521, "CPaceP521_XMD:SHA-512_SSWU_NU__DST");
  switch (curve) {
    case crypto::GroupId::p256:
      return p256;
    case crypto::GroupId::p384:
      return p384;
    case crypto::GroupId::p521:
      return p521;
    default:
      std::abort();
  }
}

}  // namespace pake::cpace
