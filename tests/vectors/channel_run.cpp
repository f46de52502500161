#include "channel_run.h"

#include <algorithm>
#include <utility>

#include "pake/channel/messages.h"
#include "pake/internal/try.h"
#include "pake/proto/opaque/server_keys.h"
#include "pake/testing/fixed_rng.h"

namespace pake::vectors {
namespace {

using namespace channel;

// Hands out the given bytes in order, then others: a file that is wrong may ask for more.
class GivenRng final : public Rng {
 public:
  explicit GivenRng(Buffer given) : given_(std::move(given)) {}
  void fill(MutableBytes out) override {
    if (out.size() > given_.size() - used_) {
      used_up_ = false;
      return beyond_.fill(out);
    }
    std::copy_n(given_.begin() + static_cast<std::ptrdiff_t>(used_), out.size(), out.begin());
    used_ += out.size();
  }
  /// Whether exactly the given bytes were asked for.
  [[nodiscard]] bool used_up() const noexcept { return used_up_ && used_ == given_.size(); }

 private:
  Buffer given_;
  std::size_t used_ = 0;
  bool used_up_ = true;
  testing::SeededRng beyond_{1};
};

constexpr auto kAes = std::to_underlying(AeadId::aes_256_gcm);

AeadId fastest_of(Bytes aeads) { return contains(aeads, kAes) ? AeadId::aes_256_gcm : AeadId::chacha20_poly1305; }

template <std::size_t N>
Result<std::span<const std::uint8_t, N>> exactly(Bytes bytes) {
  if (bytes.size() != N) return fail(Errc::malformed);
  return bytes.first<N>();
}

Result<ClientHandshake> make_client(const ChannelInputs& in, Rng& rng) {
  ClientConfig config{.server_name = in.server_name, .fastest_aead = fastest_of(in.client_aeads), .login_suites = {}};
  for (const auto suite : in.suites) config.login_suites.push_back(static_cast<Suite>(suite));
  switch (in.kind) {
    case HandshakeKind::login: {
      const PasswordCredentials credentials{.name = in.name, .password = in.secret};
      if (in.ticket.empty()) return ClientHandshake::by_password(config, credentials, rng);
      PAKE_TRY(const auto secret, exactly<ResumptionSecret::kSize>(in.ticket_secret));
      return ClientHandshake::by_password_from_device(
          config, credentials, {.ticket = in.ticket, .secret = ResumptionSecret::copy_of(secret)}, in.device_time, rng);
    }
    case HandshakeKind::code:
      return ClientHandshake::by_code(config, {.selector = in.name, .code = in.secret}, rng);
    case HandshakeKind::resume: {
      PAKE_TRY(const auto secret, exactly<ResumptionSecret::kSize>(in.ticket_secret));
      return ClientHandshake::by_ticket(config, {.ticket = in.ticket, .secret = ResumptionSecret::copy_of(secret)},
                                        rng);
    }
  }
  return fail(Errc::misuse);
}

Result<std::shared_ptr<const TicketKeys>> ticket_keys(const ChannelInputs& in) {
  if (in.ticket.empty()) return nullptr;
  PAKE_TRY(const auto id, exactly<4>(in.ticket_key_id));
  PAKE_TRY(const auto key, exactly<crypto::SealKey::kSize>(in.ticket_key));
  std::vector<TicketKey> keys(1);
  std::ranges::copy(id, keys[0].id.begin());
  keys[0].key = crypto::SealKey::copy_of(key);
  return std::make_shared<const TicketKeys>(std::move(keys));
}

Result<Decision> decide(const ClientRequest& request, const ChannelInputs& in) {
  switch (in.kind) {
    case HandshakeKind::login: {
      const auto wanted = static_cast<Suite>(in.server_suite);
      if (request.suite != wanted) return RetryWith{.suite = wanted};
      const auto id = wanted == Suite::opaque_p256 ? opaque::SuiteId::p256 : opaque::SuiteId::ristretto255;
      PAKE_TRY(auto keys,
               opaque::ServerKeys::decode(id, {.oprf_seed = in.oprf_seed, .private_key = in.server_private_key}));
      PAKE_TRY(auto record, opaque::RegistrationRecord::decode(id, in.record));
      PAKE_TRY(const auto ksf, crypto::decode_ksf_profile(in.ksf));
      return LoginAnswer{.credential = {.record = {.suite = id, .ksf = ksf, .epoch = 1, .record = std::move(record)},
                                        .keys = std::make_shared<const opaque::ServerKeys>(std::move(keys))},
                         .permit = GuessPermit::uncounted_for_study()};
    }
    case HandshakeKind::code:
      return CodeAnswer{.code = SecretBuffer::copy_of(in.secret), .permit = GuessPermit::uncounted_for_study()};
    case HandshakeKind::resume:
      return TicketAccepted{};
  }
  return fail(Errc::misuse);
}

}  // namespace

Result<ChannelRun> run_channel(const ChannelInputs& in) {
  GivenRng client_rng(in.client_randomness), server_rng(in.server_randomness);
  PAKE_TRY(auto client, make_client(in, client_rng));
  PAKE_TRY(auto keys, ticket_keys(in));
  ServerHandshake server({.fastest_aead = fastest_of(in.server_aeads), .ticket_keys = std::move(keys)}, server_rng);
  ChannelRun run;
  while (server.want() != Want::done) {
    if (client.want() == Want::ksf) {
      PAKE_TRY(auto job, client.take_job());
      job->run();
      PAKE_TRYV(client.resume(std::move(job)));
    } else if (client.want() == Want::send) {
      PAKE_TRY(auto frame, client.take_message());
      PAKE_TRYV(server.receive(frame));
      run.frames.push_back(std::move(frame));
    } else if (server.want() == Want::decision) {
      run.device = server.request()->device;
      PAKE_TRY(auto decision, decide(*server.request(), in));
      PAKE_TRYV(server.decide(std::move(decision)));
    } else {
      PAKE_TRY(auto frame, server.take_message());
      PAKE_TRYV(client.receive(frame));
      run.frames.push_back(std::move(frame));
    }
  }
  PAKE_TRY(run.client_keys, client.take_keys());
  PAKE_TRY(run.server_keys, server.take_keys());
  PAKE_TRY(run.client, client.take_outcome());
  PAKE_TRY(run.server, server.take_outcome());
  if (!client_rng.used_up() || !server_rng.used_up()) return fail(Errc::misuse);
  return run;
}

}  // namespace pake::vectors
