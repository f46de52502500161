#include "pake/net/handshake.h"

#include <asio/redirect_error.hpp>
#include <memory>
#include <utility>

#include "exchange.h"
#include "loop_impl.h"
#include "pake/channel/frame.h"
#include "pake/internal/try.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::net {
namespace {

constexpr std::size_t kHelloRead = 2048;  // in one piece
constexpr std::size_t kFinishRead = 72;   // the same while a peer is waited for that may take its time: a ClientFinish
constexpr std::chrono::seconds kAlertTime{1};

// Tells the other side what it may know of the end of a run.
template <class Handshake>
Awaitable<void> tell_failure(const Handshake& handshake, Stream& stream) {
  const auto* const failure = handshake.failure();
  if (failure == nullptr || !failure->to_send) co_return;
  const auto alert = failure->to_send->encode();
  static_cast<void>(co_await stream.write_all(alert, after(kAlertTime)));  // the run has failed either way
}

template <class Handshake>
std::unexpected<HandshakeError> failed_with(const Handshake& handshake, Error error) {
  HandshakeError why{.error = error, .failure = std::nullopt};
  if (const auto* failure = handshake.failure()) why.failure = *failure;
  return std::unexpected(why);
}

// The ClientFinish, to be sent.
Awaitable<Outcome<Buffer>> run_client(channel::ClientHandshake& handshake, Exchange<channel::ClientHandshake>& exchange,
                                      Stream& stream, const HandshakeTimeouts& timeouts) {
  for (;;) {
    switch (handshake.want()) {
      case Want::send: {
        auto message = handshake.take_message();
        if (!message) co_return fail(Error::Kind::run_failed);
        if (handshake.want() == Want::done) co_return std::move(*message);
        PAKE_CO_TRYV(co_await stream.write_all(*message, after(timeouts.answer)));
        break;
      }
      case Want::receive:
        PAKE_CO_TRYV(co_await exchange.receive({.deadline = after(timeouts.answer), .piece = kHelloRead}));
        break;
      case Want::ksf:
        PAKE_CO_TRYV(co_await exchange.run_job());
        break;
      case Want::decision:
      case Want::key_operation:
      case Want::done:
      case Want::failed:
        co_return fail(Error::Kind::run_failed);
    }
  }
}

std::unexpected<HandshakeError> no_outcome() {
  return std::unexpected(HandshakeError{.error = {Error::Kind::run_failed}, .failure = std::nullopt});
}

/// A ClientHello on its way through `decide`.
class Question {
 public:
  Question(Loop& loop, const channel::ClientRequest& request)
      : request_(request), answered_(loop), over_(loop.impl().io(), kNever) {}

  /// Lives on the loop beside whoever waits.
  static Awaitable<void> ask(Question& self, const Decide& decide) {
    self.decision_ = co_await decide(self.request_);
    self.answered_.notify();
    self.over_.cancel();
  }

  Awaitable<Outcome<void>> wait(Deadline deadline) { return answered_.wait(deadline); }

  /// What was answered; once.
  channel::Decision take_decision() { return *std::move(decision_); }

  /// Until `ask` no longer needs what it was given, whatever becomes of the loops.
  Awaitable<void> join() {
    asio::error_code woken;
    while (!decision_) co_await over_.async_wait(asio::redirect_error(kUseAwaitable, woken));
  }

 private:
  channel::ClientRequest request_;
  std::optional<channel::Decision> decision_;
  Signal answered_;
  Timer over_;
};

/// What a caller holds who is waited for, so it is small, and its steps are awaited by the one frame of `serve`.
class ServerRun {
 public:
  ServerRun(Loop& loop, Stream& stream, const ServerSide& side)
      : loop_(loop),
        stream_(stream),
        side_(side),
        handshake_(side.config, side.rng),
        exchange_(handshake_, loop, stream) {
    enter(HandshakeStage::silent);
  }

  [[nodiscard]] bool is_done() const noexcept { return handshake_.want() == Want::done; }

  Awaitable<Outcome<void>> step() {
    switch (handshake_.want()) {
      case Want::receive:
        return receive();
      case Want::decision:
        return decide();
      case Want::key_operation:
        return exchange_.run_job();
      case Want::send:
        return send();
      case Want::done:
      case Want::ksf:
      case Want::failed:
        break;
    }
    return fail_step();
  }

  /// After a step that has failed. What the other side may know has been told when this returns.
  Awaitable<void> tell_failure() {
    co_await net::tell_failure(handshake_, stream_);
    if (question_) co_await question_->join();
  }

