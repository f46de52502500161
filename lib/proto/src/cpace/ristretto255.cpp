// draft-irtf-cfrg-cpace-21, "CPace group objects for ristretto255 and decaf448".
#include "group_environment.h"
#include "pake/internal/try.h"

namespace pake::cpace {
namespace {

class Ristretto255 final : public GroupEnvironment {
 public:
  //   g = element_derivation(H.hash(generator_string, 64))
  [[nodiscard]] Result<Generator> calculate_generator(Bytes generator_string) const override {
    const auto hash = crypto::hash(crypto::HashId::sha512, {generator_string});
    PAKE_TRY(auto g, crypto::ristretto255_from_uniform(hash.reveal().first<64>()));
    return Generator(std::move(g));
  }

  // Choice: uniform in [1, l - 1]; the draft also allows 252 random bits.
  [[nodiscard]] Result<Scalar> sample_scalar(Rng& rng) const override { return group_.random_scalar(rng); }

  //   encode(g ^ y)
  [[nodiscard]] Result<Buffer> scalar_mult(const Scalar& y, const Generator& g) const override {
    PAKE_TRY(const auto Y, group_.multiply(y, std::get<crypto::Element>(g)));
    auto encoded = to_buffer(group_.encode(Y).reveal());
    declassify(encoded);
    return encoded;
  }

  //   decode X, else G.I; encode(X ^ y)
  [[nodiscard]] Result<PeerPoint> decode(Bytes X) const override {
    PAKE_TRY(auto element, group_.decode(X));
    return PeerPoint(std::move(element));
  }
  [[nodiscard]] Result<SharedPoint> agree(const Scalar& y, const PeerPoint& X) const override {
    PAKE_TRY(const auto K, group_.multiply(y, std::get<crypto::Element>(X)));
    return SharedPoint::copy_of(group_.encode(K).reveal());
  }

 private:
  const crypto::Group& group_ = crypto::Group::get(crypto::GroupId::ristretto255);
};

}  // namespace

const GroupEnvironment& ristretto255() noexcept {
  static const Ristretto255 environment;
  return environment;
}

}  // namespace pake::cpace
