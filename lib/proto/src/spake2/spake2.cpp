#include "pake/proto/spake2/spake2.h"

#include <bit>

#include "key_schedule.h"
#include "pake/internal/try.h"

namespace pake::spake2 {
namespace {

using crypto::Group;

constexpr std::size_t kMaxAADSize = 8'176;  // 2^16 - 128 bits

enum class Side : std::uint8_t { A, B };

/// What one side knows from sending its share until it has the peer's.
struct OwnShare {
  Suite suite;
  Side side;
  Buffer A, B, AAD;
  crypto::Scalar w, x;
  Buffer share;

  //   pA = w*M + x*P,  pB = w*N + y*P
  [[nodiscard]] static Result<OwnShare> make(Side side, const Inputs& inputs, const PasswordScalar& of, Rng& rng) {
    if (inputs.AAD.size() > kMaxAADSize) return fail(Errc::misuse);
    const auto group = parameters(of.suite()).group;
    const auto& w = Access::w(of);
    PAKE_TRY(auto x, Group::get(group).random_scalar(rng));
    const auto& blinding = side == Side::A ? spake::M(group) : spake::N(group);
    PAKE_TRY(const auto element, spake::blind(group, x, w, blinding));
    auto share = to_buffer(spake::encode(group, element).reveal());
    declassify(share);
    return OwnShare{.suite = of.suite(),
                    .side = side,
                    .A = to_buffer(inputs.A),
                    .B = to_buffer(inputs.B),
                    .AAD = to_buffer(inputs.AAD),
                    .w = crypto::Scalar::copy_of(w.reveal()),
                    .x = std::move(x),
                    .share = std::move(share)};
  }
};

}  // namespace

/// What follows from both shares, held back until the peer's tag has verified.
struct AwaitingTag::State {
  SharedKey Ke;
  Key own_tag, peer_tag;
  GuessPermit permit;

  [[nodiscard]] Buffer tag_to_send() const {
    auto tag = to_buffer(own_tag.reveal());
    declassify(tag);
    return tag;
  }
  [[nodiscard]] Status verify(Bytes tag) const {
    if (tag.size() != peer_tag.size()) return fail(Errc::malformed);
    if (!ct_equal(tag, peer_tag.reveal())) return fail(Errc::auth_failed);
    return {};
  }
};

struct AwaitingShare::State {
  OwnShare own;
};

namespace {

//   A: K = h*x*(pB - w*N)    B: K = h*y*(pA - w*M)
//   cA = MAC(KcA, TT)        cB = MAC(KcB, TT)
Result<AwaitingTag::State> reach(const OwnShare& own, Bytes peer, GuessPermit permit) {
  const auto group = parameters(own.suite).group;
  const bool is_A = own.side == Side::A;
  PAKE_TRY(const auto element, spake::decode(group, peer));
  PAKE_TRY(const auto opened, spake::unblind(group, element, own.w, is_A ? spake::N(group) : spake::M(group)));
  PAKE_TRY(const auto product, Group::get(group).multiply(spake::times_cofactor(group, own.x), opened));
  const auto K = spake::encode(group, product);
  const auto w = spake::encode_scalar(own.w, group);
  const auto TT = Transcript{.A = own.A,
                             .B = own.B,
                             .pA = is_A ? Bytes(own.share) : peer,
                             .pB = is_A ? peer : Bytes(own.share),
                             .K = K.reveal(),
                             .w = w.reveal()}
                      .TT();
  auto keys = derive_keys(own.suite, TT.reveal(), own.AAD);
  auto cA = compute_tag(own.suite, keys.KcA, TT.reveal()), cB = compute_tag(own.suite, keys.KcB, TT.reveal());
  return AwaitingTag::State{.Ke = std::move(keys.Ke),
                            .own_tag = std::move(is_A ? cA : cB),
                            .peer_tag = std::move(is_A ? cB : cA),
                            .permit = std::move(permit)};
}

}  // namespace

Result<PasswordScalar> PasswordScalar::from_mhf_output(Suite suite, Bytes output) {
  if (!is_offered(suite) || output.size() < parameters(suite).scalar_size + 8) return fail(Errc::misuse);
  auto w = Group::get(parameters(suite).group).reduce_scalar(output, std::endian::big);
  if (Group::is_zero(w)) return fail(Errc::malformed);
  return PasswordScalar(suite, std::move(w));
}

Result<PasswordScalar> PasswordScalar::from_password(Suite suite, const crypto::KsfParameters& mhf, Bytes password) {
  if (!is_offered(suite) || password.empty()) return fail(Errc::misuse);
  PAKE_TRY(const auto output, crypto::stretch(mhf, password, parameters(suite).scalar_size + 16));
  return from_mhf_output(suite, output.reveal());
}

Result<PasswordScalar> PasswordScalar::decode(Suite suite, Bytes bytes) {
  if (!is_offered(suite)) return fail(Errc::misuse);
  PAKE_TRY(auto w, spake::decode_scalar(parameters(suite).group, bytes));
  return PasswordScalar(suite, std::move(w));
}

SecretBuffer PasswordScalar::encode() const {
  return SecretBuffer::copy_of(spake::encode_scalar(w_, parameters(suite_).group).reveal());
}

Result<Initiation> initiate(const Inputs& inputs, const PasswordScalar& w, Rng& rng) {
  PAKE_TRY(auto own, OwnShare::make(Side::A, inputs, w, rng));
  auto pA = own.share;
  return Initiation{.pA = std::move(pA), .next = AwaitingShare(make_state(AwaitingShare::State{std::move(own)}))};
}

Result<AwaitingShare::Finished> AwaitingShare::finish(Bytes pB, Bytes cB) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(auto agreement, reach(state->own, pB, GuessPermit(nullptr)));
  PAKE_TRYV(agreement.verify(cB));
  return Finished{.cA = agreement.tag_to_send(), .Ke = std::move(agreement.Ke)};
}

