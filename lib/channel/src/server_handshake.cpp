#include "pake/channel/server_handshake.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bindings.h"
#include "issued_job.h"
#include "key_schedule.h"
#include "pake/base/reader.h"
#include "pake/internal/try.h"
#include "resumption.h"
#include "server_pakes.h"
#include "stop.h"
#include "transcript.h"

namespace pake::channel {
namespace {

constexpr AwaitedFrame kHelloFrame = {.type = FrameType::client_hello, .min_body = 0, .max_body = kMaxHelloSize};
constexpr AwaitedFrame kAlertFrame = {.type = FrameType::alert, .min_body = Alert::kSize, .max_body = Alert::kSize};

// docs/wire.md, section 3.2: what a second ClientHello says before its PAKE message, with `front` moved to the front.
crypto::Digest fingerprint(const ClientHello& hello, Suite front) {
  auto suites = to_buffer(hello.suites);
  const auto found = std::ranges::find(suites, std::to_underlying(front));
  std::rotate(suites.begin(), found, found + 1);
  auto reordered = hello;
  reordered.suites = suites;
  return crypto::hash(crypto::HashId::sha512, {reordered.encode_up_to_pake(0)});
}

// A ClientHello until it is answered.
struct ReceivedHello {
  Buffer body;
  ClientHello hello;  // views of `body`
  ClientRequest request;
  crypto::Digest H0;
  OpenedTicket ticket;  // resume
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
  Buffer name;                        // login
  std::optional<TicketFacts> ticket;  // resume, from the ServerHello on
};

}  // namespace

struct ServerHandshake::Run {
  Run(ServerConfig configuration, Rng& randomness) : config(std::move(configuration)), rng(randomness) {}

  [[nodiscard]] Incoming incoming() const noexcept;
  HandshakeResult<std::size_t> read(Bytes bytes);
  HandshakeResult<void> on_client_hello(const Frame& frame);
  HandshakeResult<void> check_ticket(Bytes pake, Transcript up_to_pake);
  HandshakeResult<void> on_client_finish(const Frame& frame);
  HandshakeResult<void> send_retry(Suite suite);
  void begin_server_hello(std::uint8_t ksf);
  HandshakeResult<void> send_server_hello(Result<Answered> answered);
  HandshakeResult<void> ask_holder(LoginAnswer answer);
  HandshakeResult<void> on_key_operation(Result<opaque::KeyOperationAnswer> answer);
  [[nodiscard]] bool asks_for(HandshakeKind kind) const noexcept { return want == Want::record && peer.kind == kind; }
  /// The run's end, where `step` is one: everything secret goes, and the permit with it.
  template <class T>
  Result<T> settle(HandshakeResult<T> step);

