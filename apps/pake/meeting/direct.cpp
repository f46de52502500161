#include "meeting/direct.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "meeting/meet.h"
#include "network/own_hosts.h"
#include "network/problems.h"
#include "pake/base/secret.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/direct.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"
#include "pake/net/signal.h"
#include "process/output.h"

namespace pake::cli::meeting {
namespace {

using channel::AddressFamily;
using channel::DirectAddress;
using channel::DirectAddresses;
using channel::DirectChoice;
using channel::DirectMessage;
using channel::DirectReached;
using channel::DirectWay;

constexpr std::chrono::seconds kAnswer{10};             // of the other side, through the server
constexpr std::chrono::milliseconds kConnects{2'500};   // a packet that is dropped is sent again after one second
constexpr std::chrono::seconds kHandshake{5};           // with who has answered there
constexpr std::chrono::seconds kComes{5};               // the other side, once both have agreed
constexpr std::chrono::seconds kLeave{3};               // the server, for a direct way
constexpr std::chrono::seconds kListens = 4 * kAnswer;  // at most
constexpr std::size_t kMostSilent = 16;                 // callers at once that have said nothing yet
constexpr std::size_t kEndless = SIZE_MAX;              // tries at what cannot be guessed
constexpr std::size_t kSecretSize = 32;
constexpr std::size_t kSelectorSize = 8;

Problem broken_rules() {
  return {.exit_code = kExitProtocol,
          .error = "the other side sent what has no place in the search for a direct way: it was ended"};
}

/// By what the two know each other there; each way has its own.
struct Known {
  std::string selector;
  SecretBuffer secret;
};

Known known_by(const net::ChannelLink& link, DirectWay way) {
  const Buffer context = {std::to_underlying(way)};
  const auto export_into = [&](std::string_view label, MutableBytes out) {
    if (!link.export_keying_material(channel::InternalLabel{label}, context, out)) std::abort();  // constant lengths
  };
  Known known;
  std::array<std::uint8_t, kSelectorSize> selector{};
  export_into("direct selector", selector);
  known.selector = fmt::format("{:02x}", fmt::join(selector, ""));
  known.secret = SecretBuffer::make(kSecretSize, [&](MutableBytes out) { export_into("direct", out); });
  return known;
}

// Nothing for a name, which stands for a machine without an address.
std::optional<DirectAddress> as_direct(const std::string& host, std::uint16_t port) {
  DirectAddress address{.family = AddressFamily::v4, .port = port};
  if (::inet_pton(AF_INET, host.c_str(), address.bytes.data()) != 1) {
    address.family = AddressFamily::v6;
    if (::inet_pton(AF_INET6, host.c_str(), address.bytes.data()) != 1) return std::nullopt;
  }
  if (!channel::is_direct(address)) return std::nullopt;
  return address;
}

net::TcpAddress as_address(const DirectAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(address.family == AddressFamily::v4 ? AF_INET : AF_INET6, address.bytes.data(), text.data(), text.size());
  return {.host = text.data(), .port = address.port};
}

// Both families have their share of the places.
DirectAddresses own_addresses(std::uint16_t port) {
  std::vector<DirectAddress> v4;
  std::vector<DirectAddress> v6;
  for (const auto& host : own_hosts())
    if (const auto address = as_direct(host, port))
      (address->family == AddressFamily::v4 ? v4 : v6).push_back(*address);
  DirectAddresses own;
  for (std::size_t i = 0; i < std::max(v4.size(), v6.size()); ++i)
    for (const auto* const family : {&v4, &v6})
      if (i < family->size() && own.list.size() < channel::kMaxDirectAddresses) own.list.push_back((*family)[i]);
  return own;
}

}  // namespace

/// Held by each of its coroutines.
class DirectPath::Search : public std::enable_shared_from_this<DirectPath::Search> {
 public:
  Search(net::Loop& loop, const net::ChannelLink& link, DirectOptions options, DirectWay own_way)
      : loop_(loop),
        options_(options),
        own_way_(own_way),
        dials_(known_by(link, own_way)),
        awaits_(known_by(link, own_way == DirectWay::by_joiner ? DirectWay::by_waiter : DirectWay::by_joiner)) {}

