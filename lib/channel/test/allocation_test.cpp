// What the channel takes from the heap, and when.
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <string>
#include <vector>

#include "pake/channel/channel.h"
#include "pake/channel/record.h"
#include "pake/testing/allocations.h"

namespace pake::channel {
namespace {

using testing::allocations;

TrafficKey some_key() {
  return TrafficKey::make([](MutableBytes out) { out[0] = 1; });
}

TEST(Allocation, ARecordTakesNothingFromTheHeap) {
  for (const auto aead : {AeadId::aes_256_gcm, AeadId::chacha20_poly1305}) {
    KeyCache cache;
    RecordSealer sealer(cache, aead, some_key());
    RecordOpener opener(cache, aead, some_key());
    std::array<std::uint8_t, kMaxRecordSize> record{};
    const auto pass_one = [&](std::size_t size) {
      const auto bytes = MutableBytes(record).first(size);
      ASSERT_TRUE(sealer.seal(FrameType::data, bytes));
      ASSERT_TRUE(opener.open(bytes));
    };
    const auto cold = allocations().calls;
    pass_one(21);
    EXPECT_GT(allocations().calls, cold) << "what counts nothing proves nothing";
    const auto warm = allocations().calls;
    for (const std::size_t size : {std::size_t{21}, std::size_t{1000}, kMaxRecordSize})
      for (int i = 0; i < 100; ++i) pass_one(size);
    EXPECT_EQ(allocations().calls, warm);
  }
}

ChannelKeys some_keys() {
  ChannelKeys keys;
  keys.client = some_key();
  keys.server = some_key();
  return keys;
}

/// Carries what there is, once each way, for applications that take everything as it comes.
void carry(Channel& from, Channel& to, MutableBytes buffer) {
  MutableBytes rest = buffer.first(from.produce(buffer, Instant{}));
  while (from.next_event()) continue;
  while (!rest.empty()) {
    rest = rest.subspan(to.receive(rest, {}).value());
    while (const auto event = to.next_event())
      if (const auto* readable = std::get_if<Readable>(&*event))
        to.consume(readable->stream, to.unread(readable->stream).size());
  }
}

TEST(Allocation, AStreamThatIsReadAsItComesTakesNothingFromTheHeap) {
  KeyCache cache;
  Channel client(some_keys(), Role::client, cache, {}), server(some_keys(), Role::server, cache, {});
  Buffer buffer(256 * 1024);
  const Buffer text(100'000'000, 't');
  const auto stream = client.open(as_bytes("echo"));
  ASSERT_TRUE(stream && client.write(*stream, text));
  carry(client, server, buffer);
  carry(server, client, buffer);
  const auto before = allocations().calls;
  while (!client.unsent(*stream).empty()) {
    carry(client, server, buffer);
    carry(server, client, buffer);
  }
  EXPECT_EQ(allocations().calls, before);
}

/// Bytes of the heap for each of 10,000 channels that have carried something and are idle now.
std::size_t size_of_an_idle_channel(bool keep_the_stream) {
  constexpr std::size_t kCount = 10'000;
  KeyCache cache;
  Buffer buffer(256 * 1024);
  const Buffer text(50'000, 't');
  Channel client(some_keys(), Role::client, cache, {}), server(some_keys(), Role::server, cache, {});
  std::vector<Channel> servers;
  servers.reserve(kCount);
  const auto use = [&] {
    const auto stream = client.open(as_bytes("echo"));
    EXPECT_TRUE(stream && client.write(*stream, text));
    while (client.wants_to_send() || server.wants_to_send()) {
      carry(client, server, buffer);
      carry(server, client, buffer);
    }
    EXPECT_TRUE(client.unsent(*stream).empty());
    if (keep_the_stream) return;
    client.release(*stream);
    server.release(*stream);
    carry(client, server, buffer);
    carry(server, client, buffer);
  };
  use();  // fills the cache, which every channel of a loop shares
  const auto before = allocations().bytes;
  for (std::size_t i = 0; i < kCount; ++i) {
    client = Channel(some_keys(), Role::client, cache, {});
    server = Channel(some_keys(), Role::server, cache, {});
    use();
    servers.push_back(std::move(server));
  }
  return (allocations().bytes - before) / kCount;
}

TEST(Allocation, AnIdleChannelTakesLessThanAKilobyte) {
  const auto without = size_of_an_idle_channel(false), with = size_of_an_idle_channel(true);
  std::cout << "an idle channel takes " << without << " bytes, one with an idle stream " << with << "\n";
  EXPECT_LE(without, 1024);
  EXPECT_LE(with, 1024);
}

}  // namespace
}  // namespace pake::channel
