#include "client_pakes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bindings.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/cpace/cpace.h"
#include "pake/proto/opaque/client.h"
#include "resumption.h"

namespace pake::channel {
namespace {

using ReceiveResult = Result<std::variant<ClientFinished, Stretching>>;

constexpr std::size_t kYbSize = 32;

// docs/wire.md, section 5: client_identity = name, Context = "pake/1" || H1.
class LoginClient final : public ClientPake {
 public:
  explicit LoginClient(const PasswordCredentials& credentials)
      : name_(to_buffer(credentials.name)), password_(SecretBuffer::copy_of(credentials.password)) {}

  Result<Buffer> begin(Suite suite, const Transcript&, Rng& rng) override {
    suite_ = opaque_suite(suite);
    PAKE_TRY(auto started, opaque::ClientLogin(suite_, SecretBuffer::copy_of(password_.reveal())).generate_ke1(rng));
    awaiting_.emplace(std::move(started.next));
    return std::move(started.ke1);
  }

  ReceiveResult receive(const PakeAnswer& answer) override {
    password_ = {};
    const auto ksf = crypto::ksf_parameters(answer.ksf, opaque::sizes(suite_).Nh);
    const auto context = opaque_context(answer.up_to_pake.hash());
    PAKE_TRY(auto stretching,
             (*std::exchange(awaiting_, std::nullopt))
                 .receive_ke2(answer.message, {.context = context, .identities = {.client = name_}, .ksf = ksf}));
    PAKE_TRY(auto job, stretching.ksf_job());
    stretching_.emplace(std::move(stretching));
    return Stretching([job = std::move(job)] { return job.run(); });
  }

  Result<ClientFinished> finish(crypto::Digest stretched) override {
    PAKE_TRY(auto finished, (*std::exchange(stretching_, std::nullopt)).generate_ke3(std::move(stretched)));
    return ClientFinished{.finish = std::move(finished.ke3),
                          .pake_key = std::move(finished.session_key),
                          .server_public_key = std::move(finished.server_public_key),
                          .export_key = std::move(finished.export_key)};
  }

 private:
  Buffer name_;
  SecretBuffer password_;
  opaque::SuiteId suite_{};
  std::optional<opaque::AwaitingKE2> awaiting_;
  std::optional<opaque::StretchingLogin> stretching_;
};

// docs/wire.md, section 5: sid = random, ADa = H0, ADb = H1, A = the client.
class CodeClient final : public ClientPake {
 public:
  CodeClient(const CodeCredentials& credentials, Bytes server_name, Bytes random)
      : code_(SecretBuffer::copy_of(credentials.code)),
        ci_(cpace_ci(server_name, credentials.selector)),
        sid_(to_buffer(random)) {}

  Result<Buffer> begin(Suite, const Transcript& up_to_pake, Rng& rng) override {
    PAKE_TRY(auto initiation,
             cpace::initiate({.PRS = code_.reveal(), .CI = ci_, .sid = sid_}, up_to_pake.hash().reveal(), rng));
    code_ = {};
    awaiting_.emplace(std::move(initiation.next));
    return std::move(initiation.Ya);
  }

  ReceiveResult receive(const PakeAnswer& answer) override {
    const auto H1 = answer.up_to_pake.hash();
    PAKE_TRY(auto finished,
             (*std::exchange(awaiting_, std::nullopt))
                 .finish({.Y = answer.message.first(kYbSize), .AD = H1.reveal()}, answer.message.subspan(kYbSize)));
    return ClientFinished{.finish = std::move(finished.Ta),
                          .pake_key = SessionKey::copy_of(finished.key.isk().reveal()),
                          .server_public_key = {},
                          .export_key = {}};
  }

 private:
  SecretBuffer code_;
  Buffer ci_;
  Buffer sid_;
  std::optional<cpace::AwaitingResponse> awaiting_;
};

// docs/wire.md, section 7.
class TicketClient final : public ClientPake {
 public:
  explicit TicketClient(const StoredTicket& ticket)
      : ticket_(ticket.ticket), secret_(ResumptionSecret::copy_of(ticket.secret.reveal())) {}

  std::size_t hello_size(Suite suite) const noexcept override { return 2 + ticket_.size() + sizes_of(suite).hello; }

  // pake = lp2(ticket) || share || binder
  Result<Buffer> begin(Suite suite, const Transcript& up_to_pake, Rng& rng) override {
    share_ = generate_share(rng);
    Writer pake(hello_size(suite));
    pake.put_lp2(ticket_).put(share_.public_key);
    const auto binder = compute_binder(secret_, Transcript(up_to_pake).add(pake.bytes()));
    declassify(binder.reveal());
    return pake.put(binder.reveal()).take();
  }

  // answer = share || server_proof
  ReceiveResult receive(const PakeAnswer& answer) override {
    const auto share = answer.message.first<crypto::kX25519Size>();
    const auto server_proof = answer.message.subspan(share.size());
    PAKE_TRY(const auto resumed, ResumedKey::agree(secret_, share_, share));
    Transcript transcript = answer.up_to_pake;
    if (!ct_equal(resumed.server_proof(transcript.add(share)).reveal(), server_proof)) return fail(Errc::auth_failed);
    const auto client_proof = resumed.client_proof(transcript.add(server_proof));
    declassify(client_proof.reveal());
    return ClientFinished{.finish = to_buffer(client_proof.reveal()),
                          .pake_key = resumed.pake_key(),
                          .server_public_key = {},
                          .export_key = {}};
  }

 private:
  Buffer ticket_;
  ResumptionSecret secret_;
  Share share_;
};

}  // namespace

std::unique_ptr<ClientPake> login_client(const PasswordCredentials& credentials) {
  return std::make_unique<LoginClient>(credentials);
}

std::unique_ptr<ClientPake> code_client(const CodeCredentials& credentials, Bytes server_name, Bytes random) {
  return std::make_unique<CodeClient>(credentials, server_name, random);
}

std::unique_ptr<ClientPake> ticket_client(const StoredTicket& ticket) { return std::make_unique<TicketClient>(ticket); }

}  // namespace pake::channel
