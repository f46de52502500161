#include "pake/channel/client_handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client_pakes.h"
#include "key_schedule.h"
#include "known_device.h"
#include "pake/base/writer.h"
#include "pake/channel/frame.h"
#include "pake/channel/messages.h"
#include "pake/internal/try.h"
#include "resumption.h"
#include "stop.h"
#include "transcript.h"

namespace pake::channel {
namespace {

constexpr AwaitedFrame kAfterHello[] = {
    {.type = FrameType::server_hello, .min_body = 0, .max_body = kMaxHelloSize},
    {.type = FrameType::alert, .min_body = Alert::kSize, .max_body = Alert::kSize},
    {.type = FrameType::retry, .min_body = Retry::kSize, .max_body = Retry::kSize},  // the first time only
};

Buffer aeads_of(AeadId fastest) {
  if (fastest == AeadId::chacha20_poly1305) return {std::to_underlying(AeadId::chacha20_poly1305)};
  return {std::to_underlying(AeadId::aes_256_gcm), std::to_underlying(AeadId::chacha20_poly1305)};
}

// 1 to 8 suites of `kind`, none twice.
bool is_offer(HandshakeKind kind, std::span<const Suite> suites) noexcept {
  if (suites.empty() || suites.size() > kMaxOffers) return false;
  for (; !suites.empty(); suites = suites.subspan(1))
    if (!find_suite(kind, std::to_underlying(suites[0])) || std::ranges::count(suites, suites[0]) != 1) return false;
  return true;
}

}  // namespace

struct ClientHandshake::Run {
  Run(HandshakeKind kind_asked, const ClientConfig& configuration, std::span<const Suite> suites_offered,
      Bytes name_asked, Rng& randomness)
      : kind(kind_asked),
        config(configuration),
        aeads(aeads_of(configuration.fastest_aead)),
        name(to_buffer(name_asked)),
        rng(randomness) {
    for (const auto suite : suites_offered) suites.push_back(std::to_underlying(suite));
    rng.fill(random);
    declassify(random);
  }

  HandshakeResult<void> send_hello();
  void bind_device(std::size_t up_to_pake);
  HandshakeResult<std::size_t> read(Bytes bytes);
  HandshakeResult<void> on_retry(const Frame& frame);
  HandshakeResult<void> on_server_hello(const Frame& frame);
  HandshakeResult<crypto::KsfProfile> check_choices(const ServerHello& answer) const;
  HandshakeResult<void> on_stretched(Result<crypto::Digest> stretched);
  HandshakeResult<void> finish(ClientFinished finished);
  /// The run's end, if `step` is one: everything secret goes.
  template <class T>
  Result<T> settle(HandshakeResult<T> step);

  // What every ClientHello of the run says; `suites` is reordered by a Retry.
  HandshakeKind kind;
  ClientConfig config;
  Buffer aeads;
  Buffer suites;
  Buffer name;
  std::array<std::uint8_t, ClientHello::kRandomSize> random{};
  Buffer extensions;
  std::unique_ptr<ResumptionSecret> device_secret;  // of the ticket that `extensions` show, until the last hello