  /// @param last  how the last step ended
  // Inlined, its keys would stand in the coroutine's frame while a peer is waited for.
  template <class TakeStream>
  [[gnu::noinline]] std::expected<ServerChannel, HandshakeError> take_channel(const Outcome<void>& last,
                                                                              TakeStream take_stream) {
    if (!last) return failed_with(handshake_, last.error());
    auto keys = handshake_.take_keys();
    auto outcome = handshake_.take_outcome();
    if (!keys || !outcome) return no_outcome();
    return ServerChannel{.link = std::make_shared<ChannelLink>(
                             loop_, take_stream(), *std::move(keys), channel::Role::server, side_.cache,
                             ChannelLink::Leftover{.to_send = {}, .arrived = exchange_.take_arrived()}),
                         .outcome = *std::move(outcome)};
  }

 private:
  void enter(HandshakeStage stage) {
    if (side_.on_stage && stage_ != stage) side_.on_stage(stage);
    stage_ = stage;
  }

  static Awaitable<Outcome<void>> fail_step() { co_return fail(Error::Kind::run_failed); }

  Awaitable<Outcome<void>> receive() {
    const auto& timeouts = side_.timeouts;
    if (stage_ != HandshakeStage::waiting)
      return exchange_.receive({.deadline = after(timeouts.hello), .piece = kHelloRead});
    const auto limit = kind_ == channel::HandshakeKind::login ? timeouts.login_finish : timeouts.finish;
    return exchange_.receive({.deadline = after(limit), .piece = kFinishRead});
  }

  Awaitable<Outcome<void>> decide() {
    kind_ = handshake_.request()->kind;
    enter(HandshakeStage::deciding);
    question_ = std::make_unique<Question>(loop_, *handshake_.request());
    loop_.spawn(Question::ask(*question_, side_.decide));
    if (const auto answered = co_await question_->wait(after(side_.timeouts.decision)); !answered) {
      static_cast<void>(handshake_.decide(channel::Alert{.code = channel::AlertCode::unavailable}));
      co_return std::unexpected(answered.error());
    }
    const bool goes_on = hand_in_decision();
    question_.reset();
    if (!goes_on) co_return fail(Error::Kind::run_failed);
    co_return Outcome<void>();
  }

  // A decision is large: none stands in a coroutine's frame.
  [[gnu::noinline]] bool hand_in_decision() { return handshake_.decide(question_->take_decision()).has_value(); }

  Awaitable<Outcome<void>> send() {
    const auto message = handshake_.take_message();
    if (!message) co_return fail(Error::Kind::run_failed);
    PAKE_CO_TRYV(co_await stream_.write_all(*message, after(side_.timeouts.hello)));
    const bool is_answer = message->front() == std::to_underlying(channel::FrameType::server_hello);
    enter(is_answer ? HandshakeStage::waiting : HandshakeStage::silent);
    co_return Outcome<void>();
  }

  Loop& loop_;
  Stream& stream_;
  const ServerSide& side_;
  channel::ServerHandshake handshake_;
  Exchange<channel::ServerHandshake> exchange_;
  std::unique_ptr<Question> question_;
  std::optional<HandshakeStage> stage_;
  channel::HandshakeKind kind_ = channel::HandshakeKind::login;
};

template <class TakeStream>
Awaitable<std::expected<ServerChannel, HandshakeError>> serve(Loop& loop, Stream& stream, const ServerSide& side,
                                                              TakeStream take_stream) {
  ServerRun run(loop, stream, side);
  Outcome<void> last;
  while (last && !run.is_done()) last = co_await run.step();
  if (!last) co_await run.tell_failure();
  co_return run.take_channel(last, take_stream);
}

}  // namespace

Awaitable<std::expected<ClientChannel, HandshakeError>> connect_channel(Loop& loop, std::unique_ptr<Stream>& stream,
                                                                        channel::ClientHandshake handshake,
                                                                        channel::KeyCache& cache,
                                                                        HandshakeTimeouts timeouts) {
  Exchange exchange(handshake, loop, *stream);
  auto finish = co_await run_client(handshake, exchange, *stream, timeouts);
  if (!finish) {
    co_await tell_failure(handshake, *stream);
    co_return failed_with(handshake, finish.error());
  }
  auto keys = handshake.take_keys();
  auto outcome = handshake.take_outcome();
  if (!keys || !outcome) co_return no_outcome();
  co_return ClientChannel{
      .link = std::make_shared<ChannelLink>(loop, std::move(stream), *std::move(keys), channel::Role::client, cache,
                                            ChannelLink::Leftover{.to_send = *std::move(finish), .arrived = {}}),
      .outcome = *std::move(outcome)};
}

Awaitable<std::expected<ServerChannel, HandshakeError>> accept_channel(Loop& loop, std::unique_ptr<Stream>& stream,
                                                                       const ServerSide& side) {
  return serve(loop, *stream, side, [&stream] { return std::move(stream); });
}

Awaitable<std::expected<ServerChannel, HandshakeError>> accept_channel(Caller& caller, const ServerSide& side) {
  return serve(caller.loop(), caller.stream(), side, [&caller] { return caller.take_stream(); });
}

}  // namespace pake::net