  // False: both stay where they are.
  static net::Awaitable<Expected<bool>> seek(std::shared_ptr<Search> self, std::unique_ptr<net::Stream> stream) {
    self->stream_ = std::move(stream);
    if (!co_await self->write(co_await self->listen())) co_return false;
    PAKE_CO_TRY(const auto theirs, co_await self->read<DirectAddresses>(net::after(kAnswer)));
    if (!theirs) co_return false;
    self->dial(theirs->list);
    self->loop_.spawn(read_reached(self));
    const auto way = co_await self->first_way();
    if (self->problem_) co_return std::unexpected(*self->problem_);
    const bool is_said = co_await self->write(DirectChoice{way});
    self->stream_->shutdown_write();
    self->settle(is_said ? way : DirectWay::none);
    co_return (is_said && way != DirectWay::none);
  }

  static net::Awaitable<Expected<bool>> answer(std::shared_ptr<Search> self, std::unique_ptr<net::Stream> stream) {
    self->stream_ = std::move(stream);
    PAKE_CO_TRY(const auto theirs, co_await self->read<DirectAddresses>(net::after(kAnswer)));
    if (!theirs || !co_await self->write(co_await self->listen())) co_return false;
    self->dial(theirs->list);
    self->loop_.spawn(report_reached(self));
    auto choice = co_await self->read<DirectChoice>(net::after(kConnects + kHandshake + kAnswer));
    const auto way = choice && *choice ? (*choice)->way : DirectWay::none;
    const bool is_possible = way != self->own_way_ || self->dialled_.has_value();
    self->stream_->shutdown_write();
    self->settle(is_possible ? way : DirectWay::none);
    if (!choice) co_return std::unexpected(std::move(choice.error()));
    if (!is_possible) co_return std::unexpected(broken_rules());
    co_return way != DirectWay::none;
  }

  net::Awaitable<Expected<pipe::AuthenticatedPeer>> take() {
    if (way_ == own_way_) co_return std::move(*std::exchange(dialled_, std::nullopt));
    const auto deadline = net::after(kComes);
    while (!came_ && co_await changed_.wait(deadline)) {
    }
    stop_listening();
    if (!came_)
      co_return std::unexpected(
          Problem{.exit_code = kExitCutShort, .error = "the other side did not come by the direct way"});
    co_return std::move(*std::exchange(came_, std::nullopt));
  }

 private:
  // --- messages ---

  net::Awaitable<bool> write(const DirectMessage& message) {
    const auto bytes = encode(message);
    co_return (co_await stream_->write_all(bytes, net::after(kAnswer))).has_value();
  }

  // Nothing if the other side has broken the stream off, or the channel has ended.
  template <class Wanted>
  net::Awaitable<Expected<std::optional<Wanted>>> read(net::Deadline deadline) {
    Buffer message(channel::DirectHeader::kSize);
    if (!co_await fill(message, deadline)) co_return std::nullopt;
    const std::size_t length = message[1];
    if (length > channel::DirectHeader::kMaxBody) co_return std::unexpected(broken_rules());
    message.resize(channel::DirectHeader::kSize + length);
    if (!co_await fill(MutableBytes(message).subspan(channel::DirectHeader::kSize), deadline)) co_return std::nullopt;
    const auto decoded = channel::decode_direct(message);
    const auto* const wanted = decoded ? std::get_if<Wanted>(&*decoded) : nullptr;
    if (wanted == nullptr) co_return std::unexpected(broken_rules());
    co_return *wanted;
  }

  net::Awaitable<bool> fill(MutableBytes into, net::Deadline deadline) {
    while (!into.empty()) {
      const auto count = co_await stream_->read_some(into, deadline);
      if (!count) co_return false;
      into = into.subspan(*count);
    }
    co_return true;
  }

  // --- both directions ---

  // Where the other side reaches this one; nothing if it cannot.
  net::Awaitable<DirectAddresses> listen() {
    auto listener = co_await net::listen(loop_, net::TcpAddress{.host = "", .port = 0}, net::kNever);
    if (!listener) co_return DirectAddresses{};
    auto own = own_addresses(std::get<net::TcpAddress>(listener->address()).port);
    if (!own.list.empty()) loop_.spawn(wait_for_caller(shared_from_this(), std::move(*listener)));
    co_return own;
  }

