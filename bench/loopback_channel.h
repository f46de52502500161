// A channel between two processes of one machine, from a code that both know: what the programs that measure over
// loopback begin with. A step that fails ends the program.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "arguments.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/key_cache.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/rng.h"
#include "pake/net/channel_link.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/handshake.h"

namespace pake::bench {

inline constexpr std::chrono::seconds kPatience{30};
inline constexpr auto kAead = channel::AeadId::aes_256_gcm;

inline Bytes shared_code() { return as_bytes("loopback-loopback-1"); }

/// On a port of the system's choice, which is printed.
inline net::Listener listen_on_loopback(net::Loop& loop) {
  auto listener = net::Listener::open(loop, net::TcpAddress{.port = 0}).value();
  say(std::to_string(std::get<net::TcpAddress>(listener.address()).port));
  return listener;
}

inline net::Awaitable<std::shared_ptr<net::ChannelLink>> dial_channel(net::Loop& loop, channel::KeyCache& cache,
                                                                      std::uint16_t port) {
  crypto::SystemRng rng;
  auto stream = (co_await net::connect(loop, net::TcpAddress{.port = port}, net::after(kPatience))).value();
  auto handshake =
      channel::ClientHandshake::by_code({.fastest_aead = kAead}, {.selector = {}, .code = shared_code()}, rng).value();
  co_return (co_await net::connect_channel(loop, stream, std::move(handshake), cache)).value().link;
}

inline net::Awaitable<channel::Decision> answer_with_code(const channel::ClientRequest&) {
  co_return channel::CodeAnswer{.code = SecretBuffer::copy_of(shared_code()),
                                .permit = GuessPermit::uncounted_for_study()};
}

inline net::Awaitable<std::shared_ptr<net::ChannelLink>> accept_channel(net::Loop& loop, channel::KeyCache& cache,
                                                                        net::Listener& listener) {
  crypto::SystemRng rng;
  auto stream = (co_await listener.accept(loop, net::kNever)).value();
  const net::ServerSide side{.config = {.fastest_aead = kAead}, .decide = answer_with_code, .rng = rng, .cache = cache};
  co_return (co_await net::accept_channel(loop, stream, side)).value().link;
}

}  // namespace pake::bench