  ServerConfig config;
  Rng& rng;
  Transcript transcript;
  Want want = Want::receive;
  Peer peer;
  std::unique_ptr<crypto::Digest> second_hello;  // after a Retry, until it is answered: its fingerprint
  std::unique_ptr<ReceivedHello> received;       // Want::record
  std::unique_ptr<KeyQuestion> question;         // Want::key_operation
  Buffer message;                                // Want::send; under way before it
  std::unique_ptr<AwaitingFinish> awaiting;      // from the ServerHello on
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
  if (hello.kind == HandshakeKind::login) peer.name = to_buffer(hello.name);
  transcript.add(frame.whole.first(frame.whole.size() - hello.pake.size()));
  received->H0 = transcript.hash();
  if (hello.kind == HandshakeKind::resume) {
    PAKE_TRYV(check_ticket(hello.pake, transcript));
  }
  transcript.add(hello.pake);
  received->request = {.kind = hello.kind,
                       .suite = hello.suite(),
                       .suites = hello.suites,
                       .server_name = hello.server_name,
                       .name = hello.name,
                       .ticket = hello.kind == HandshakeKind::resume ? &received->ticket.facts : nullptr};
  want = Want::record;
  return {};
}

// docs/wire.md, section 7: the ticket opens and the binder is right, or everything else is spared.
//   pake = lp2(ticket) || share (32) || binder (64)
HandshakeResult<void> ServerHandshake::Run::check_ticket(Bytes pake, Transcript up_to_pake) {
  if (!config.ticket_keys) return std::unexpected(AlertCode::refused);  // as any ticket that is refused
  PAKE_TRY(const auto ticket, Reader(pake).take_lp2());
  PAKE_TRY(received->ticket, open_ticket(*config.ticket_keys, ticket));
  const auto binder = pake.last<kProofSize>();
  const auto expected =
      compute_binder(received->ticket.secret, up_to_pake.add(pake.first(pake.size() - binder.size())));
  if (!ct_equal(expected.reveal(), binder)) return std::unexpected(AlertCode::refused);
  if (!std::ranges::equal(received->ticket.facts.server_name, received->hello.server_name))
    return std::unexpected(AlertCode::refused);  // lent under another name of this server
  return {};
}

HandshakeResult<void> ServerHandshake::Run::send_retry(Suite suite) {
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

HandshakeResult<void> ServerHandshake::Run::send_server_hello(Result<Answered> answered) {
  PAKE_TRY(auto answer, std::move(answered));
  transcript.add(answer.message);
  message.insert(message.end(), answer.message.begin(), answer.message.end());
  awaiting = std::move(answer.next);
  if (peer.kind == HandshakeKind::resume) peer.ticket = std::move(received->ticket.facts);
  second_hello.reset();
  received.reset();
  question.reset();
  want = Want::send;
  return {};
}

HandshakeResult<void> ServerHandshake::Run::ask_holder(LoginAnswer answer) {
  const auto& keys = answer.keys;
  PAKE_TRY(auto login, begin_login(received->hello, std::move(answer), transcript, rng));
  PAKE_TRY(auto operation, login.operation());
  received.reset();
  question = std::make_unique<KeyQuestion>(
      KeyQuestion{.login = std::move(login),
                  .job = IssuedJob<opaque::KeyOperationAnswer>(
                      [&keys, operation = std::move(operation)] { return keys.answer(operation); })});
  want = Want::key_operation;
  return {};
}

HandshakeResult<void> ServerHandshake::Run::on_key_operation(Result<opaque::KeyOperationAnswer> answer) {
  PAKE_TRY(const auto found, std::move(answer));
  return send_server_hello(finish_login(std::move(question->login), found));
}

HandshakeResult<void> ServerHandshake::Run::on_client_finish(const Frame& frame) {
  PAKE_TRY(const auto pake_key, std::exchange(awaiting, nullptr)->finish(frame.body));
  const auto H2 = transcript.add(frame.whole).hash();
  outcome =
      std::make_unique<ServerOutcome>(ServerOutcome{.kind = peer.kind,
                                                    .keys = derive_channel_keys(peer.aead, H2, pake_key),
                                                    .name = peer.ticket ? peer.ticket->name : std::move(peer.name),
                                                    .ticket = std::move(peer.ticket)});
  want = Want::done;
  return {};
}

ServerHandshake::ServerHandshake(ServerConfig config, Rng& rng) : run_(std::make_unique<Run>(std::move(config), rng)) {}
ServerHandshake::ServerHandshake(ServerHandshake&&) noexcept = default;
ServerHandshake& ServerHandshake::operator=(ServerHandshake&&) noexcept = default;
ServerHandshake::~ServerHandshake() = default;

Want ServerHandshake::want() const noexcept { return run_ ? run_->want : Want::failed; }

Result<Buffer> ServerHandshake::take_message() {
  if (want() != Want::send) return fail(Errc::misuse);
  run_->want = Want::receive;
  return std::exchange(run_->message, {});
}

Incoming ServerHandshake::incoming() const noexcept { return run_ ? run_->incoming() : Incoming{}; }

Result<std::size_t> ServerHandshake::receive(Bytes bytes) {
  if (want() != Want::receive) return fail(Errc::misuse);
  return run_->settle(run_->read(bytes));
}

const ClientRequest* ServerHandshake::request() const noexcept {
  return want() == Want::record ? &run_->received->request : nullptr;
}

Status ServerHandshake::answer_login(LoginAnswer answer) {
  if (!run_ || !run_->asks_for(HandshakeKind::login) || answer.keys.suite() != opaque_suite(run_->peer.suite))
    return fail(Errc::misuse);
  run_->begin_server_hello(std::to_underlying(answer.ksf));
  if (!answer.keys.in_memory()) return run_->settle(run_->ask_holder(std::move(answer)));
  return run_->settle(run_->send_server_hello(
      channel::answer_login(run_->received->hello, std::move(answer), run_->transcript, run_->rng)));
}

Status ServerHandshake::answer_code(CodeAnswer answer) {
  if (!run_ || !run_->asks_for(HandshakeKind::code)) return fail(Errc::misuse);
  run_->begin_server_hello(0);
  const auto& received = *run_->received;
  return run_->settle(run_->send_server_hello(
      channel::answer_code(received.hello, received.H0, std::move(answer), run_->transcript, run_->rng)));
}

Status ServerHandshake::answer_ticket() {
  if (!run_ || !run_->asks_for(HandshakeKind::resume)) return fail(Errc::misuse);
  run_->begin_server_hello(0);
  const auto& received = *run_->received;
  return run_->settle(run_->send_server_hello(
      channel::answer_ticket(received.hello, received.ticket.secret, run_->transcript, run_->rng)));
}

Status ServerHandshake::retry(Suite suite) {
  if (!run_ || !run_->asks_for(HandshakeKind::login) || run_->second_hello ||
      !find_suite(HandshakeKind::login, std::to_underlying(suite)) || suite == run_->peer.suite)
    return fail(Errc::misuse);
  return run_->settle(run_->send_retry(suite));
}

Status ServerHandshake::refuse(const Alert& alert) {
  if (want() != Want::record) return fail(Errc::misuse);
  static_cast<void>(run_->settle(HandshakeResult<void>(std::unexpected(Stop::sending_alert(alert)))));
  return {};
}

Result<std::unique_ptr<Job>> ServerHandshake::take_job() {
  if (want() != Want::key_operation) return fail(Errc::misuse);
  auto job = run_->question->job.lend();
  if (!job) return fail(Errc::misuse);
  return job;
}

Status ServerHandshake::resume(std::unique_ptr<Job> job) {
  if (want() != Want::key_operation) return fail(Errc::misuse);
  PAKE_TRY(auto answer, run_->question->job.take_back(std::move(job)));
  return run_->settle(run_->on_key_operation(std::move(answer)));
}

const Failure* ServerHandshake::failure() const noexcept { return run_ ? run_->failure.get() : nullptr; }

Result<ServerOutcome> ServerHandshake::take_outcome() {
  if (want() != Want::done || !run_->outcome) return fail(Errc::misuse);
  return std::move(*std::exchange(run_->outcome, nullptr));
}

}  // namespace pake::channel