  static net::Awaitable<void> wait_for_caller(std::shared_ptr<Search> self, net::Listener listener) {
    auto peer = co_await pipe::wait_for_peer(self->loop_, std::move(listener), std::move(self->awaits_.secret),
                                             self->options_.cache,
                                             {.silent = kMostSilent,
                                              .tries = kEndless,
                                              .selector = self->awaits_.selector,
                                              .deadline = net::after(kListens),
                                              .trace = &self->options_.trace,
                                              .stop = &self->stop_});
    self->stop_ = nullptr;
    if (peer) self->came_.emplace(std::move(*peer));
    self->changed_.notify();
  }

  void stop_listening() {
    if (const auto stop = std::exchange(stop_, nullptr)) stop();
  }

  void dial(const std::vector<DirectAddress>& theirs) {
    for (const auto& address : theirs) {
      ++dialling_;
      loop_.spawn(dial_one(shared_from_this(), as_address(address)));
    }
  }

  static net::Awaitable<void> dial_one(std::shared_ptr<Search> self, net::Address address) {
    auto stream = co_await net::connect(self->loop_, address, net::after(kConnects));
    if (stream && !self->is_settled_) {
      ++self->shaking_hands_;
      co_await self->prove(std::move(*stream), std::move(address));
      --self->shaking_hands_;
    }
    --self->dialling_;
    self->changed_.notify();
  }

  // The ClientFinish leaves when the channel runs: who answers has no channel before this way has been chosen.
  net::Awaitable<void> prove(std::unique_ptr<net::Stream> stream, net::Address address) {
    if (options_.trace) stream = options_.trace->follow(std::move(stream));
    auto handshake = channel::ClientHandshake::by_code(
        {}, {.selector = as_bytes(dials_.selector), .code = dials_.secret.reveal()}, rng_);
    if (!handshake) co_return;
    auto channel =
        co_await net::connect_channel(loop_, stream, *std::move(handshake), options_.cache, {.answer = kHandshake});
    if (channel && !is_settled_ && !dialled_)
      dialled_ = pipe::AuthenticatedPeer{.address = std::move(address), .link = std::move(channel->link)};
  }

  // --- the choice ---

  net::Awaitable<DirectWay> first_way() {
    const auto connects = net::after(kConnects);
    const auto all = connects + kHandshake;
    for (;;) {
      if (problem_ || is_stream_over_) co_return DirectWay::none;
      if (dialled_) co_return DirectWay::by_joiner;
      if (is_reached_ && *is_reached_) co_return DirectWay::by_waiter;
      if (dialling_ == 0 && is_reached_) co_return DirectWay::none;
      const auto waited = co_await changed_.wait(shaking_hands_ != 0 ? all : connects);
      if (waited) continue;
      const bool is_late = shaking_hands_ == 0 || net::Clock::now() >= all;
      if (is_late || waited.error() != net::Error::Kind::timed_out) co_return DirectWay::none;
    }
  }

  static net::Awaitable<void> read_reached(std::shared_ptr<Search> self) {
    auto reached = co_await self->read<DirectReached>(net::after(kConnects + kHandshake));
    if (!reached)
      self->problem_ = std::move(reached.error());
    else if (*reached)
      self->is_reached_ = (*reached)->is_reached;
    else
      self->is_stream_over_ = true;
    self->changed_.notify();
  }

  static net::Awaitable<void> report_reached(std::shared_ptr<Search> self) {
    while (!self->is_settled_ && !self->dialled_ && self->dialling_ != 0)
      if (!co_await self->changed_.wait(net::kNever)) co_return;
    if (!self->is_settled_) static_cast<void>(co_await self->write(DirectReached{self->dialled_.has_value()}));
  }

  // What was not chosen goes.
  void settle(DirectWay way) {
    way_ = way;
    is_settled_ = true;
    if (way != own_way_) dialled_.reset();
    if (way == own_way_ || way == DirectWay::none) stop_listening();
    changed_.notify();
  }

