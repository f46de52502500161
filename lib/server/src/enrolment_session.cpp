#include "enrolment_session.h"

#include <utility>

#include "account_service.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

constexpr auto kOpensBy = 30s;
constexpr auto kEndsBy = 10s;

/// Held by its coroutines.
struct Enrolment {
  std::shared_ptr<State> state;
  net::Loop& loop;
  AccountChannel channel;
};

// One try at a time; a refusal lets the client begin again on another stream, of which the record's path takes one.
net::Awaitable<void> serve_streams(std::shared_ptr<Enrolment> self) {
  auto& link = *self->channel.link;
  bool is_done = false;
  while (!is_done) {
    auto accepted = co_await link.accept(net::after(kOpensBy));
    if (!accepted) break;
    if (accepted->service != channel::kAccountService) {
      accepted->stream->reset(channel::ResetCode::not_allowed);
      continue;
    }
    is_done = co_await serve_account_stream(self->state, self->loop, self->channel, std::move(accepted->stream));
  }
  // The client closes once it has read the last message; whoever does not is not waited for.
  if (is_done) {
    while (auto accepted = co_await link.accept(net::after(kEndsBy)))
      accepted->stream->reset(channel::ResetCode::not_allowed);
  }
  link.delivered();
  link.close(channel::CloseCode::going_away, net::after(kEndsBy));
}

}  // namespace

net::Awaitable<void> serve_enrolment(std::shared_ptr<State> state, net::Loop& loop, const Visit& visit,
                                     net::ServerChannel& channel) {
  const auto enrolment = std::make_shared<Enrolment>(Enrolment{.state = std::move(state),
                                                               .loop = loop,
                                                               .channel = {.user = visit.user(),
                                                                           .by = EnteredBy::code,
                                                                           .selector = visit.selector(),
                                                                           .generation = visit.generation(),
                                                                           .link = channel.link}});
  loop.spawn(serve_streams(enrolment));
  static_cast<void>(co_await channel.link->run());
}

}  // namespace pake::server
