#include "server_pakes.h"

#include <utility>

#include "bindings.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/cpace/cpace.h"
#include "resumption.h"

namespace pake::channel {
namespace {

class AwaitingKE3 final : public AwaitingFinish {
 public:
  explicit AwaitingKE3(opaque::AwaitingKE3 login) : login_(std::move(login)) {}
  Result<SessionKey> finish(Bytes message) override { return std::move(login_).server_finish(message); }

 private:
  opaque::AwaitingKE3 login_;
};

class AwaitingTa final : public AwaitingFinish {
 public:
  explicit AwaitingTa(cpace::AwaitingTag exchange) : exchange_(std::move(exchange)) {}
  Result<SessionKey> finish(Bytes message) override {
    PAKE_TRY(const auto key, std::move(exchange_).finish(message));
    return SessionKey::copy_of(key.isk().reveal());
  }

 private:
  cpace::AwaitingTag exchange_;
};

class AwaitingClientProof final : public AwaitingFinish {
 public:
  AwaitingClientProof(crypto::Digest expected, SessionKey pake_key)
      : expected_(std::move(expected)), pake_key_(std::move(pake_key)) {}
  Result<SessionKey> finish(Bytes message) override {
    if (!ct_equal(message, expected_.reveal())) return fail(Errc::auth_failed);
    return std::move(pake_key_);
  }

 private:
  crypto::Digest expected_;
  SessionKey pake_key_;
};

Answered answered(opaque::LoginAnswered login) {
  return {.message = std::move(login.ke2), .next = std::make_unique<AwaitingKE3>(std::move(login.next))};
}

}  // namespace

// docs/wire.md, section 5, login.
Result<std::variant<Answered, opaque::AwaitingKeyOperation>> answer_login(const ClientHello& hello, LoginAnswer answer,
                                                                          const Transcript& up_to_pake, Rng& rng) {
  const auto& record = answer.credential.record;
  const auto identifier = credential_identifier(hello.name);
  const auto context = opaque_context(up_to_pake.hash());
  const opaque::ServerLoginInputs inputs{.record = record.record,
                                         .credential_identifier = identifier,
                                         .context = context,
                                         .identities = {.client = hello.name}};
  PAKE_TRY(auto next, opaque::ServerLogin(record.suite, std::move(answer.permit))
                          .receive_ke1(hello.pake, inputs, answer.credential.keys, rng));
  if (auto* login = std::get_if<opaque::LoginAnswered>(&next)) return answered(std::move(*login));
  return std::get<opaque::AwaitingKeyOperation>(std::move(next));
}

Result<Answered> finish_login(opaque::AwaitingKeyOperation login, const opaque::KeyOperationAnswer& answer) {
  PAKE_TRY(auto done, std::move(login).generate_ke2(answer));
  return answered(std::move(done));
}

// docs/wire.md, section 5, code: sid = random, ADa = H0, ADb = H1, the second message is Yb || Tb.
Result<Answered> answer_code(const ClientHello& hello, const crypto::Digest& H0, CodeAnswer answer,
                             const Transcript& up_to_pake, Rng& rng) {
  if (answer.code.empty()) return fail(Errc::misuse);
  const auto CI = cpace_ci(hello.server_name, hello.name);
  const auto H1 = up_to_pake.hash();
  PAKE_TRY(auto response,
           cpace::respond({.PRS = answer.code.reveal(), .CI = CI, .sid = hello.random}, std::move(answer.permit),
                          {.Y = hello.pake, .AD = H0.reveal()}, H1.reveal(), rng));
  return Answered{.message = Writer().put(response.Yb).put(response.Tb).take(),
                  .next = std::make_unique<AwaitingTa>(std::move(response.next))};
}

// docs/wire.md, section 7: the hello's share stands before the binder, at its end; the second message is share ||
// server_proof.
Result<Answered> answer_ticket(const ClientHello& hello, const ResumptionSecret& ticket_secret,
                               const Transcript& up_to_pake, Rng& rng) {
  const auto share = generate_share(rng);
  PAKE_TRY(const auto resumed,
           ResumedKey::agree(ticket_secret, share,
                             hello.pake.last<crypto::kX25519Size + kProofSize>().first<crypto::kX25519Size>()));
  Transcript transcript = up_to_pake;
  const auto server_proof = resumed.server_proof(transcript.add(share.public_key));
  declassify(server_proof.reveal());
  return Answered{.message = Writer().put(share.public_key).put(server_proof.reveal()).take(),
                  .next = std::make_unique<AwaitingClientProof>(
                      resumed.client_proof(transcript.add(server_proof.reveal())), resumed.pake_key())};
}

}  // namespace pake::channel
