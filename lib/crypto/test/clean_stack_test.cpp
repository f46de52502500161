// What our arithmetic leaves on the stack. Each operation runs on a thread whose stack is this program's own memory,
// which is searched afterwards.
#include "clean_stack.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <vector>

#include "moduli.h"
#include "pake/crypto/group.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/x25519.h"
#include "pake/testing/fixed_rng.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAKE_ADDRESS_SANITIZER
#endif
#endif

namespace pake::crypto {
namespace {

#ifdef PAKE_ADDRESS_SANITIZER

TEST(CleanStack, IsSearched) {
  GTEST_SKIP() << "AddressSanitizer makes copies of locals that nobody can wipe; the gcc preset runs this";
}

#else

constexpr std::size_t kStackSize = std::size_t{1} << 20U;

struct Run {
  const std::function<void()>* use;
  const std::uint8_t* stack;
  Buffer found = Buffer(kStackSize);
};

/// Copies what lies below the caller's frame. On the thread itself: its end may give the pages back.
[[gnu::noinline]] void copy_stack(Run& run) {
  const auto* const frame = static_cast<const std::uint8_t*>(__builtin_frame_address(0));
  const volatile auto* const from = run.stack;
  auto* const to = run.found.data();
  for (std::ptrdiff_t i = 0; i < frame - run.stack; ++i) to[i] = from[i];
}

/// Runs `use` on a stack of zeros and returns what is on it when it has returned.
Buffer stack_after(const std::function<void()>& use) {
  auto* const memory = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  EXPECT_NE(memory, MAP_FAILED);
  Run run{.use = &use, .stack = static_cast<const std::uint8_t*>(memory)};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  EXPECT_EQ(pthread_attr_setstack(&attributes, memory, kStackSize), 0);
  pthread_t thread{};
  const auto start = [](void* argument) -> void* {
    auto& on = *static_cast<Run*>(argument);
    (*on.use)();
    copy_stack(on);
    return nullptr;
  };
  EXPECT_EQ(pthread_create(&thread, &attributes, start, &run), 0);
  EXPECT_EQ(pthread_join(thread, nullptr), 0);
  pthread_attr_destroy(&attributes);
  munmap(memory, kStackSize);
  return std::move(run.found);
}

/// How many of the secret's eight-byte pieces the stack holds, in either order of bytes, at any address.
std::size_t pieces_on(const Buffer& stack, Bytes secret) {
  std::size_t found = 0;
  for (std::size_t at = 0; at + 8 <= secret.size(); at += 8) {
    Buffer piece(secret.begin() + static_cast<std::ptrdiff_t>(at),
                 secret.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    for (int order = 0; order < 2; ++order, std::ranges::reverse(piece))
      found += std::ranges::search(stack, piece).empty() ? 0U : 1U;
  }
  return found;
}

class CleanStack : public ::testing::TestWithParam<GroupId> {
 protected:
  CleanStack() : group_(Group::get(GetParam())) {
    testing::SeededRng rng(7);
    k_ = group_.random_scalar(rng).value();
    inverse_ = group_.invert(k_);
    point_ = group_.multiply_generator(group_.random_scalar(rng).value()).value();
    product_ = group_.multiply(k_, point_).value();
  }
  const Group& group_;
  Scalar k_, inverse_;
  Element point_, product_;
};

INSTANTIATE_TEST_SUITE_P(All, CleanStack,
                         ::testing::Values(GroupId::ristretto255, GroupId::p256, GroupId::p384, GroupId::p521));

// Were it wrong to look there, this would find nothing either.
TEST(CleanStack, ItIsTheRightPlaceToLook) {
  Buffer bytes(32);
  testing::SeededRng(3).fill(bytes);
  Limbs<4> limbs{};
  const auto stack = stack_after([&] {
    [[maybe_unused]] volatile std::uint64_t spilled[4];
    for (std::size_t i = 0; i < 4; ++i) {
      std::memcpy(&limbs[i], &bytes[8 * i], 8);
      spilled[i] = limbs[i];
    }
  });
  EXPECT_GT(pieces_on(stack, bytes), 0U);
}

TEST_P(CleanStack, NoScalarIsLeft) {
  const auto stack = stack_after([&] {
    testing::SeededRng rng(7);
    const auto k = group_.random_scalar(rng).value();
    std::ignore = group_.invert(k);
    std::ignore = group_.decode_scalar(k.reveal());
  });
  EXPECT_EQ(pieces_on(stack, k_.reveal()), 0U);
  EXPECT_EQ(pieces_on(stack, inverse_.reveal()), 0U);
}

TEST_P(CleanStack, NoHashedScalarIsLeft) {
  const auto message = as_bytes("correct horse"), dst = as_bytes("DST");
  const auto scalar = group_.hash_to_scalar({message}, {dst});
  const auto stack = stack_after([&] { std::ignore = group_.hash_to_scalar({message}, {dst}); });
  EXPECT_EQ(pieces_on(stack, scalar.reveal()), 0U);
}

TEST_P(CleanStack, NoHashedElementIsLeft) {
  const auto message = as_bytes("correct horse"), dst = as_bytes("DST");
  const auto element = group_.encode(group_.hash_to_group({message}, {dst}).value());
  const auto stack = stack_after([&] { std::ignore = group_.hash_to_group({message}, {dst}); });
  EXPECT_EQ(pieces_on(stack, element.reveal().last(32)), 0U);
}

TEST_P(CleanStack, NoProductIsLeft) {
  const auto product = group_.encode(product_);
  const auto stack = stack_after([&] { std::ignore = group_.multiply(k_, point_); });
  EXPECT_EQ(pieces_on(stack, k_.reveal()), 0U);
  EXPECT_EQ(pieces_on(stack, product.reveal().last(32)), 0U);
}

// Eight at once, which take the most room.
TEST_P(CleanStack, NoProductOfABatchIsLeft) {
  const auto product = group_.encode(product_);
  const auto encoded = group_.encode(point_);
  const auto stack = stack_after([&] {
    std::array<Multiplication, 8> products{};
    for (auto& member : products) member = {.scalar = &k_, .element = &point_};
    std::ignore = group_.multiply(products);
    std::array<Decoding, 8> points{};
    for (auto& member : points) member.bytes = encoded.reveal();
    std::ignore = group_.decode(points);
  });
  EXPECT_EQ(pieces_on(stack, k_.reveal()), 0U);
  EXPECT_EQ(pieces_on(stack, product.reveal().last(32)), 0U);
  EXPECT_EQ(pieces_on(stack, encoded.reveal().last(32)), 0U);
}

// In one batch, which on P-256 the lanes compute.
TEST_P(CleanStack, NothingOfABatchIsLeft) {
  const auto product = group_.encode(product_);
  const auto of_generator = group_.encode(group_.multiply_generator(k_).value());
  const auto stack = stack_after([&] {
    std::array<Multiplication, 3> batch = {{{.scalar = &k_, .element = &point_},
                                            {.scalar = &inverse_, .element = &point_},
                                            {.scalar = &k_, .element = nullptr}}};
    std::ignore = group_.multiply(batch);
  });
  EXPECT_EQ(pieces_on(stack, k_.reveal()), 0U);
  EXPECT_EQ(pieces_on(stack, inverse_.reveal()), 0U);
  EXPECT_EQ(pieces_on(stack, product.reveal().last(32)), 0U);
  EXPECT_EQ(pieces_on(stack, of_generator.reveal().last(32)), 0U);
}

TEST(CleanStack, NoGeneratorOfCurve25519IsLeft) {
  const auto uniform = hash(HashId::sha512, {as_bytes("correct horse")});
  const auto bytes = uniform.reveal().first<kX25519Size>();
  const auto u = curve25519_elligator2(bytes);
  const auto stack = stack_after([&] { std::ignore = curve25519_elligator2(bytes); });
  EXPECT_EQ(pieces_on(stack, bytes), 0U);
  EXPECT_EQ(pieces_on(stack, u.reveal()), 0U);
}

#endif

}  // namespace
}  // namespace pake::crypto
