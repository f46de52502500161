#include "pake/files/exchange.h"

#include <gtest/gtest.h>

namespace pake::files {
namespace {

Entry file(std::string path, std::uint64_t size) { return {.size = size, .path = std::move(path)}; }
Entry folder(std::string path) { return {.kind = EntryKind::folder, .path = std::move(path)}; }

const std::vector<Entry> kTree = {folder("d"), file("d/a", 10), file("d/b", 0), file("e", 5)};

Status collect(const std::vector<Entry>& entries, Offer offer) {
  OfferCollector collector;
  if (const auto begun = collector.receive(offer); !begun) return begun;
  const auto added = collector.receive(Entries{entries});
  if (added && !collector.is_whole()) return fail(Errc::unavailable);
  return added;
}

TEST(Offers, ArriveAsTheyWere) {
  std::vector<Entry> many;
  for (int i = 0; i < 20'000; ++i) many.push_back(file("d/" + std::to_string(100'000 + i), 1));
  OfferEncoder encoder(many);
  OfferCollector collector;
  std::size_t messages = 0;
  for (auto bytes = encoder.next(); !bytes.empty(); bytes = encoder.next(), ++messages) {
    const auto header = MessageHeader::decode(Bytes(bytes).first<MessageHeader::kSize>());
    ASSERT_TRUE(header);
    ASSERT_TRUE(collector.receive(*decode(header->type, Bytes(bytes).subspan(MessageHeader::kSize))));
  }
  EXPECT_TRUE(collector.is_whole());
  EXPECT_GT(messages, 2U);
  EXPECT_EQ(collector.take(), many);
}

TEST(Offers, OneLieEndsIt) {
  EXPECT_TRUE(collect(kTree, {.entries = 4, .total = 15}));
  EXPECT_FALSE(collect(kTree, {.entries = 4, .total = 16}));
  EXPECT_FALSE(collect(kTree, {.entries = 4, .total = 14}));
  EXPECT_FALSE(collect(kTree, {.entries = 3, .total = 15}));
  EXPECT_FALSE(collect(kTree, {.entries = 5, .total = 15}));
  EXPECT_FALSE(collect({file("b", 1), file("a", 1)}, {.entries = 2, .total = 2})) << "not in order";
  EXPECT_FALSE(collect({file("a", 1), file("a", 1)}, {.entries = 2, .total = 2})) << "twice";
  EXPECT_FALSE(collect({file("a", 0), {.kind = EntryKind::stream, .path = "b"}}, {.entries = 2, .total = 0}));
  EXPECT_FALSE(
      collect({file("a", kMaxSize), file("b", kMaxSize), file("c", kMaxSize), file("d", kMaxSize), file("e", 1)},
              {.entries = 5, .total = 1}))
      << "a sum that would wrap around";
  EXPECT_FALSE(OfferCollector().receive(Entries{kTree})) << "before the offer";
}