  net::Loop& loop_;
  DirectOptions options_;
  DirectWay own_way_;  // the one that begins here
  DirectWay way_ = DirectWay::none;
  Known dials_, awaits_;
  crypto::SystemRng rng_;
  std::unique_ptr<net::Stream> stream_;  // through the server
  net::Signal changed_{loop_};
  std::function<void()> stop_;  // ends the wait for a caller
  std::size_t dialling_ = 0;
  std::size_t shaking_hands_ = 0;
  std::optional<pipe::AuthenticatedPeer> dialled_;
  std::optional<pipe::AuthenticatedPeer> came_;
  std::optional<bool> is_reached_;  // the other side says so
  std::optional<Problem> problem_;
  bool is_stream_over_ = false;
  bool is_settled_ = false;
};

DirectPath::DirectPath(std::shared_ptr<Search> search) noexcept : search_(std::move(search)) {}
DirectPath::DirectPath(DirectPath&&) noexcept = default;
DirectPath& DirectPath::operator=(DirectPath&&) noexcept = default;
DirectPath::~DirectPath() = default;

net::Awaitable<Expected<pipe::AuthenticatedPeer>> DirectPath::take() { return search_->take(); }

net::Awaitable<Expected<std::optional<DirectPath>>> seek_direct_path(net::Loop& loop,
                                                                     std::shared_ptr<net::ChannelLink> link,
                                                                     DirectOptions options) {
  auto stream = link->open(kDirectService);
  if (!stream) co_return std::unexpected(channel_cut());
  const auto search = std::make_shared<DirectPath::Search>(loop, *link, options, DirectWay::by_joiner);
  PAKE_CO_TRY(const bool is_found, co_await DirectPath::Search::seek(search, std::move(*stream)));
  if (!is_found) co_return std::nullopt;
  co_return DirectPath(search);
}

net::Awaitable<Expected<std::optional<DirectPath>>> answer_direct_path(net::Loop& loop,
                                                                       std::shared_ptr<net::ChannelLink> link,
                                                                       std::unique_ptr<net::Stream> stream,
                                                                       DirectOptions options) {
  const auto search = std::make_shared<DirectPath::Search>(loop, *link, options, DirectWay::by_waiter);
  PAKE_CO_TRY(const bool is_found, co_await DirectPath::Search::answer(search, std::move(stream)));
  if (!is_found) co_return std::nullopt;
  co_return DirectPath(search);
}

namespace {

net::Awaitable<void> run(std::shared_ptr<net::ChannelLink> link) { static_cast<void>(co_await link->run()); }

// The side that waited learns by the first stream whether the other one looks for a direct way. Any other stream stays
// for who uses the channel.
net::Awaitable<Expected<std::optional<DirectPath>>> answer_if_asked(net::Loop& loop,
                                                                    std::shared_ptr<net::ChannelLink> link,
                                                                    bool is_wanted, DirectOptions options) {
  const auto service = co_await link->next_service(net::after(kAnswer));
  if (!service || *service != kDirectService) co_return std::nullopt;
  auto asked = co_await link->accept(net::kNever);
  if (!asked) co_return std::nullopt;
  if (is_wanted) co_return co_await answer_direct_path(loop, std::move(link), std::move(asked->stream), options);
  asked->stream->reset(channel::ResetCode::no_such_service);
  co_return std::nullopt;
}

}  // namespace

net::Awaitable<Expected<pipe::AuthenticatedPeer>> choose_way(net::Loop& loop, const MeetingPoint& point,
                                                             pipe::AuthenticatedPeer met, Came came,
                                                             DirectOptions options) {
  const auto link = met.link;
  loop.spawn(run(link));
  const bool is_wanted = point.options().may_go_directly();
  if (!is_wanted) say_note(connected_through(point));
  Expected<std::optional<DirectPath>> path;
  if (came == Came::first)
    path = co_await answer_if_asked(loop, link, is_wanted, options);
  else if (is_wanted)
    path = co_await seek_direct_path(loop, link, options);
  if (path && !*path) {
    if (is_wanted) say_note(connected_through(point));
    co_return std::move(met);
  }
  link->close(path ? channel::CloseCode::done : channel::CloseCode::rules_broken, net::after(kLeave));
  static_cast<void>(co_await link->run());
  if (!path) co_return std::unexpected(std::move(path.error()));
  PAKE_CO_TRY(auto direct, co_await (*path)->take());
  say_note(connected_directly(direct.address));
  co_return std::move(direct);
}

}  // namespace pake::cli::meeting
