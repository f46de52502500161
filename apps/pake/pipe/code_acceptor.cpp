#include "pipe/code_acceptor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "pake/channel/server_handshake.h"
#include "pake/crypto/rng.h"
#include "pake/net/acceptor.h"
#include "pake/net/coroutine.h"
#include "pake/net/handshake.h"
#include "pake/net/signal.h"
#include "pake/proto/guess.h"
#include "pipe/options.h"
#include "process/output.h"

namespace pake::cli::pipe {
namespace {

// Callers who are answered at once wait for their finish: so many, however many tries there are.
constexpr std::size_t kMostWaiting = 16;

Problem code_used_up(const std::string& start) {
  return {.exit_code = kExitAuthFailed,
          .error = "wrong code, or somebody is in between",
          .hint = fmt::format("the code is used up: run `{}` again for another one", start)};
}

/// Held by the tasks of all callers.
class CodeAcceptor : public std::enable_shared_from_this<CodeAcceptor> {
 public:
  CodeAcceptor(net::Loop& loop, identity::Code code, channel::KeyCache& cache, CodeAcceptorOptions options)
      : loop_(loop), cache_(cache), code_(std::move(code)), options_(std::move(options)) {}

  net::Awaitable<Expected<AuthenticatedPeer>> run(net::Listener port) {
    const auto listener = std::make_shared<net::Listener>(std::move(port));
    loop_.spawn(net::accept_loop(
        loop_, listener, net::Callers({.silent = options_.silent, .waiting = std::min(options_.tries, kMostWaiting)}),
        {.serve = [self = shared_from_this()](net::Caller caller) { return serve(self, std::move(caller)); },
         .home = [this]() -> net::Loop& { return loop_; },
         .is_full =
             [](const net::Error& error, const net::Address*) {
               say_note(fmt::format("callers that say nothing are turned away: {}", error.explain()));
             }}));
    if (options_.stop != nullptr) *options_.stop = [this] { over_.notify(); };
    const auto over = co_await over_.wait(options_.deadline);
    if (options_.stop != nullptr) *options_.stop = nullptr;
    listener->interrupt();
    is_settled_ = true;
    for (auto* const caller : callers_) caller->stream().interrupt();
    if (!over && !peer_ && over.error() == net::Error::Kind::timed_out)
      co_return std::unexpected(Problem{.exit_code = kExitCutShort, .error = "nobody has come"});
    if (!over && !peer_) co_return std::unexpected(Problem{.error = "interrupted"});
    if (!peer_) co_return std::unexpected(code_used_up(options_.start));
    co_return std::move(*peer_);
  }

 private:
  /// What becomes of one answer. Its guess is spent when the ServerHello is made.
  class Answer final : public GuessObserver {
   public:
    explicit Answer(std::shared_ptr<CodeAcceptor> acceptor) : acceptor_(std::move(acceptor)) {}
    void spent() noexcept override { is_spent_ = true; }
    void ended(GuessOutcome outcome) noexcept override {  // `verified` in the turn in which the finish verifies
      if (outcome == GuessOutcome::verified) acceptor_->is_settled_ = true;
    }
    [[nodiscard]] bool is_spent() const noexcept { return is_spent_; }

   private:
    std::shared_ptr<CodeAcceptor> acceptor_;
    bool is_spent_ = false;
  };

  static net::Awaitable<void> serve(std::shared_ptr<CodeAcceptor> self, net::Caller caller) {
    if (self->is_settled_) co_return;
    if (self->options_.trace != nullptr && *self->options_.trace)
      caller.wrap(
          [&](std::unique_ptr<net::Stream> stream) { return (*self->options_.trace)->follow(std::move(stream)); });
    self->callers_.insert(&caller);
    co_await self->answer(caller);
    self->callers_.erase(&caller);
  }

  net::Awaitable<void> answer(net::Caller& caller) {
    std::shared_ptr<Answer> given;
    const auto address = caller.stream().peer();
    const net::ServerSide side{
        .config = {},
        .decide = [&](const channel::ClientRequest& request) -> net::Awaitable<channel::Decision> {
          given = answer_to(request, caller);
          if (given == nullptr) co_return refusal_of(request);
          co_return channel::CodeAnswer{.code = SecretBuffer::copy_of(code_.reveal()), .permit = GuessPermit(given)};
        },
        .rng = rng_,
        .cache = cache_};
    auto accepted = co_await net::accept_channel(caller, side);
    if (!given) co_return;
    --answering_;
    if (!accepted && given->is_spent()) {
      if (accepted.error().error != net::Error::Kind::cancelled) note_wrong_try();
    } else if (accepted) {
      peer_ = AuthenticatedPeer{.address = address, .link = std::move(accepted->link)};
      callers_.erase(&caller);
      over_.notify();
    }
  }

  void note_wrong_try() {
    if (is_settled_) return;
    ++wrong_;
    if (wrong_ == options_.tries) {
      is_settled_ = true;
      return over_.notify();
    }
    const auto left = options_.tries - wrong_;
    if (left > kMostTries) return;  // it cannot be guessed
    say_note(fmt::format("somebody tried a wrong code, or left without proving the right one: {} {} left", left,
                         left == 1 ? "try is" : "tries are"));
  }

  // The pipe's hellos name nobody: docs/wire.md, section 13.
  [[nodiscard]] bool is_for_us(const channel::ClientRequest& request) const {
    return request.kind == channel::HandshakeKind::code && request.server_name.empty() &&
           as_text(request.name) == options_.selector;
  }

  // To try again never helps: the code is used up by then.
  [[nodiscard]] channel::Alert refusal_of(const channel::ClientRequest& request) const {
    using enum channel::AlertCode;
    return {.code = is_for_us(request) ? throttled : unknown_server};
  }

  // @return null if the caller is not answered
  std::shared_ptr<Answer> answer_to(const channel::ClientRequest& request, net::Caller& caller) {
    if (!is_for_us(request)) return nullptr;
    const bool is_gone = caller.stream().has_peer_ended();  // and would cost the code
    const bool is_free = !is_settled_ && wrong_ + answering_ < options_.tries;
    if (is_gone || !is_free || !caller.begin_waiting()) return nullptr;
    ++answering_;
    return std::make_shared<Answer>(shared_from_this());
  }

  net::Loop& loop_;
  channel::KeyCache& cache_;
  identity::Code code_;
  CodeAcceptorOptions options_;
  crypto::SystemRng rng_;
  std::set<net::Caller*> callers_;
  net::Signal over_{loop_};
  std::optional<AuthenticatedPeer> peer_;
  std::size_t answering_ = 0;
  std::size_t wrong_ = 0;
  bool is_settled_ = false;
};

}  // namespace

net::Awaitable<Expected<AuthenticatedPeer>> wait_for_peer(net::Loop& loop, net::Listener listener, identity::Code code,
                                                          channel::KeyCache& cache, CodeAcceptorOptions options) {
  const auto acceptor = std::make_shared<CodeAcceptor>(loop, std::move(code), cache, std::move(options));
  co_return co_await acceptor->run(std::move(listener));
}

}  // namespace pake::cli::pipe
