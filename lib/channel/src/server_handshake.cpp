#include "pake/channel/server_handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bindings.h"
#include "key_schedule.h"
#include "known_device.h"
#include "pake/base/reader.h"
#include "pake/channel/frame.h"
#include "pake/channel/messages.h"
#include "pake/internal/try.h"
#include "pake/proto/issued_job.h"
#include "resumption.h"
#include "server_pakes.h"
#include "stop.h"
#include "transcript.h"

namespace pake::channel {
namespace {

constexpr AwaitedFrame kHelloFrame = {.type = FrameType::client_hello, .min_body = 0, .max_body = kMaxHelloSize};
constexpr AwaitedFrame kAlertFrame = {.type = FrameType::alert, .min_body = Alert::kSize, .max_body = Alert::kSize};

// docs/wire.md, section 3.2: what a second ClientHello says before its PAKE message, with `front` moved to the front
// and without the binder of a device.
crypto::Digest fingerprint(const ClientHello& hello, Suite front) {
  auto suites = to_buffer(hello.suites);
  const auto found = std::ranges::find(suites, std::to_underlying(front));
  std::rotate(suites.begin(), found, found + 1);
  const auto extensions = without_binder(hello.extensions);
  auto reordered = hello;
  reordered.suites = suites;
  reordered.extensions = extensions;
  return crypto::hash(crypto::HashId::sha512, {reordered.encode_up_to_pake(0)});
}

// A ClientHello until it is answered.
struct ReceivedHello {
  Buffer body;
  ClientHello hello;  // views of `body`
  ClientRequest request;
  crypto::Digest H0;
  ResumptionSecret ticket_secret;  // resume
};

// The holder of the keys is being asked.
struct KeyQuestion {
  opaque::AwaitingKeyOperation login;
  IssuedJob<opaque::KeyOperationAnswer> job;
};

// What outlives the ClientHello.
struct Peer {
  HandshakeKind kind{};
  Suite suite{};
  AeadId aead{};
  Buffer name;                          // login
  std::unique_ptr<TicketFacts> ticket;  // resume, from the ServerHello on
};

}  // namespace

struct ServerHandshake::Run {
  Run(ServerConfig configuration, Rng& randomness) : config(std::move(configuration)), rng(randomness) {}

  [[nodiscard]] Incoming incoming() const noexcept;
  HandshakeResult<std::size_t> read(Bytes bytes);
  HandshakeResult<void> on_client_hello(const Frame& frame);
  HandshakeResult<void> check_ticket(Bytes pake, Transcript up_to_pake);
  [[nodiscard]] std::optional<TicketFacts> check_device(const KnownDeviceExtension& shown, Bytes header) const;
  HandshakeResult<void> on_client_finish(const Frame& frame);
  HandshakeResult<void> on_decision(LoginAnswer answer);
  HandshakeResult<void> on_decision(CodeAnswer answer);
  HandshakeResult<void> on_decision(TicketAccepted answer);
  HandshakeResult<void> on_decision(RetryWith answer);
  HandshakeResult<void> on_decision(const Alert& answer);
  /// A call out of turn ends the run; one that is over stays as it ended.
  [[nodiscard]] std::unexpected<Errc> misuse();
  void begin_server_hello(std::uint8_t ksf);
  HandshakeResult<void> send_server_hello(Answered answer);
  HandshakeResult<void> ask_holder(opaque::AwaitingKeyOperation login);
  HandshakeResult<void> on_key_operation(Result<opaque::KeyOperationAnswer> answer);
  /// The run's end, if `step` is one: everything secret goes, and the permit with it.
  template <class T>
  Result<T> settle(HandshakeResult<T> step);