TEST(Offers, AListIsBounded) {
  OfferCollector collector;
  ASSERT_TRUE(collector.receive(Offer{.entries = kMaxEntries, .total = 0}));
  Status status;
  for (int i = 0; i < 100'000 && status; ++i)
    status = collector.receive(
        Entries{{file(std::to_string(100'000 + i) + "/" + std::string(255, 'x') + "/" + std::string(255, 'y') + "/" +
                          std::string(255, 'z') + "/" + std::string(255, 'w'),
                      0)}});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error(), Errc::exhausted);
}

class Sending : public ::testing::Test {
 protected:
  SendingRules rules{kTree};
  bool takes(const Message& message) { return rules.receive(message).has_value(); }
};

TEST_F(Sending, ARunToItsEnd) {
  EXPECT_TRUE(takes(Accept{}));
  EXPECT_TRUE(takes(Ask{.index = 1, .length = 4}));
  rules.answered_ask(1);
  EXPECT_TRUE(takes(Fetch{.index = 1, .offset = 4}));
  rules.answered_fetch(1);
  EXPECT_TRUE(takes(Ask{.index = 3, .length = 5}));
  rules.answered_ask(3);
  EXPECT_TRUE(takes(Summary{.stored = 1, .unchanged = 2}));
  EXPECT_FALSE(takes(Accept{})) << "it is over";
}

TEST_F(Sending, NothingBeforeItIsAccepted) { EXPECT_FALSE(takes(Fetch{.index = 1})); }
TEST_F(Sending, NothingAfterItIsDeclined) {
  EXPECT_TRUE(takes(Decline{}));
  EXPECT_FALSE(takes(Fetch{.index = 1}));
}
TEST_F(Sending, OnlyWhatWasOffered) {
  ASSERT_TRUE(takes(Accept{}));
  EXPECT_FALSE(takes(Fetch{.index = 4}));
  EXPECT_FALSE(takes(Ask{.index = 4, .length = 1}));
  EXPECT_FALSE(takes(Fetch{.index = 0})) << "a folder";
  EXPECT_FALSE(takes(Ask{.index = 1, .length = 11})) << "beyond its end";
  EXPECT_FALSE(takes(Fetch{.index = 1, .offset = 4})) << "not asked about";
}
TEST_F(Sending, NothingTwice) {
  ASSERT_TRUE(takes(Accept{}));
  ASSERT_TRUE(takes(Ask{.index = 1, .length = 1}));
  EXPECT_FALSE(takes(Ask{.index = 1, .length = 2}));
  ASSERT_TRUE(takes(Fetch{.index = 3}));
  EXPECT_FALSE(takes(Fetch{.index = 3}));
}
TEST(SendingRules, NoMoreThan64AtOnce) {
  std::vector<Entry> many;
  for (int i = 0; i < 100; ++i) many.push_back(file(std::to_string(100 + i), 1));
  SendingRules rules(many);
  ASSERT_TRUE(rules.receive(Accept{}));
  for (std::uint32_t i = 0; i < kMaxRequests; ++i) ASSERT_TRUE(rules.receive(Fetch{.index = i}));
  EXPECT_FALSE(rules.receive(Fetch{.index = kMaxRequests}));
}
TEST_F(Sending, AReceiverCannotHaveWhatItWasNotSent) {
  ASSERT_TRUE(takes(Accept{}));
  EXPECT_FALSE(SendingRules(rules).receive(Summary{.stored = 3})) << "nothing was sent";
  EXPECT_FALSE(SendingRules(rules).receive(Summary{.unchanged = 3})) << "nothing was asked about";
  EXPECT_FALSE(SendingRules(rules).receive(Summary{.unchanged = 1})) << "two are not accounted for";
  EXPECT_TRUE(SendingRules(rules).receive(Summary{.unchanged = 1, .missing = 2, .reason = Missing::no_room}));
}
TEST_F(Sending, WhatWasSentInAnEarlierChannelMayBeStored) {
  ASSERT_TRUE(takes(Accept{}));
  for (const std::uint32_t index : {1U, 2U, 3U}) {
    ASSERT_TRUE(takes(Fetch{.index = index}));
    rules.answered_fetch(index);
  }
  rules.begin_again();
  EXPECT_FALSE(SendingRules(rules).receive(Fetch{.index = 1})) << "not accepted again";
  ASSERT_TRUE(takes(Accept{}));
  EXPECT_TRUE(takes(Summary{.stored = 3}));
}

class Receiving : public ::testing::Test {
 protected:
  ReceivingRules rules{kTree};
  Buffer bytes = Buffer(11);
  bool takes(const Message& message) { return rules.receive(message).has_value(); }
  Data data(std::size_t size) { return {Bytes(bytes).first(size)}; }
};

TEST_F(Receiving, AnswersInTheirOrder) {
  ASSERT_TRUE(rules.asked({.index = 1, .length = 4}));
  ASSERT_TRUE(rules.fetched({.index = 3, .offset = 0}));
  EXPECT_TRUE(takes(Prefix{.index = 1}));
  ASSERT_TRUE(rules.fetched({.index = 1, .offset = 4}));
  EXPECT_TRUE(takes(data(5)));
  EXPECT_TRUE(takes(End{.index = 3}));
  EXPECT_TRUE(takes(Hole{6}));
  EXPECT_TRUE(takes(End{.index = 1}));
  EXPECT_EQ(rules.open(), 0U);
  EXPECT_FALSE(takes(data(1))) << "nothing is due";
}
TEST_F(Receiving, ASizeThatLies) {
  ASSERT_TRUE(rules.fetched({.index = 1, .offset = 4}));
  EXPECT_FALSE(takes(data(7)));
}
TEST_F(Receiving, AHoleThatLies) {
  ASSERT_TRUE(rules.fetched({.index = 1, .offset = 0}));
  ASSERT_TRUE(takes(data(1)));
  EXPECT_FALSE(takes(Hole{10}));
}
TEST_F(Receiving, AnEndThatComesEarly) {
  ASSERT_TRUE(rules.fetched({.index = 1, .offset = 0}));
  ASSERT_TRUE(takes(data(9)));
  EXPECT_FALSE(takes(End{.index = 1}));
}
TEST_F(Receiving, AnotherFilesAnswer) {
  ASSERT_TRUE(rules.asked({.index = 1, .length = 1}));
  EXPECT_FALSE(takes(Prefix{.index = 3}));
}
TEST_F(Receiving, DataThatWasNotAskedFor) {
  ASSERT_TRUE(rules.asked({.index = 1, .length = 1}));
  EXPECT_FALSE(takes(data(1)));
}
TEST_F(Receiving, AHashWhereBytesAreDue) {
  ASSERT_TRUE(rules.fetched({.index = 1, .offset = 0}));
  EXPECT_FALSE(takes(Prefix{.index = 1}));
}

}  // namespace
}  // namespace pake::files