  Rng& rng;
  std::unique_ptr<ClientPake> pake;
  Transcript transcript;
  bool retried = false;
  Want want = Want::send;
  Buffer message;                        // Want::send
  std::optional<Stretching> stretching;  // Want::ksf
  AeadId aead{};                         // the server's choice
  crypto::KsfProfile ksf{};              // the record's
  std::optional<ChannelKeys> keys;       // from the ClientFinish on
  std::optional<ClientOutcome> outcome;  // the same
  std::optional<Failure> failure;        // Want::failed
};

template <class T>
Result<T> ClientHandshake::Run::settle(HandshakeResult<T> step) {
  if (!step) {
    failure = step.error();
    want = Want::failed;
    pake.reset();
    device_secret.reset();
    stretching.reset();
    keys.reset();
    outcome.reset();
  }
  return outcome_of(std::move(step));
}

HandshakeResult<void> ClientHandshake::Run::send_hello() {
  const auto suite = static_cast<Suite>(suites.front());
  const ClientHello hello{.kind = kind,
                          .random = random,
                          .aeads = aeads,
                          .suites = suites,
                          .server_name = config.server_name,
                          .name = name,
                          .extensions = extensions};
  message = hello.encode_up_to_pake(pake->hello_size(suite));
  const auto up_to_pake = message.size();
  PAKE_TRY(const auto first, pake->begin(suite, Transcript(transcript).add(message), rng));
  message.insert(message.end(), first.begin(), first.end());
  if (device_secret) bind_device(up_to_pake);
  transcript.add(message);
  want = Want::send;
  return {};
}

// docs/wire.md, section 7.1: the binder covers KE1, which depends on nothing of the hello. It ends the extensions,
// behind which two bytes of length stand.
void ClientHandshake::Run::bind_device(std::size_t up_to_pake) {
  const auto place = MutableBytes(message).subspan(up_to_pake - 2 - kProofSize, kProofSize);
  const auto binder = compute_device_binder(*device_secret, Transcript(transcript).add(message));
  declassify(binder.reveal());
  std::ranges::copy(binder.reveal(), place.begin());
}

HandshakeResult<std::size_t> ClientHandshake::Run::read(Bytes bytes) {
  const std::span<const AwaitedFrame> awaited(kAfterHello, retried ? 2 : 3);
  PAKE_TRY(const auto frame, leading_frame(bytes, awaited));
  if (!frame) return 0;
  if (frame->type == FrameType::alert) {
    PAKE_TRY(const auto alert, Alert::decode(frame->body));
    return std::unexpected(Stop::received_alert(alert));
  }
  PAKE_TRYV(frame->type == FrameType::retry ? on_retry(*frame) : on_server_hello(*frame));
  return frame->whole.size();
}

// docs/wire.md, section 3.2: the suite moves to the front, the others keep their order, nothing else changes.
HandshakeResult<void> ClientHandshake::Run::on_retry(const Frame& frame) {
  PAKE_TRY(const auto retry, Retry::decode(frame.body));
  const auto wanted = std::ranges::find(suites, retry.suite);
  if (wanted == suites.end() || wanted == suites.begin()) return std::unexpected(AlertCode::malformed);
  std::rotate(suites.begin(), wanted, wanted + 1);
  retried = true;
  transcript.add(frame.whole);
  return send_hello();
}

// Nothing that was not on offer, and no stretching above the ceiling: until it is done nobody is trusted.
HandshakeResult<crypto::KsfProfile> ClientHandshake::Run::check_choices(const ServerHello& answer) const {
  const auto suite = static_cast<Suite>(suites.front());
  if (answer.suite != suites.front() || !contains(aeads, std::to_underlying(answer.aead)) ||
      answer.pake.size() != sizes_of(suite).answer)
    return std::unexpected(AlertCode::malformed);
  if (kind != HandshakeKind::login) {
    if (answer.ksf != 0) return std::unexpected(AlertCode::malformed);
    return crypto::KsfProfile{};
  }
  const auto profile = crypto::decode_ksf_profile(answer.ksf);
  if (!profile || compare_strength(*profile, config.ksf_ceiling) > 0) return std::unexpected(AlertCode::unsupported);
  return *profile;
}

HandshakeResult<void> ClientHandshake::Run::on_server_hello(const Frame& frame) {
  PAKE_TRY(const auto answer, ServerHello::decode(frame.body));
  PAKE_TRY(ksf, check_choices(answer));
  device_secret.reset();
  aead = answer.aead;
  transcript.add(frame.whole.first(frame.whole.size() - answer.pake.size()));
  PAKE_TRY(auto next, pake->receive({.message = answer.pake, .up_to_pake = transcript, .ksf = ksf}));
  transcript.add(answer.pake);
  if (auto* finished = std::get_if<ClientFinished>(&next)) return finish(std::move(*finished));
  stretching = std::get<Stretching>(std::move(next));
  want = Want::ksf;
  return {};
}

HandshakeResult<void> ClientHandshake::Run::on_stretched(Result<crypto::Digest> stretched) {
  PAKE_TRY(auto input, std::move(stretched));
  PAKE_TRY(auto finished, pake->finish(std::move(input)));
  return finish(std::move(finished));
}

HandshakeResult<void> ClientHandshake::Run::finish(ClientFinished finished) {
  const auto& known = config.server_public_keys;
  if (kind == HandshakeKind::login && !known.empty() &&
      std::ranges::find(known, finished.server_public_key) == known.end())
    return std::unexpected(AlertCode::refused);
  message = encode_client_finish(finished.finish);
  keys = derive_channel_keys(aead, transcript.add(message).hash(), finished.pake_key);
  outcome = ClientOutcome{
      .kind = kind,
      .ksf = ksf,
      .server_public_key = std::move(finished.server_public_key),
      .export_key = std::move(finished.export_key),
  };
  pake.reset();
  stretching.reset();
  want = Want::send;
  return {};
}

ClientHandshake::ClientHandshake(std::unique_ptr<Run> run) noexcept : run_(std::move(run)) {}
ClientHandshake::ClientHandshake(ClientHandshake&&) noexcept = default;
ClientHandshake& ClientHandshake::operator=(ClientHandshake&&) noexcept = default;
ClientHandshake::~ClientHandshake() = default;

Result<ClientHandshake> ClientHandshake::start(std::unique_ptr<Run> run) {
  PAKE_TRYV(run->settle(run->send_hello()));
  return ClientHandshake(std::move(run));
}

Result<std::unique_ptr<ClientHandshake::Run>> ClientHandshake::login(const ClientConfig& config,
                                                                     const PasswordCredentials& credentials, Rng& rng) {
  if (config.server_name.size() > kMaxNameSize || credentials.name.empty() || credentials.password.empty() ||
      credentials.name.size() > kMaxNameSize || !is_offer(HandshakeKind::login, config.login_suites))
    return fail(Errc::misuse);
  auto run = std::make_unique<Run>(HandshakeKind::login, config, config.login_suites, credentials.name, rng);
  run->pake = login_client(credentials);
  return run;
}

Result<ClientHandshake> ClientHandshake::by_password(const ClientConfig& config, const PasswordCredentials& credentials,
                                                     Rng& rng) {
  PAKE_TRY(auto run, login(config, credentials, rng));
  if (config.device_place == DevicePlace::none) run->extensions = Writer().u16(kNoDevicePlace).put_lp2({}).take();
  return start(std::move(run));
}

Result<ClientHandshake> ClientHandshake::by_password_from_device(const ClientConfig& config,
                                                                 const PasswordCredentials& credentials,
                                                                 const StoredTicket& ticket, std::uint64_t time,
                                                                 Rng& rng) {
  if (ticket.ticket.empty() || ticket.ticket.size() > kMaxTicketSize) return fail(Errc::misuse);
  PAKE_TRY(auto run, login(config, credentials, rng));
  run->extensions = encode_known_device(ticket.ticket, time);
  run->device_secret = std::make_unique<ResumptionSecret>(ResumptionSecret::copy_of(ticket.secret.reveal()));
  return start(std::move(run));
}

Result<ClientHandshake> ClientHandshake::by_code(const ClientConfig& config, const CodeCredentials& credentials,
                                                 Rng& rng) {
  if (config.server_name.size() > kMaxNameSize || credentials.selector.size() > kMaxNameSize ||
      credentials.code.empty())
    return fail(Errc::misuse);
  constexpr Suite suites[] = {Suite::cpace_ristretto255};
  auto run = std::make_unique<Run>(HandshakeKind::code, config, suites, credentials.selector, rng);
  run->pake = code_client(credentials, config.server_name, run->random);
  return start(std::move(run));
}

Result<ClientHandshake> ClientHandshake::by_ticket(const ClientConfig& config, const StoredTicket& ticket, Rng& rng) {
  if (config.server_name.size() > kMaxNameSize || ticket.ticket.empty() || ticket.ticket.size() > kMaxTicketSize)
    return fail(Errc::misuse);
  constexpr Suite suites[] = {Suite::x25519};
  auto run = std::make_unique<Run>(HandshakeKind::resume, config, suites, Bytes(), rng);
  run->pake = ticket_client(ticket);
  return start(std::move(run));
}

Want ClientHandshake::want() const noexcept { return run_ ? run_->want : Want::failed; }

std::unexpected<Errc> ClientHandshake::misuse() {
  if (want() != Want::done && want() != Want::failed)
    static_cast<void>(run_->settle(HandshakeResult<void>(std::unexpected(Errc::misuse))));
  return fail(Errc::misuse);
}

Result<Buffer> ClientHandshake::take_message() {
  if (want() != Want::send) return misuse();
  run_->want = run_->outcome ? Want::done : Want::receive;
  return std::move(run_->message);
}

Incoming ClientHandshake::incoming() const noexcept {
  return {.at_least = FrameHeader::kSize, .at_most = FrameHeader::kSize + kMaxHelloSize, .silence_ends = false};
}

Result<std::size_t> ClientHandshake::receive(Bytes bytes) {
  if (want() != Want::receive) return misuse();
  return run_->settle(run_->read(bytes));
}

Result<std::unique_ptr<Job>> ClientHandshake::take_job() {
  if (want() != Want::ksf) return misuse();
  auto job = run_->stretching->issue();
  if (!job) return misuse();
  return job;
}

Status ClientHandshake::resume(std::unique_ptr<Job> job) {
  if (want() != Want::ksf) return misuse();
  auto stretched = run_->stretching->take_back(std::move(job));
  if (!stretched) return misuse();
  return run_->settle(run_->on_stretched(*std::move(stretched)));
}

const Failure* ClientHandshake::failure() const noexcept { return run_ && run_->failure ? &*run_->failure : nullptr; }

Result<ChannelKeys> ClientHandshake::take_keys() {
  if (want() != Want::done || !run_->keys) return fail(Errc::misuse);
  return *std::exchange(run_->keys, std::nullopt);
}

Result<ClientOutcome> ClientHandshake::take_outcome() {
  if (want() != Want::done || !run_->outcome) return fail(Errc::misuse);
  return *std::exchange(run_->outcome, std::nullopt);
}

}  // namespace pake::channel
