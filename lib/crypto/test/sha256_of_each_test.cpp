#include "pake/crypto/sha256_of_each.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "pake/crypto/hash.h"

namespace pake::crypto {
namespace {

Buffer bytes_of(std::size_t size) {
  Buffer bytes(size);
  std::uint32_t state = 1;
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>((state = state * 1'664'525U + 1'013'904'223U) >> 24U);
  return bytes;
}

Buffer one_by_one(Bytes bytes, std::size_t size) {
  Buffer hashes;
  for (; !bytes.empty(); bytes = bytes.subspan(size)) {
    const auto one = hash(HashId::sha256, {bytes.first(size)});
    hashes.insert(hashes.end(), one.reveal().begin(), one.reveal().end());
  }
  return hashes;
}

TEST(Sha256OfEach, IsSha256OfEach) {
  for (const std::size_t size : {1U, 55U, 56U, 64U, 1'000U, 16'384U}) {
    for (std::size_t count = 0; count <= 40; ++count) {
      const auto bytes = bytes_of(count * size);
      Buffer hashes(count * kSha256Size);
      sha256_of_each(bytes, size, hashes);
      EXPECT_EQ(hashes, one_by_one(bytes, size)) << count << " times " << size;
    }
  }
}

TEST(Sha256OfEach, EachThreadHasItsOwn) {
  const auto bytes = bytes_of(64UL * 1'024);
  const auto wanted = one_by_one(bytes, 1'024);
  std::vector<Buffer> found(4, Buffer(wanted.size()));
  {
    std::vector<std::jthread> threads;
    threads.reserve(found.size());
    for (auto& hashes : found)
      threads.emplace_back([&bytes, &hashes] {
        for (int i = 0; i < 20; ++i) sha256_of_each(bytes, 1'024, hashes);
      });
  }
  for (const auto& hashes : found) EXPECT_EQ(hashes, wanted);
}

}  // namespace
}  // namespace pake::crypto
