#include <algorithm>

#include "key_schedule.h"
#include "octets.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/eap_eke/eap_eke.h"

namespace pake::eap_eke {
namespace {

/// The server's Failure is a request of its own.
std::unexpected<Failed> refuse(const Session& session, Errc error, FailureCode failure_code) {
  return end(error, Code::request, static_cast<std::uint8_t>(session.identifier + 1), failure_code);
}
std::unexpected<Failed> misuse() { return std::unexpected(Failed{.error = Errc::misuse}); }

/// The data of the response to the last request.
Step<Bytes> response_data(const Session& session, Bytes packet, Exchange exchange) {
  // A peer that has failed says so, and waits for EAP's own Failure: there is nothing to send.
  if (decode_failure(packet)) return std::unexpected(Failed{.error = Errc::auth_failed});
  const auto decoded = decode_packet(packet);
  if (!decoded || decoded->code != Code::response || decoded->exchange != exchange ||
      decoded->identifier != session.identifier)
    return refuse(session, Errc::malformed, FailureCode::protocol_error);
  return decoded->data;
}

}  // namespace

struct AwaitingIdResponse::State {
  Session session;
};
struct AwaitingPassword::State {
  Session session;
};
struct AwaitingCommitResponse::State {
  Session session;
  AesKey key;
  SecretBuffer x;
  GuessPermit permit;
};
struct AwaitingConfirmResponse::State {
  Session session;
  GuessPermit permit;
};

Result<ServerStart> start(Config config, std::uint8_t identifier) {
  if (!is_valid(config)) return fail(Errc::misuse);
  Session session = {.config = std::move(config), .identifier = identifier};
  session.ID_S = session.config.identity.value;
  auto packet = encode_packet(Code::request, identifier, Exchange::id,
                              encode_id(session.config.proposals, session.config.identity));
  session.append(packet);
  return ServerStart{.packet = std::move(packet),
                     .next = AwaitingIdResponse(make_state(AwaitingIdResponse::State{std::move(session)}))};
}

Step<AwaitingIdResponse::Identified> AwaitingIdResponse::receive(Bytes packet) && {
  const auto state = std::move(state_);
  if (!state) return misuse();
  auto& session = state->session;
  const auto data = response_data(session, packet, Exchange::id);
  if (!data) return std::unexpected(data.error());
  auto message = decode_id(*data);
  const auto& offers = session.config.proposals;
  if (!message || message->number_of_proposals != 1 || message->proposals.empty() ||
      std::ranges::find(offers, message->proposals[0]) == offers.end())
    return refuse(session, Errc::malformed, FailureCode::protocol_error);
  session.append(packet);
  session.proposal = message->proposals[0];
  session.ID_P = message->identity.value;
  return Identified{.peer = std::move(message->identity),
                    .proposal = session.proposal,
                    .next = AwaitingPassword(make_state(AwaitingPassword::State{std::move(session)}))};
}

//   DHComponent_S = Encr(key, y_s)
Step<AwaitingPassword::Commitment> AwaitingPassword::commit(Bytes password, GuessPermit permit, Rng& rng) && {
  const auto state = std::move(state_);
  if (!state || password.empty()) return misuse();
  auto& session = state->session;
  const auto prf = session.proposal.prf;
  auto key = compute_key(prf, compute_temp(prf, password), session.ID_S, session.ID_P);
  auto x = random_exponent(session.proposal.group, rng);
  if (!x) return std::unexpected(Failed{.error = x.error()});
  const auto y = compute_y(session.proposal.group, x->reveal());
  const auto component = encrypt_component(key, y.reveal(), rng);
  ++session.identifier;
  auto packet = encode_packet(Code::request, session.identifier, Exchange::commit,
                              Writer().put(component).put(session.config.channel_binding).take());
  session.append(packet);
  permit.spend();
  return Commitment{
      .packet = std::move(packet),
      .next = AwaitingCommitResponse(make_state(AwaitingCommitResponse::State{
          .session = std::move(session), .key = std::move(key), .x = *std::move(x), .permit = std::move(permit)}))};
}

//   Commit/Response  DHComponent_P PNonce_P [CBValue...]
//   Confirm/Request  PNonce_PS Auth_S
Step<AwaitingCommitResponse::Confirmation> AwaitingCommitResponse::receive(Bytes packet, Rng& rng) && {
  const auto state = std::move(state_);
  if (!state) return misuse();
  auto& [session, key, x, permit] = *state;
  const auto data = response_data(session, packet, Exchange::commit);
  if (!data) return std::unexpected(data.error());
  const auto component_size = kIvSize + modular(session.proposal.group).size();
  const auto nonce_size = protected_size(session.proposal, kNonceSize);
  if (data->size() < component_size + nonce_size || !check_channel_binding(data->subspan(component_size + nonce_size)))
    return refuse(session, Errc::malformed, FailureCode::protocol_error);
  session.received_channel_binding = to_buffer(data->subspan(component_size + nonce_size));

  const auto [y, is_good] = decrypt_component(session.proposal.group, key, data->first(component_size));
  session.agree(y, x.reveal());
  const auto nonce = unprotect(session.proposal, session.keys, data->subspan(component_size, nonce_size));
  if (!nonce || !is_good) return refuse(session, Errc::auth_failed, FailureCode::authentication_failure);
  session.append(packet);
  session.Nonce_P = Nonce::copy_of(nonce->reveal().first<kNonceSize>());
  session.Nonce_S = Nonce::make([&](MutableBytes out) { rng.fill(out); });
  const auto PNonce_PS = protect(session.proposal, session.keys,
                                 concat({session.Nonce_P.reveal(), session.Nonce_S.reveal()}).reveal(), rng);
  const auto Auth_S = session.auth("EAP-EKE server");
  ++session.identifier;
  auto confirm = encode_packet(Code::request, session.identifier, Exchange::confirm,
                               Writer().put(PNonce_PS).put(Auth_S.reveal()).take());
  declassify(confirm);
  return Confirmation{.packet = std::move(confirm),
                      .next = AwaitingConfirmResponse(make_state(
                          AwaitingConfirmResponse::State{.session = std::move(session), .permit = std::move(permit)}))};
}

//   Confirm/Response  PNonce_S Auth_P
Step<Keys> AwaitingConfirmResponse::receive(Bytes packet) && {
  const auto state = std::move(state_);
  if (!state) return misuse();
  auto& [session, permit] = *state;
  const auto data = response_data(session, packet, Exchange::confirm);
  if (!data) return std::unexpected(data.error());
  const auto nonce_size = protected_size(session.proposal, kNonceSize);
  const auto Auth_P = session.auth("EAP-EKE peer");
  if (data->size() != nonce_size + Auth_P.size()) return refuse(session, Errc::malformed, FailureCode::protocol_error);
  const auto nonce = unprotect(session.proposal, session.keys, data->first(nonce_size));
  if (!nonce || !ct_equal(nonce->reveal(), session.Nonce_S.reveal()) ||
      !ct_equal(Auth_P.reveal(), data->subspan(nonce_size)))
    return refuse(session, Errc::auth_failed, FailureCode::authentication_failure);
  permit.refund();
  return session.exported_keys();
}

}  // namespace pake::eap_eke
