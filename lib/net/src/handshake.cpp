#include "pake/net/handshake.h"

#include <memory>
#include <thread>
#include <utility>

#include "pake/channel/frame.h"
#include "pake/internal/try.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::net {
namespace {

constexpr std::size_t kOneRead = 2048;
constexpr std::chrono::seconds kAlertTime{1};

/// Runs `job` on a thread of its own. A job cannot be stopped: where the wait is cancelled, this waits for its end.
Awaitable<Outcome<void>> run_elsewhere(Loop& loop, Job& job) {
  const auto done = std::make_shared<Signal>(loop);  // what is posted may run after this has returned
  const std::jthread worker([&loop, &job, done] {
    job.run();
    loop.post(done, [](Signal& signal) { signal.notify(); });
  });
  co_return co_await done->wait(kNever);
}

/// What the two sides have in common: `Handshake` is a ClientHandshake or a ServerHandshake.
template <class Handshake>
class Exchange {
 public:
  Exchange(Handshake& handshake, Loop& loop, Stream& stream) : handshake_(handshake), loop_(loop), stream_(stream) {}

  // Until the handshake has consumed a frame.
  Awaitable<Outcome<void>> receive(Deadline deadline) {
    for (;;) {
      const auto incoming = handshake_.incoming();
      if (!arrived_.empty()) {
        const auto consumed = handshake_.receive(arrived_);
        if (!consumed) co_return fail(Error::Kind::run_failed);
        if (*consumed > 0) {
          arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(*consumed));
          co_return Outcome<void>();
        }
        if (arrived_.size() >= incoming.at_most) co_return fail(Error::Kind::too_long);
      }
      const auto before = arrived_.size();
      arrived_.resize(before + kOneRead);
      const auto count = co_await stream_.read_some(MutableBytes(arrived_).subspan(before), deadline);
      arrived_.resize(before + count.value_or(0));
      if (!count) co_return std::unexpected(count.error());
    }
  }

  Awaitable<Outcome<void>> run_job() {
    auto job = handshake_.take_job();
    if (!job) co_return fail(Error::Kind::run_failed);
    PAKE_CO_TRYV(co_await run_elsewhere(loop_, **job));
    if (!handshake_.resume(std::move(*job))) co_return fail(Error::Kind::run_failed);
    co_return Outcome<void>();
  }

  // Tells the other side what it may know.
  Awaitable<HandshakeError> fail_with(Error error) {
    HandshakeError why{.error = error, .failure = std::nullopt};
    if (const auto* failure = handshake_.failure()) {
      why.failure = *failure;
      if (failure->to_send) {
        const auto alert = failure->to_send->encode();
        static_cast<void>(co_await stream_.write_all(alert, after(kAlertTime)));  // the run has failed either way
      }
    }
    co_return why;
  }

  Buffer take_arrived() { return std::move(arrived_); }

 private:
  Handshake& handshake_;
  Loop& loop_;
  Stream& stream_;
  Buffer arrived_;
};

Awaitable<Outcome<Buffer>> run_client(channel::ClientHandshake& handshake, Exchange<channel::ClientHandshake>& exchange,
                                      Stream& stream, HandshakeTimeouts timeouts) {
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
        PAKE_CO_TRYV(co_await exchange.receive(after(timeouts.answer)));
        break;
      case Want::ksf:
        PAKE_CO_TRYV(co_await exchange.run_job());
        break;
      case Want::record:
      case Want::key_operation:
      case Want::done:
      case Want::failed:
        co_return fail(Error::Kind::run_failed);
    }
  }
}

Awaitable<Outcome<void>> run_server(channel::ServerHandshake& handshake, Exchange<channel::ServerHandshake>& exchange,
                                    Stream& stream, const AnswerRequest& answer, HandshakeTimeouts timeouts) {
  auto limit = timeouts.hello;
  for (;;) {
    switch (handshake.want()) {
      case Want::receive:
        PAKE_CO_TRYV(co_await exchange.receive(after(limit)));
        break;
      case Want::record:
        co_await answer(handshake);
        break;
      case Want::key_operation:
        PAKE_CO_TRYV(co_await exchange.run_job());
        break;
      case Want::send: {
        const auto message = handshake.take_message();
        if (!message) co_return fail(Error::Kind::run_failed);
        PAKE_CO_TRYV(co_await stream.write_all(*message, after(timeouts.hello)));
        if (message->front() == std::to_underlying(channel::FrameType::server_hello)) limit = timeouts.finish;
        break;
      }
      case Want::done:
        co_return Outcome<void>();
      case Want::ksf:
      case Want::failed:
        co_return fail(Error::Kind::run_failed);
    }
  }
}

}  // namespace

Awaitable<std::expected<ClientStart, HandshakeError>> run_handshake(channel::ClientHandshake& handshake, Loop& loop,
                                                                    Stream& stream, HandshakeTimeouts timeouts) {
  Exchange exchange(handshake, loop, stream);
  auto finish = co_await run_client(handshake, exchange, stream, timeouts);
  if (!finish) co_return std::unexpected(co_await exchange.fail_with(finish.error()));
  auto outcome = handshake.take_outcome();
  if (!outcome) co_return std::unexpected(HandshakeError{.error = {Error::Kind::run_failed}, .failure = std::nullopt});
  co_return ClientStart{.outcome = std::move(*outcome), .finish = std::move(*finish)};
}

Awaitable<std::expected<ServerStart, HandshakeError>> run_handshake(channel::ServerHandshake& handshake, Loop& loop,
                                                                    Stream& stream, const AnswerRequest& answer,
                                                                    HandshakeTimeouts timeouts) {
  Exchange exchange(handshake, loop, stream);
  if (const auto done = co_await run_server(handshake, exchange, stream, answer, timeouts); !done)
    co_return std::unexpected(co_await exchange.fail_with(done.error()));
  auto outcome = handshake.take_outcome();
  if (!outcome) co_return std::unexpected(HandshakeError{.error = {Error::Kind::run_failed}, .failure = std::nullopt});
  co_return ServerStart{.outcome = std::move(*outcome), .arrived = exchange.take_arrived()};
}

}  // namespace pake::net
