#include "pake/channel/ticket.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "pake/channel/messages.h"
#include "pake/testing/fixed_rng.h"

namespace pake::channel {
namespace {

TicketKey key_of(std::uint8_t seed) {
  return {.id = {0, 0, 0, seed}, .key = crypto::SealKey::make([&](auto out) { std::ranges::fill(out, seed); })};
}

TicketKeys keys_of(std::initializer_list<std::uint8_t> seeds) {
  std::vector<TicketKey> keys;
  for (const auto seed : seeds) keys.push_back(key_of(seed));
  return TicketKeys(std::move(keys));
}

const TicketFacts kFacts = {.name = to_buffer(as_bytes("alice")),
                            .server_name = to_buffer(as_bytes("a.example")),
                            .device = {1, 2, 3},
                            .generation = 7,
                            .login_time = 1'700'000'000,
                            .expiry = 1'700'604'800};

ResumptionSecret secret() {
  return ResumptionSecret::make([](auto out) { std::ranges::fill(out, 0x5c); });
}

class TicketTest : public ::testing::Test {
 protected:
  testing::SeededRng rng_{1};
};

TEST_F(TicketTest, OpensToWhatWasSealed) {
  const auto keys = keys_of({1});
  const auto ticket = seal_ticket(keys, kFacts, secret(), rng_);
  ASSERT_TRUE(ticket);
  EXPECT_EQ(ticket->size(), 151 + kFacts.name.size() + kFacts.server_name.size());
  const auto opened = open_ticket(keys, *ticket);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->facts, kFacts);
  EXPECT_TRUE(ct_equal(opened->secret.reveal(), secret().reveal()));
}

TEST_F(TicketTest, TheLongestNamesFit) {
  auto facts = kFacts;
  facts.name.resize(kMaxNameSize, 'x');
  facts.server_name.resize(kMaxNameSize, 'y');
  const auto keys = keys_of({1});
  const auto ticket = seal_ticket(keys, facts, secret(), rng_);
  ASSERT_TRUE(ticket);
  EXPECT_LE(ticket->size(), kMaxTicketSize);
  EXPECT_TRUE(open_ticket(keys, *ticket));
  for (auto* name : {&facts.name, &facts.server_name}) {
    name->push_back('x');
    EXPECT_EQ(seal_ticket(keys, facts, secret(), rng_), fail(Errc::misuse));
    name->pop_back();
  }
}

TEST_F(TicketTest, YesterdaysKeyStillOpensAndTheNewestSeals) {
  const auto ticket = seal_ticket(keys_of({1}), kFacts, secret(), rng_);
  EXPECT_TRUE(open_ticket(keys_of({2, 1}), *ticket));
  EXPECT_FALSE(open_ticket(keys_of({3, 2}), *ticket));
  EXPECT_FALSE(open_ticket(keys_of({}), *ticket));
  const auto next = seal_ticket(keys_of({2, 1}), kFacts, secret(), rng_);
  EXPECT_TRUE(open_ticket(keys_of({2}), *next));
  EXPECT_FALSE(open_ticket(keys_of({1}), *next));
  EXPECT_EQ(seal_ticket(keys_of({}), kFacts, secret(), rng_), fail(Errc::misuse));
}

TEST_F(TicketTest, TheKeysIdentifierIsAuthenticated) {
  const auto ticket = seal_ticket(keys_of({1}), kFacts, secret(), rng_);
  std::vector<TicketKey> renamed;
  renamed.push_back(key_of(1));
  renamed[0].id = {0, 0, 0, 9};
  auto moved = *ticket;
  moved[3] = 9;
  EXPECT_FALSE(open_ticket(TicketKeys(std::move(renamed)), moved));
}

TEST_F(TicketTest, EveryBitAndEveryLengthMatters) {
  const auto keys = keys_of({1});
  const auto ticket = *seal_ticket(keys, kFacts, secret(), rng_);
  for (std::size_t bit = 0; bit < 8 * ticket.size(); ++bit) {
    auto flipped = ticket;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(open_ticket(keys, flipped).error(), Errc::auth_failed) << bit;
  }
  for (std::size_t size = 0; size < ticket.size(); ++size)
    EXPECT_EQ(open_ticket(keys, Bytes(ticket).first(size)).error(), Errc::auth_failed) << size;
}

TEST_F(TicketTest, WhatAnotherVersionSealedUnderTheSameKeyIsRefused) {
  const auto keys = keys_of({1});
  Buffer plaintext(107 + 5, 0);
  plaintext[1] = 5;
  const auto seal_as = [&](std::uint8_t version) {
    plaintext[0] = version;
    Buffer ticket = {0, 0, 0, 1};
    auto associated_data = to_buffer(as_bytes("pake/1 ticket"));
    associated_data.insert(associated_data.end(), ticket.begin(), ticket.end());
    const auto sealed = crypto::seal(keys.newest()->key, associated_data, plaintext, rng_);
    ticket.insert(ticket.end(), sealed.begin(), sealed.end());
    return ticket;
  };
  EXPECT_TRUE(open_ticket(keys, seal_as(2)));
  for (const auto version : {0, 1, 3}) EXPECT_FALSE(open_ticket(keys, seal_as(static_cast<std::uint8_t>(version))));
  plaintext.push_back(0);
  EXPECT_EQ(open_ticket(keys, seal_as(2)).error(), Errc::auth_failed);
}

}  // namespace
}  // namespace pake::channel