Result<AwaitingShare::Confirmation> AwaitingShare::confirm(Bytes pB, GuessPermit permit) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(auto agreement, reach(state->own, pB, std::move(permit)));
  agreement.permit.spend();
  auto cA = agreement.tag_to_send();
  return Confirmation{.cA = std::move(cA), .next = AwaitingTag(make_state(std::move(agreement)))};
}

Result<UnprovenKey> AwaitingShare::finish_without_confirmation_peer_unproven(Bytes pB) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRY(auto agreement, reach(state->own, pB, GuessPermit(nullptr)));
  return UnprovenKey{.Ke = std::move(agreement.Ke), .permit = std::move(agreement.permit)};
}

Result<Response> respond(const Inputs& inputs, const PasswordScalar& w, GuessPermit permit, Bytes pA, Rng& rng) {
  PAKE_TRYV(spake::decode(parameters(w.suite()).group, pA));  // a stranger's garbage, before anything is multiplied
  PAKE_TRY(auto own, OwnShare::make(Side::B, inputs, w, rng));
  PAKE_TRY(auto agreement, reach(own, pA, std::move(permit)));
  agreement.permit.spend();
  auto cB = agreement.tag_to_send();
  return Response{
      .pB = std::move(own.share), .cB = std::move(cB), .next = AwaitingTag(make_state(std::move(agreement)))};
}

Result<UnprovenResponse> respond_without_confirmation_peer_unproven(const Inputs& inputs, const PasswordScalar& w,
                                                                    GuessPermit permit, Bytes pA, Rng& rng) {
  PAKE_TRY(auto own, OwnShare::make(Side::B, inputs, w, rng));
  PAKE_TRY(auto agreement, reach(own, pA, std::move(permit)));
  agreement.permit.spend();
  return UnprovenResponse{.pB = std::move(own.share),
                          .key = {.Ke = std::move(agreement.Ke), .permit = std::move(agreement.permit)}};
}

Result<SharedKey> AwaitingTag::finish(Bytes peer_tag) && {
  const auto state = std::move(state_);
  if (!state) return fail(Errc::misuse);
  PAKE_TRYV(state->verify(peer_tag));
  state->permit.refund();
  return std::move(state->Ke);
}

}  // namespace pake::spake2
