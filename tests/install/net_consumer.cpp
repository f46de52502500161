// A user with an Asio loop of his own beside those of pake::net, and a coroutine on each.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdlib>
#include <iostream>

#include "pake/net.h"

namespace {

asio::awaitable<void> count_on_own_loop(asio::io_context& loop, int& ran) {
  co_await asio::post(loop, asio::use_awaitable);
  ++ran;
}

pake::net::Awaitable<void> count(pake::net::Loop& loop, int& ran) {
  co_await loop.yield();
  const auto slept = co_await loop.sleep_until(pake::net::Clock::now());
  if (slept) ++ran;
}

}  // namespace

int main() {
  int ran = 0;
  asio::io_context own;
  asio::co_spawn(own, count_on_own_loop(own, ran), asio::detached);
  own.run();
  pake::net::Loops loops(2);
  loops.run(count(loops.main(), ran));
  const bool sound = ran == 2;
  std::cout << (sound ? "pake::net: installed, found, linked\n" : "pake::net: it does not do its work\n");
  return sound ? EXIT_SUCCESS : EXIT_FAILURE;
}
