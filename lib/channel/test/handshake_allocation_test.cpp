// What a half-open handshake holds. docs/wire.md, section 11.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "pake/testing/allocations.h"
#include "world.h"

namespace pake::channel {
namespace {

using testing::allocations;

constexpr std::size_t kMostWhileWaiting = 1024;

// Bytes of a server that has sent its ServerHello and waits for the finish, by itself and on the heap.
std::size_t bytes_while_waiting(test::Plan plan) {
  Buffer hello;
  {
    test::Exchange probe(plan);
    while (probe.server.want() != Want::decision) {
      if (!probe.step_client() && !probe.step_server()) std::abort();
      hello = probe.sent.back().bytes;
    }
  }
  pake::testing::SeededRng rng(2);
  GuessBudget budget(1);
  const auto before = allocations().bytes;
  ServerHandshake server({.fastest_aead = AeadId::aes_256_gcm, .ticket_keys = test::World::get().ticket_keys()}, rng);
  if (!server.receive(hello)) std::abort();
  EXPECT_TRUE(server.decide(test::decide(*server.request(), plan, budget)));
  EXPECT_TRUE(server.take_message());
  EXPECT_EQ(server.want(), Want::receive);
  return sizeof server + allocations().bytes - before;
}

/// A ticket of the longest names there are.
std::shared_ptr<const StoredTicket> longest_ticket() {
  auto facts = test::alices_ticket();
  facts.name = facts.server_name = Buffer(255, 'x');
  pake::testing::SeededRng rng(3);
  ResumptionSecret secret;
  auto ticket = seal_ticket(*test::World::get().ticket_keys(), facts, secret, rng);
  if (!ticket) std::abort();
  return std::make_shared<StoredTicket>(StoredTicket{.ticket = *std::move(ticket), .secret = std::move(secret)});
}

TEST(HandshakeAllocation, AServerThatWaitsForTheFinishHoldsLessThanAKibibyte) {
  for (auto plan : test::all_plans()) {
    if (plan.kind == HandshakeKind::login) plan.login_suites = {plan.server_suite};
    plan.server_name = plan.name = std::string(255, 'x');
    if (plan.kind == HandshakeKind::resume) plan.ticket = longest_ticket();
    static_cast<void>(bytes_while_waiting(plan));  // the libraries fetch what they keep for good
    const auto bytes = bytes_while_waiting(plan);
    std::printf("%s: %zu bytes while waiting\n", test::name_of(plan).c_str(), bytes);
    EXPECT_LE(bytes, kMostWhileWaiting) << test::name_of(plan);
  }
}

}  // namespace
}  // namespace pake::channel
