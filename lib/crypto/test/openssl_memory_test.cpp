// What OpenSSL leaves on the heap, once it has been told to wipe. A program of its own: the choice is the process's,
// and comes before anything else.
#include "pake/crypto/openssl_memory.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <tuple>

#include "pake/crypto/group.h"
#include "pake/testing/fixed_rng.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAKE_ADDRESS_SANITIZER
#endif
#endif

namespace pake::crypto {
namespace {

bool taken = false;

TEST(OpenSslMemory, TheChoiceIsTaken) { EXPECT_TRUE(taken); }

TEST(OpenSslMemory, BlocksGrowAndShrink) {
  auto* block = static_cast<std::uint8_t*>(OPENSSL_malloc(16));
  for (std::size_t i = 0; i < 16; ++i) block[i] = static_cast<std::uint8_t>(i);
  for (const std::size_t size : {100U, 5000U, 16U}) {
    block = static_cast<std::uint8_t*>(OPENSSL_realloc(block, size));
    for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(block[i], i);
  }
  OPENSSL_free(block);
  EXPECT_EQ(OPENSSL_realloc(OPENSSL_malloc(1), 0), nullptr);
}

#ifdef PAKE_ADDRESS_SANITIZER

TEST(OpenSslMemory, IsSearched) { GTEST_SKIP() << "AddressSanitizer's heap is not glibc's; the gcc preset runs this"; }

#else

/// How many of the secret's eight-byte pieces glibc's heap holds, in either order of bytes.
std::size_t pieces_on_heap(Bytes secret) {
  std::ifstream maps("/proc/self/maps");
  std::size_t found = 0, heaps = 0;
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with("[heap]")) continue;
    ++heaps;
    const auto from = std::stoull(line, nullptr, 16), to = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    const Bytes heap(reinterpret_cast<const std::uint8_t*>(from), to - from);  // NOLINT(performance-no-int-to-ptr)
    for (std::size_t at = 0; at + 8 <= secret.size(); at += 8) {
      std::array<std::uint8_t, 8> piece{};
      std::ranges::copy(secret.subspan(at, 8), piece.begin());
      for (int order = 0; order < 2; ++order, std::ranges::reverse(piece))
        found += std::ranges::search(heap, piece).empty() ? 0U : 1U;
    }
  }
  EXPECT_GT(heaps, 0U);
  return found;
}

TEST(OpenSslMemory, NoScalarIsLeft) {
  for (const auto id : {GroupId::p256, GroupId::p521}) {
    const auto& group = Group::get(id);
    testing::SeededRng rng(11);
    const auto k = group.random_scalar(rng).value();
    const auto element = group.multiply_generator(group.random_scalar(rng).value()).value();
    std::ignore = group.multiply(k, element);
    EXPECT_EQ(pieces_on_heap(k.reveal()), 0U) << static_cast<int>(id);
    std::ignore = group.multiply_generator(k);
    EXPECT_EQ(pieces_on_heap(k.reveal()), 0U) << static_cast<int>(id);
  }
}

TEST(OpenSslMemory, ItIsTheRightPlaceToLook) {
  Buffer secret(4096);
  testing::SeededRng(12).fill(secret);
  EXPECT_GT(pieces_on_heap(Bytes(secret).first(64)), 0U);
}

#endif

}  // namespace
}  // namespace pake::crypto

int main(int argc, char** argv) {
  pake::crypto::taken = std::getenv("PAKE_LEAVE_FREED") == nullptr &&  // NOLINT(concurrency-mt-unsafe)
                        pake::crypto::wipe_memory_that_openssl_frees();
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
