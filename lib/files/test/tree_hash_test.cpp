#include "pake/files/tree_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pake/testing/hex.h"

namespace pake::files {
namespace {

using testing::hex;

Buffer counting(std::size_t size) {
  Buffer bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  return bytes;
}

// By Python's hashlib: sha256(b"".join(sha256(data[i:i + 16384]).digest() for i in range(0, len(data), 16384)) +
// struct.pack(">Q", len(data))).
TEST(TreeHash, IsTheOneOfThePage) {
  const std::vector<std::pair<std::size_t, std::string>> known = {
      {0, "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc"},
      {3, "cc564b834374857c332dcced4bd6d646203c293e30dcd4ea7724ed946e5ea86f"},
      {16'384, "8e4da2946f9222577f55d4fc1e671cddb78f2768ed256b05382c9e98a15d8aa0"},
      {16'385, "9aae63e3eabd8b7a11790e3ef0bd0903adc3b7b17b4e0dd6b68e963341a8a72f"},
      {100'000, "4d51ee4241760fb04ca0a5c29754e6deeda0cd58e83561b034a5766f01926370"}};
  for (const auto& [size, hash] : known) EXPECT_EQ(hex(TreeHash().update(counting(size)).hash()), hash) << size;
}

TEST(TreeHash, IsTheSameInWhateverPieces) {
  const auto bytes = counting(3'000'000);
  const auto whole = TreeHash().update(bytes).hash();
  for (const std::size_t size : {1'000U, 16'383U, 16'384U, 16'385U, 262'144U, 1'100'000U}) {
    TreeHash hash;
    for (Bytes left = bytes; !left.empty(); left = left.subspan(std::min(size, left.size())))
      hash.update(left.first(std::min(size, left.size())));
    EXPECT_EQ(hash.hash(), whole) << size;
  }
}

TEST(TreeHash, TakesZerosAsItTakesBytes) {
  for (const std::size_t before : {0U, 1U, 16'384U}) {
    for (const std::size_t zeros : {1U, 16'383U, 16'384U, 50'000U}) {
      auto plain = counting(before);
      plain.resize(before + zeros);
      plain.push_back(1);
      const auto hash = TreeHash().update(counting(before)).update_zeros(zeros).update(Buffer{1}).hash();
      EXPECT_EQ(hash, TreeHash().update(plain).hash()) << before << ' ' << zeros;
    }
  }
}

TEST(TreeHash, GoesOnAfterAHashAndFromACopy) {
  TreeHash running;
  running.update(as_bytes("a"));
  auto copy = running;
  static_cast<void>(running.hash());
  EXPECT_EQ(running.update(as_bytes("bc")).hash(), TreeHash().update(as_bytes("abc")).hash());
  EXPECT_EQ(copy.update(as_bytes("bd")).hash(), TreeHash().update(as_bytes("abd")).hash());
}

}  // namespace
}  // namespace pake::files