  ServerConfig config;
  Rng& rng;
  Transcript transcript;
  Want want = Want::receive;
  Peer peer;
  std::unique_ptr<crypto::Digest> second_hello;  // after a Retry, until it is answered: its fingerprint
  std::unique_ptr<ReceivedHello> received;       // Want::decision
  std::unique_ptr<KeyQuestion> question;         // Want::key_operation
  Buffer message;                                // Want::send; under way before it
  std::unique_ptr<AwaitingFinish> awaiting;      // from the ServerHello on
  std::unique_ptr<ChannelKeys> keys;             // Want::done
  std::unique_ptr<ServerOutcome> outcome;        // Want::done
  std::unique_ptr<Failure> failure;              // Want::failed
};

template <class T>
Result<T> ServerHandshake::Run::settle(HandshakeResult<T> step) {
  if (!step) {
    failure = std::make_unique<Failure>(step.error());
    want = Want::failed;
    received.reset();
    question.reset();
    awaiting.reset();
  }
  return outcome_of(std::move(step));
}

std::unexpected<Errc> ServerHandshake::Run::misuse() {
  if (want != Want::done && want != Want::failed)
    static_cast<void>(settle(HandshakeResult<void>(std::unexpected(Errc::misuse))));
  return fail(Errc::misuse);
}

Incoming ServerHandshake::Run::incoming() const noexcept {
  const auto body = awaiting ? std::max(sizes_of(peer.suite).finish, Alert::kSize) : kMaxHelloSize;
  return {.at_least = FrameHeader::kSize, .at_most = FrameHeader::kSize + body, .silence_ends = false};
}

HandshakeResult<std::size_t> ServerHandshake::Run::read(Bytes bytes) {
  const auto finish = awaiting ? sizes_of(peer.suite).finish : 0;
  const AwaitedFrame awaited[] = {
      awaiting ? AwaitedFrame{.type = FrameType::client_finish, .min_body = finish, .max_body = finish} : kHelloFrame,
      kAlertFrame};
  const bool may_be_alert = awaiting || second_hello;
  // Who comes to meet somebody is told that this is not the place (section 15).
  if (!may_be_alert && !bytes.empty() && bytes.front() == std::to_underlying(FrameType::meet))
    return std::unexpected(Stop(AlertCode::unknown_server));
  PAKE_TRY(const auto frame, leading_frame(bytes, std::span(awaited).first(may_be_alert ? 2 : 1)));
  if (!frame) return 0;
  if (frame->type == FrameType::alert) {
    PAKE_TRY(const auto alert, Alert::decode(frame->body));
    return std::unexpected(Stop::received_alert(alert));
  }
  PAKE_TRYV(awaiting ? on_client_finish(*frame) : on_client_hello(*frame));
  return frame->whole.size();
}

HandshakeResult<void> ServerHandshake::Run::on_client_hello(const Frame& frame) {
  received = std::make_unique<ReceivedHello>();
  received->body = to_buffer(frame.body);
  PAKE_TRY(received->hello, ClientHello::decode(received->body));
  const auto& hello = received->hello;
  if (second_hello && !ct_equal(fingerprint(hello, hello.suite()).reveal(), second_hello->reveal()))
    return std::unexpected(AlertCode::malformed);

  peer.kind = hello.kind;
  peer.suite = hello.suite();
  peer.aead =
      contains(hello.aeads, std::to_underlying(config.fastest_aead)) ? config.fastest_aead : AeadId::chacha20_poly1305;
  const auto shown = hello.kind == HandshakeKind::login ? find_known_device(hello.extensions) : std::nullopt;
  auto device = shown ? check_device(*shown, frame.whole.first(FrameHeader::kSize)) : std::nullopt;
  if (hello.kind == HandshakeKind::login) peer.name = to_buffer(hello.name);
  transcript.add(frame.whole.first(frame.whole.size() - hello.pake.size()));
  received->H0 = transcript.hash();
  if (hello.kind == HandshakeKind::resume) {
    PAKE_TRYV(check_ticket(hello.pake, transcript));
  }
  transcript.add(hello.pake);
  auto& request = received->request;
  request.kind = hello.kind;
  request.suite = hello.suite();
  request.suites = to_buffer(hello.suites);
  request.server_name = to_buffer(hello.server_name);
  request.name = to_buffer(hello.name);
  if (says_no_device_place(hello.extensions)) request.device_place = DevicePlace::none;
  if (device) {
    request.device = ShownDevice{.ticket = *std::move(device), .time = shown->time};
    const auto digest = transcript.hash();
    std::ranges::copy(digest.reveal().first(request.device->hello_digest.size()), request.device->hello_digest.begin());
  }
  want = Want::decision;
  return {};
}

// docs/wire.md, section 7.1: whatever is wrong with it, it is as if it were not there.
std::optional<TicketFacts> ServerHandshake::Run::check_device(const KnownDeviceExtension& shown, Bytes header) const {
  if (!config.ticket_keys) return std::nullopt;
  auto opened = open_ticket(*config.ticket_keys, shown.ticket);
  if (!opened) return std::nullopt;
  const auto& hello = received->hello;
  const auto expected = compute_device_binder(
      opened->secret, without_binder(Transcript(transcript).add(header), received->body, shown.binder));
  if (!ct_equal(expected.reveal(), shown.binder)) return std::nullopt;
  if (!std::ranges::equal(opened->facts.name, hello.name) ||
      !std::ranges::equal(opened->facts.server_name, hello.server_name))
    return std::nullopt;
  return std::move(opened->facts);
}

// docs/wire.md, section 7: the ticket opens and the binder is right, or everything else is spared.
//   pake = lp2(ticket) || share (32) || binder (64)
HandshakeResult<void> ServerHandshake::Run::check_ticket(Bytes pake, Transcript up_to_pake) {
  if (!config.ticket_keys) return std::unexpected(AlertCode::refused);  // as any ticket that is refused
  PAKE_TRY(const auto ticket, Reader(pake).take_lp2());
  PAKE_TRY(auto opened, open_ticket(*config.ticket_keys, ticket));
  const auto binder = pake.last<kProofSize>();
  const auto expected = compute_binder(opened.secret, up_to_pake.add(pake.first(pake.size() - binder.size())));
  if (!ct_equal(expected.reveal(), binder)) return std::unexpected(AlertCode::refused);
  if (!std::ranges::equal(opened.facts.server_name, received->hello.server_name))
    return std::unexpected(AlertCode::refused);  // lent under another name of this server
  received->request.ticket = std::move(opened.facts);
  received->ticket_secret = std::move(opened.secret);
  return {};
}

HandshakeResult<void> ServerHandshake::Run::on_decision(LoginAnswer answer) {
  const auto& record = answer.credential.record;
  const auto& holder = answer.credential.keys;
  if (peer.kind != HandshakeKind::login || holder == nullptr) return std::unexpected(Errc::misuse);
  const auto suite = opaque_suite(peer.suite);
  if (holder->suite() != suite || record.suite != suite) return std::unexpected(Errc::misuse);
  begin_server_hello(std::to_underlying(record.ksf));
  PAKE_TRY(auto next, answer_login(received->hello, std::move(answer), transcript, rng));
  if (auto* login = std::get_if<opaque::AwaitingKeyOperation>(&next)) return ask_holder(std::move(*login));
  return send_server_hello(std::get<Answered>(std::move(next)));
}

HandshakeResult<void> ServerHandshake::Run::on_decision(CodeAnswer answer) {
  if (peer.kind != HandshakeKind::code) return std::unexpected(Errc::misuse);
  begin_server_hello(0);
  PAKE_TRY(auto answered, answer_code(received->hello, received->H0, std::move(answer), transcript, rng));
  return send_server_hello(std::move(answered));
}

HandshakeResult<void> ServerHandshake::Run::on_decision(TicketAccepted) {
  if (peer.kind != HandshakeKind::resume) return std::unexpected(Errc::misuse);
  begin_server_hello(0);
  PAKE_TRY(auto answered, answer_ticket(received->hello, received->ticket_secret, transcript, rng));
  return send_server_hello(std::move(answered));
}

HandshakeResult<void> ServerHandshake::Run::on_decision(const Alert& answer) {
  return std::unexpected(Stop::sending_alert(answer));
}

HandshakeResult<void> ServerHandshake::Run::on_decision(RetryWith answer) {
  const auto suite = answer.suite;
  if (peer.kind != HandshakeKind::login || second_hello || suite == peer.suite ||
      !find_suite(HandshakeKind::login, std::to_underlying(suite)))
    return std::unexpected(Errc::misuse);
  const auto& hello = received->hello;
  if (!contains(hello.suites, std::to_underlying(suite))) return std::unexpected(AlertCode::unsupported);
  second_hello = std::make_unique<crypto::Digest>(fingerprint(hello, suite));
  received.reset();
  message = Retry{.suite = std::to_underlying(suite)}.encode();
  transcript.add(message);
  want = Want::send;
  return {};
}

void ServerHandshake::Run::begin_server_hello(std::uint8_t ksf) {
  const ServerHello hello{.suite = std::to_underlying(peer.suite), .aead = peer.aead, .ksf = ksf};
  message = hello.encode_up_to_pake(sizes_of(peer.suite).answer);
  transcript.add(message);
}

HandshakeResult<void> ServerHandshake::Run::send_server_hello(Answered answer) {
  transcript.add(answer.message);
  message.insert(message.end(), answer.message.begin(), answer.message.end());
  awaiting = std::move(answer.next);
  if (received && received->request.ticket)
    peer.ticket = std::make_unique<TicketFacts>(*std::move(received->request.ticket));
  if (peer.ticket)
    peer.ticket->server_name = Buffer();  // the hello's: nothing is kept twice while the client is awaited
  second_hello.reset();
  received.reset();
  question.reset();
  want = Want::send;
  return {};
}

HandshakeResult<void> ServerHandshake::Run::ask_holder(opaque::AwaitingKeyOperation login) {
  PAKE_TRY(auto job, login.key_job());
  received.reset();
  question = std::make_unique<KeyQuestion>(
      KeyQuestion{.login = std::move(login),
                  .job = IssuedJob<opaque::KeyOperationAnswer>([job = std::move(job)] { return job.run(); })});
  want = Want::key_operation;
  return {};
}

HandshakeResult<void> ServerHandshake::Run::on_key_operation(Result<opaque::KeyOperationAnswer> answer) {
  PAKE_TRY(const auto found, std::move(answer));
  PAKE_TRY(auto answered, finish_login(std::move(question->login), found));
  return send_server_hello(std::move(answered));
}

HandshakeResult<void> ServerHandshake::Run::on_client_finish(const Frame& frame) {
  PAKE_TRY(const auto pake_key, std::exchange(awaiting, nullptr)->finish(frame.body));
  const auto H2 = transcript.add(frame.whole).hash();
  keys = std::make_unique<ChannelKeys>(derive_channel_keys(peer.aead, H2, pake_key));
  outcome = std::make_unique<ServerOutcome>(
      ServerOutcome{.kind = peer.kind, .name = std::move(peer.name), .ticket = std::nullopt});
  if (peer.ticket) {
    outcome->name = peer.ticket->name;
    outcome->ticket = std::move(*peer.ticket);
  }
  want = Want::done;
  return {};
}

ServerHandshake::ServerHandshake(ServerConfig config, Rng& rng) : run_(std::make_unique<Run>(std::move(config), rng)) {}
ServerHandshake::ServerHandshake(ServerHandshake&&) noexcept = default;
ServerHandshake& ServerHandshake::operator=(ServerHandshake&&) noexcept = default;
ServerHandshake::~ServerHandshake() = default;

Want ServerHandshake::want() const noexcept { return run_ ? run_->want : Want::failed; }

std::unexpected<Errc> ServerHandshake::misuse() { return run_ ? run_->misuse() : fail(Errc::misuse); }

Result<Buffer> ServerHandshake::take_message() {
  if (want() != Want::send) return misuse();
  run_->want = Want::receive;
  return std::exchange(run_->message, {});
}

Incoming ServerHandshake::incoming() const noexcept { return run_ ? run_->incoming() : Incoming{}; }

Result<std::size_t> ServerHandshake::receive(Bytes bytes) {
  if (want() != Want::receive) return misuse();
  return run_->settle(run_->read(bytes));
}

const ClientRequest* ServerHandshake::request() const noexcept {
  return want() == Want::decision ? &run_->received->request : nullptr;
}

Status ServerHandshake::decide(Decision decision) {
  if (want() != Want::decision) return misuse();
  return run_->settle(std::visit([this](auto& answer) { return run_->on_decision(std::move(answer)); }, decision));
}

Result<std::unique_ptr<Job>> ServerHandshake::take_job() {
  if (want() != Want::key_operation) return misuse();
  auto job = run_->question->job.issue();
  if (!job) return misuse();
  return job;
}

Status ServerHandshake::resume(std::unique_ptr<Job> job) {
  if (want() != Want::key_operation) return misuse();
  auto answer = run_->question->job.take_back(std::move(job));
  if (!answer) return misuse();
  return run_->settle(run_->on_key_operation(*std::move(answer)));
}

const Failure* ServerHandshake::failure() const noexcept { return run_ ? run_->failure.get() : nullptr; }

Result<ChannelKeys> ServerHandshake::take_keys() {
  if (want() != Want::done || !run_->keys) return fail(Errc::misuse);
  return std::move(*std::exchange(run_->keys, nullptr));
}

Result<ServerOutcome> ServerHandshake::take_outcome() {
  if (want() != Want::done || !run_->outcome) return fail(Errc::misuse);
  return std::move(*std::exchange(run_->outcome, nullptr));
}

}  // namespace pake::channel
