#include "files/channel.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "network/problems.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"

namespace pake::cli::files {
namespace {

constexpr std::chrono::seconds kLastWordTime{3};  // for the peer to answer that we have failed
constexpr std::size_t kSecretSize = 32;
constexpr std::size_t kSelectorSize = 8;

struct Running {
  explicit Running(net::Loop& loop) : over(loop) {}
  net::Signal over;
  std::optional<Expected<void>> outcome;
};

net::Awaitable<void> work_and_close(std::shared_ptr<Running> running, std::shared_ptr<net::ChannelLink> link,
                                    Work work) {
  auto outcome = co_await work(link);
  if (outcome)
    link->close(channel::CloseCode::done);
  else
    link->close(outcome.error().exit_code == kExitProtocol ? channel::CloseCode::rules_broken
                                                           : channel::CloseCode::internal_error,
                net::after(kLastWordTime));
  running->outcome = std::move(outcome);
  running->over.notify();
}

void export_from(const net::ChannelLink& link, std::string_view label, MutableBytes out) {
  if (!link.export_keying_material(channel::InternalLabel{label}, {}, out)) std::abort();  // the lengths are constants
}

}  // namespace

Continuation continuation_of(const net::ChannelLink& link) {
  Continuation continuation;
  std::array<std::uint8_t, kSelectorSize> selector{};
  export_from(link, "files selector", selector);
  continuation.selector = fmt::format("{:02x}", fmt::join(selector, ""));
  continuation.secret =
      SecretBuffer::make(kSecretSize, [&](MutableBytes out) { export_from(link, "files continue", out); });
  return continuation;
}

net::Awaitable<ChannelResult> run_channel(net::Loop& loop, std::shared_ptr<net::ChannelLink> link, Work work) {
  const auto running = std::make_shared<Running>(loop);
  loop.spawn(work_and_close(running, link, std::move(work)));
  const auto end = co_await link->run();
  while (!running->outcome && co_await running->over.wait(net::kNever)) {
  }
  if (!running->outcome) co_return ChannelResult{.outcome = std::unexpected(channel_cut())};
  auto outcome = std::move(*running->outcome);
  if (outcome && end.end == channel::EndReason::not_delivered) outcome = std::unexpected(channel_ended(end));
  if (outcome || outcome.error().exit_code != kExitCutShort) co_return ChannelResult{.outcome = std::move(outcome)};
  const bool is_cancelled = end.transport && *end.transport == net::Error::Kind::cancelled;
  const bool is_cut = !is_cancelled && (end.end == channel::EndReason::cut || end.end == channel::EndReason::silent);
  if (end.end != channel::EndReason::closed && end.end != channel::EndReason::unanswered)
    outcome = std::unexpected(channel_ended(end));
  co_return ChannelResult{.outcome = std::move(outcome), .is_cut = is_cut};
}

net::Awaitable<void> refuse_streams(std::shared_ptr<net::ChannelLink> link) {
  while (const auto other = co_await link->accept(net::kNever)) other->stream->reset(channel::ResetCode::too_many);
}

}  // namespace pake::cli::files
