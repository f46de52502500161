#include "pake/crypto/rng.h"

#include <gtest/gtest.h>

#include <array>

namespace pake::crypto {
namespace {

TEST(SystemRng, FillsTheWholeOfItsOutput) {
  SystemRng rng;
  std::array<std::uint8_t, 64> any{};
  for (int run = 0; run < 64; ++run) {  // a byte left alone would be zero in every run
    std::array<std::uint8_t, 64> bytes{};
    rng.fill(bytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) any[i] = static_cast<std::uint8_t>(any[i] | bytes[i]);
  }
  for (const auto byte : any) EXPECT_NE(byte, 0);
  rng.fill({});
}

}  // namespace
}  // namespace pake::crypto
