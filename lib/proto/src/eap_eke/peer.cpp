#include <algorithm>

#include "key_schedule.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/eap_eke/eap_eke.h"

namespace pake::eap_eke {
namespace {

/// The peer's Failure is the response to the request that it cannot answer.
std::unexpected<Failed> refuse(const Session& session, Errc error, FailureCode failure_code) {
  return end(error, Code::response, session.identifier, failure_code);
}
std::unexpected<Failed> misuse() { return std::unexpected(Failed{.error = Errc::misuse}); }

/// The data of a request.
Step<Bytes> request_data(Session& session, Bytes packet, Exchange exchange) {
  const auto decoded = decode_packet(packet);
  if (decoded) session.identifier = decoded->identifier;
  if (const auto failure = decode_failure(packet); failure && failure->code == Code::request)
    return refuse(session, Errc::auth_failed, FailureCode::no_error);  // the acknowledgement
  if (!decoded || decoded->code != Code::request || decoded->exchange != exchange)
    return refuse(session, Errc::malformed, FailureCode::protocol_error);
  return decoded->data;
}

}  // namespace

struct AwaitingIdRequest::State {
  Session session;
  SecretBuffer password;
};
struct AwaitingCommitRequest::State {
  Session session;
  AesKey key;
};
struct AwaitingConfirmRequest::State {
  Session session;
  GuessPermit permit;
};

Result<AwaitingIdRequest> AwaitingIdRequest::make(Config config, Bytes password) {
  if (!is_valid(config) || password.empty()) return fail(Errc::misuse);
  Session session = {.config = std::move(config)};
  session.ID_P = session.config.identity.value;
  return AwaitingIdRequest(
      make_state(State{.session = std::move(session), .password = SecretBuffer::copy_of(password)}));
}

Step<AwaitingIdRequest::Answer> AwaitingIdRequest::receive(Bytes packet) && {
  const auto state = std::move(state_);
  if (!state) return misuse();
  auto& [session, password] = *state;
  const auto data = request_data(session, packet, Exchange::id);
  if (!data) return std::unexpected(data.error());
  auto message = decode_id(*data);
  if (!message) return refuse(session, Errc::malformed, FailureCode::protocol_error);
  const auto is_offered = [&](const Proposal& own) {
    return std::ranges::find(message->proposals, own) != message->proposals.end();
  };
  const auto chosen = std::ranges::find_if(session.config.proposals, is_offered);
  if (chosen == session.config.proposals.end())
    return refuse(session, Errc::auth_failed, FailureCode::no_proposal_chosen);
  session.append(packet);
  session.proposal = *chosen;
  session.ID_S = message->identity.value;
  auto answer = encode_packet(Code::response, session.identifier, Exchange::id,
                              encode_id({session.proposal}, session.config.identity));
  session.append(answer);
  const auto prf = session.proposal.prf;
  auto key = compute_key(prf, compute_temp(prf, password.reveal()), session.ID_S, session.ID_P);
  return Answer{.packet = std::move(answer),
                .server = std::move(message->identity),
                .proposal = session.proposal,
                .next = AwaitingCommitRequest(
                    make_state(AwaitingCommitRequest::State{.session = std::move(session), .key = std::move(key)}))};
}

//   Commit/Request   DHComponent_S [CBValue...]
//   Commit/Response  DHComponent_P PNonce_P [CBValue...]
Step<AwaitingCommitRequest::Commitment> AwaitingCommitRequest::receive(Bytes packet, GuessPermit permit, Rng& rng) && {
  const auto state = std::move(state_);
  if (!state) return misuse();
  auto& [session, key] = *state;
  const auto data = request_data(session, packet, Exchange::commit);
  if (!data) return std::unexpected(data.error());
  const auto component_size = kIvSize + modular(session.proposal.group).size();
  if (data->size() < component_size || !check_channel_binding(data->subspan(component_size)))
    return refuse(session, Errc::malformed, FailureCode::protocol_error);
  session.received_channel_binding = to_buffer(data->subspan(component_size));
  session.append(packet);

  const auto [y_s, is_good] = decrypt_component(session.proposal.group, key, data->first(component_size));
  session.is_good = is_good;  // it shows where a wrong password does
  const auto x = random_exponent(session.proposal.group, rng);
  if (!x) return std::unexpected(Failed{.error = x.error()});
  const auto y_p = compute_y(session.proposal.group, x->reveal());
  const auto component = encrypt_component(key, y_p.reveal(), rng);
  session.agree(y_s, x->reveal());
  session.Nonce_P = Nonce::make([&](MutableBytes out) { rng.fill(out); });
  const auto PNonce_P = protect(session.proposal, session.keys, session.Nonce_P.reveal(), rng);
  auto answer = encode_packet(Code::response, session.identifier, Exchange::commit,
                              Writer().put(component).put(PNonce_P).put(session.config.channel_binding).take());
  session.append(answer);
  permit.spend();
  return Commitment{.packet = std::move(answer),
                    .next = AwaitingConfirmRequest(make_state(
                        AwaitingConfirmRequest::State{.session = std::move(session), .permit = std::move(permit)}))};
}

//   Confirm/Request   PNonce_PS Auth_S
//   Confirm/Response  PNonce_S Auth_P
Step<AwaitingConfirmRequest::Finished> AwaitingConfirmRequest::receive(Bytes packet, Rng& rng) && {
  const auto state = std::move(state_);
  if (!state) return misuse();
  auto& [session, permit] = *state;
  const auto data = request_data(session, packet, Exchange::confirm);
  if (!data) return std::unexpected(data.error());
  const auto nonces_size = protected_size(session.proposal, 2 * kNonceSize);
  if (data->size() != nonces_size + crypto::output_size(hash_of(session.proposal.prf)))
    return refuse(session, Errc::malformed, FailureCode::protocol_error);
  const auto nonces = unprotect(session.proposal, session.keys, data->first(nonces_size));
  if (!nonces || !session.is_good || !ct_equal(nonces->reveal().first(kNonceSize), session.Nonce_P.reveal()))
    return refuse(session, Errc::auth_failed, FailureCode::authentication_failure);
  session.Nonce_S = Nonce::copy_of(nonces->reveal().last<kNonceSize>());
  if (!ct_equal(session.auth("EAP-EKE server").reveal(), data->subspan(nonces_size)))
    return refuse(session, Errc::auth_failed, FailureCode::authentication_failure);

  const auto PNonce_S = protect(session.proposal, session.keys, session.Nonce_S.reveal(), rng);
  const auto Auth_P = session.auth("EAP-EKE peer");
  auto answer = encode_packet(Code::response, session.identifier, Exchange::confirm,
                              Writer().put(PNonce_S).put(Auth_P.reveal()).take());
  declassify(answer);
  permit.refund();
  return Finished{.packet = std::move(answer), .keys = session.exported_keys()};
}

}  // namespace pake::eap_eke
