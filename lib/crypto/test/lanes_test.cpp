// Every implementation of the lanes against libsodium: random cases, each computed by libsodium once for all of them,
// and all edges. PAKE_LANES_CASES asks for more than is run each day.
#include "lanes/lanes.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "pake/crypto/backend.h"
#include "pake/crypto/group.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto::lanes {
namespace {

using testing::hex;
using testing::unhex;

struct Case {
  const char* name;
  const Backend* (*backend)() noexcept;
};

constexpr std::array kCases = {Case{"AVX2", avx2}, Case{"IFMA", avx512_ifma}, Case{"IFMA_wide", avx512_ifma_wide},
                               Case{"portable", portable}};

class AnyLanes : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_GE(sodium_init(), 0); }

  [[nodiscard]] static std::size_t cases() {
    const auto* const wanted = std::getenv("PAKE_LANES_CASES");  // NOLINT(concurrency-mt-unsafe): one thread
    return wanted == nullptr ? 200 : std::stoul(wanted);
  }

  struct Decoded {
    std::vector<Point> points;
    std::vector<std::uint64_t> valid;
  };
  [[nodiscard]] Decoded decode(const std::vector<Buffer>& encodings) const {
    Decoded decoded{.points = std::vector<Point>(encodings.size()),
                    .valid = std::vector<std::uint64_t>(encodings.size())};
    std::vector<const std::uint8_t*> in;
    in.reserve(encodings.size());
    for (const auto& encoding : encodings) in.push_back(encoding.data());
    backend_->decode(in.data(), in.size(), decoded.points.data(), decoded.valid.data());
    return decoded;
  }
  [[nodiscard]] std::vector<std::string> encode(const std::vector<Point>& points) const {
    std::vector<const Point*> in;
    in.reserve(points.size());
    for (const auto& point : points) in.push_back(&point);
    std::uint8_t out[kMostLanes][32] = {};
    backend_->encode(in.data(), in.size(), out);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < points.size(); ++i) texts.push_back(hex(out[i]));
    return texts;
  }
  [[nodiscard]] std::vector<std::string> multiply(const std::vector<Buffer>& scalars,
                                                  const std::vector<Point>& points) const {
    std::vector<const std::uint8_t*> in;
    std::vector<const Point*> at;
    for (std::size_t i = 0; i < points.size(); ++i) {
      in.push_back(scalars[i].data());
      at.push_back(&points[i]);
    }
    std::vector<Point> products(points.size());
    std::uint8_t out[kMostLanes][32] = {};
    backend_->multiply(in.data(), at.data(), points.size(), products.data(), out);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < points.size(); ++i) texts.push_back(hex(out[i]));
    EXPECT_EQ(encode(products), texts);  // coordinates and encoding are one point
    return texts;
  }

  static Buffer random_element(Rng& rng) {
    Buffer uniform(64), element(32);
    rng.fill(uniform);
    crypto_core_ristretto255_from_hash(element.data(), uniform.data());
    return element;
  }
  static Buffer random_scalar(Rng& rng) {
    Buffer uniform(64), scalar(32);
    rng.fill(uniform);
    crypto_core_ristretto255_scalar_reduce(scalar.data(), uniform.data());
    return scalar;
  }
  /// Zeros for the identity, which libsodium calls an error.
  static std::string product(const Buffer& scalar, const Buffer& element) {
    Buffer out(32);
    if (crypto_scalarmult_ristretto255(out.data(), scalar.data(), element.data()) != 0) return hex(Buffer(32));
    return hex(out);
  }
  static std::string product_of_generator(const Buffer& scalar) {
    Buffer out(32);
    static_cast<void>(crypto_scalarmult_ristretto255_base(out.data(), scalar.data()));
    return hex(out);
  }
  /// A scalar that is a small number, or the order and a small number.
  static Buffer near(const char* from, int difference) {
    auto bytes = unhex(from);
    bytes[0] = static_cast<std::uint8_t>(bytes[0] + difference);
    return bytes;
  }
  static std::vector<Buffer> edge_scalars() {
    constexpr const char* kOrder = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    const std::string zero(64, '0');
    std::vector<Buffer> scalars;
    for (const int small : {0, 1, 2, 7, 8, 9, 15, 16, 17, 0x88, 0x78, 0x87})
      scalars.push_back(near(zero.c_str(), small));
    for (const int difference : {-9, -8, -2, -1, 0, 1}) scalars.push_back(near(kOrder, difference));
    for (const unsigned pattern : {0x11U, 0x77U, 0x78U, 0x87U, 0x88U, 0x80U, 0x08U, 0x99U, 0xf0U, 0x0fU, 0xffU}) {
      Buffer bytes(32, static_cast<std::uint8_t>(pattern));  // every digit of the recoding, with and without a carry
      bytes[31] &= 0x0fU;
      scalars.push_back(bytes);
      bytes[31] |= 0x70U;  // up to 2^255 - 1: not reduced
      scalars.push_back(bytes);
    }
    for (std::size_t bit = 0; bit < 255; bit += 3) {
      Buffer bytes(32);
      bytes[bit / 8] = static_cast<std::uint8_t>(1U << bit % 8);
      scalars.push_back(bytes);
    }
    return scalars;
  }

  const Backend* backend_ = nullptr;
};

/// All that this processor has, in turn.
class AllLanes : public AnyLanes {
 protected:
  template <class Check>
  void with_each(const Check& check) {
    for (const auto& [name, backend] : kCases) {
      backend_ = backend();
      SCOPED_TRACE(name);
      if (backend_ != nullptr) ASSERT_NO_FATAL_FAILURE(check());
    }
  }
};

/// One of them.
class Lanes : public AnyLanes, public ::testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    AnyLanes::SetUp();
    backend_ = GetParam().backend();
    if (backend_ == nullptr) GTEST_SKIP() << "this processor has no " << GetParam().name;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, Lanes, ::testing::ValuesIn(kCases), [](const auto& test) { return test.param.name; });

// Batches of every size, and as many again that fill all lanes. A batch's elements are the products of those before.
TEST_F(AllLanes, AgreeWithLibsodiumAtRandom) {
  std::random_device device;
  const auto seed = (std::uint64_t{device()} << 32U) | device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  testing::SeededRng rng(seed);
  std::vector<Buffer> elements;
  while (elements.size() < kMostLanes) elements.push_back(random_element(rng));
  for (std::size_t run = 0, batch = 0; run < cases(); ++batch) {
    const auto count = std::min(1 + (batch % (2 * kMostLanes)), kMostLanes);
    run += count;
    const std::vector<Buffer> taken(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(count));
    std::vector<Buffer> scalars;
    std::vector<std::string> texts, products;
    for (std::size_t i = 0; i < count; ++i) {
      scalars.push_back(random_scalar(rng));
      texts.push_back(hex(taken[i]));
      products.push_back(product(scalars[i], taken[i]));
      elements[i] = unhex(products[i]);
    }
    const auto of_generator = product_of_generator(scalars[0]);
    Buffer uniform(64), mapped(32);
    rng.fill(uniform);
    crypto_core_ristretto255_from_hash(mapped.data(), uniform.data());

    ASSERT_NO_FATAL_FAILURE(with_each([&] {
      const auto decoded = decode(taken);
      for (const auto valid : decoded.valid) ASSERT_EQ(valid, ~std::uint64_t{0});
      ASSERT_EQ(encode(decoded.points), texts);
      ASSERT_EQ(multiply(scalars, decoded.points), products);

      Point point;
      std::uint8_t encoding[32];
      backend_->multiply_generator(scalars[0].data(), &point, encoding);
      ASSERT_EQ(hex(encoding), of_generator);
      ASSERT_EQ(encode({point})[0], of_generator);
      ASSERT_EQ(backend_->from_uniform(uniform.data(), &point), 0U);
      ASSERT_EQ(encode({point})[0], hex(mapped));
    }));
  }
}

TEST_F(AllLanes, DecodeWhatLibsodiumDecodes) {
  testing::SeededRng rng(5);
  std::size_t valid_ones = 0;
  for (std::size_t run = 0; run < cases(); run += kMostLanes) {
    std::vector<Buffer> encodings;
    std::vector<std::uint64_t> valid;
    for (std::size_t i = 0; i < kMostLanes; ++i) {
      Buffer bytes(32);
      rng.fill(bytes);
      bytes[31] &= 0x7fU;
      if (i != 0) bytes[0] &= 0xfeU;
      const bool is_valid = crypto_core_ristretto255_is_valid_point(bytes.data()) == 1;
      valid.push_back(is_valid ? ~std::uint64_t{0} : 0U);
      valid_ones += is_valid ? 1 : 0;
      encodings.push_back(bytes);
    }
    ASSERT_NO_FATAL_FAILURE(with_each([&] {
      const auto decoded = decode(encodings);
      ASSERT_EQ(decoded.valid, valid);
      const auto texts = encode(decoded.points);
      for (std::size_t i = 0; i < kMostLanes; ++i)
        if (valid[i] != 0) ASSERT_EQ(texts[i], hex(encodings[i]));
    }));
  }
  EXPECT_GT(valid_ones, 0U);
}

TEST_P(Lanes, EdgesOfEncodings) {
  const std::pair<const char*, bool> edges[] = {
      {"0000000000000000000000000000000000000000000000000000000000000000", true},   // the identity
      {"0000000000000000000000000000000000000000000000000000000000000080", false},  // bit 255
      {"0100000000000000000000000000000000000000000000000000000000000000", false},  // 1: negative
      {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},  // p - 1
      {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},  // p, another zero
      {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
      {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
      {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
      {"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76", true},   // the generator
      {"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2df6", false},  // with bit 255
      // RFC 9496, Appendix A.2: non-canonical, negative, and non-square x^2; negative xy; s = -1, which gives y = 0.
      {"00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
      {"f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
      {"ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20", false},
      {"c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562", false},
      {"26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371", false},
      {"4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f", false},
      {"3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e", false},
      {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false}};
  for (const auto& [text, valid] : edges) {
    for (std::size_t lane = 0; lane < kMostLanes; ++lane) {
      std::vector<Buffer> encodings(kMostLanes, unhex(edges[8].first));
      encodings[lane] = unhex(text);
      const auto decoded = decode(encodings);
      for (std::size_t i = 0; i < kMostLanes; ++i) {
        EXPECT_EQ(decoded.valid[i] != 0, i != lane || valid) << text << " in lane " << lane;
        if (decoded.valid[i] != 0) {
          EXPECT_EQ(encode({decoded.points[i]})[0], hex(encodings[i]));
        }
      }
    }
  }
}

TEST_P(Lanes, EdgesOfScalars) {
  testing::SeededRng rng(6);
  const Buffer identity(32);
  const auto element = random_element(rng);
  const auto points = decode({element, identity}).points;
  for (const auto& scalar : edge_scalars()) {
    EXPECT_EQ(multiply({scalar}, {points[0]})[0], product(scalar, element)) << hex(scalar);
    EXPECT_EQ(multiply({scalar}, {points[1]})[0], hex(identity)) << hex(scalar);
    Point point;
    std::uint8_t encoding[32];
    backend_->multiply_generator(scalar.data(), &point, encoding);
    EXPECT_EQ(hex(encoding), product_of_generator(scalar)) << hex(scalar);
  }
}

// An element is four points of edwards25519: whichever is computed with, the bytes are the same.
TEST_P(Lanes, TorsionDoesNotShow) {
  testing::SeededRng rng(7);
  const auto element = random_element(rng), scalar = random_scalar(rng);
  const auto P = decode({element}).points[0];
  // (x, y) + the point of order two = (-x, -y); in coordinates, Z and T stay.
  auto Q = P;
  const std::uint64_t two_p[5] = {2 * ((std::uint64_t{1} << 51) - 19), 2 * ((std::uint64_t{1} << 51) - 1),
                                  2 * ((std::uint64_t{1} << 51) - 1), 2 * ((std::uint64_t{1} << 51) - 1),
                                  2 * ((std::uint64_t{1} << 51) - 1)};
  for (const std::size_t c : {0U, 1U})
    for (std::size_t k = 0; k < 5; ++k) Q.coordinates[c][k] = two_p[k] - P.coordinates[c][k];
  EXPECT_EQ(encode({Q})[0], hex(element));
  EXPECT_EQ(multiply({scalar}, {Q})[0], product(scalar, element));
  // The point of order two itself, and the identity: both are encoded as zeros.
  Point torsion{};
  for (std::size_t k = 0; k < 5; ++k) torsion.coordinates[1][k] = two_p[k];  // y = -1 ...
  torsion.coordinates[1][0] -= 1;
  torsion.coordinates[2][0] = 1;
  EXPECT_EQ(encode({torsion})[0], hex(Buffer(32)));
  EXPECT_EQ(multiply({scalar}, {torsion})[0], hex(Buffer(32)));
}

TEST_P(Lanes, LimbsUpToTheirBoundAreTaken) {
  testing::SeededRng rng(8);
  const auto element = random_element(rng), scalar = random_scalar(rng);
  auto P = decode({element}).points[0];
  int raised = 0;
  for (auto& coordinate : P.coordinates) {  // + p, limb by limb: below 2^52 and no longer reduced
    constexpr auto kLow51 = (std::uint64_t{1} << 51U) - 1;
    if (std::ranges::any_of(coordinate, [](auto limb) { return limb > kLow51; })) continue;
    ++raised;
    coordinate[0] += kLow51 - 18;
    for (std::size_t k = 1; k < 5; ++k) coordinate[k] += kLow51;
  }
  EXPECT_GT(raised, 0);
  EXPECT_EQ(multiply({scalar}, {P})[0], product(scalar, element));
}

TEST_P(Lanes, LimbsAboveItAreAsserted) {
#ifdef NDEBUG
  GTEST_SKIP() << "bounds are asserted in debug builds";
#else
  testing::SeededRng rng(8);
  auto P = decode({random_element(rng)}).points[0];
  const Buffer scalar(32);
  for (std::size_t c = 0; c < 4; ++c) {
    const auto before = std::exchange(P.coordinates[c][c], std::uint64_t{1} << 52U);
    EXPECT_DEATH(static_cast<void>(multiply({scalar}, {P})), "");
    P.coordinates[c][c] = before;
  }
#endif
}

TEST(RistrettoBackend, CanBeChosenWhereItRuns) {
  const auto before = ristretto255_backend();
  EXPECT_EQ(before, avx512_ifma() != nullptr ? RistrettoBackend::avx512_ifma
                    : avx2() != nullptr      ? RistrettoBackend::avx2
                                             : RistrettoBackend::portable);
  const auto& group = Group::get(GroupId::ristretto255);
  testing::SeededRng rng(9);
  const auto k = group.random_scalar(rng).value();
  std::vector<Element> elements;
  std::vector<std::string> hashed;
  for (const auto backend : kRistrettoBackends) {
    if (!choose_ristretto255_backend(backend)) continue;
    EXPECT_EQ(ristretto255_backend(), backend);
    elements.push_back(group.hash_to_group({as_bytes("message")}, {as_bytes("tag")}).value());
  }
  std::string product, difference;
  for (const auto backend : kRistrettoBackends) {
    if (!choose_ristretto255_backend(backend)) continue;
    for (const auto& element : elements) {  // made by one, used by another
      const auto text =
          hex(group.encode(group.multiply(k, element).value()).reveal()) + hex(group.encode(element).reveal());
      const auto sum =
          hex(group.encode(group.sum({{&k, &element}, {nullptr, &element}, {&k, nullptr}}).value()).reveal());
      if (product.empty()) product = text;
      if (difference.empty()) difference = sum;
      EXPECT_EQ(text, product) << to_string(backend);
      EXPECT_EQ(sum, difference) << to_string(backend);
      EXPECT_EQ(group.subtract(element, element).error(), Errc::malformed);
    }
  }
  EXPECT_TRUE(choose_ristretto255_backend(before));
}

// More than any vector has lanes, with the generator in between: every member gets its own product.
TEST(RistrettoBackend, TakesBatchesOfAnySize) {
  const auto before = ristretto255_backend();
  const auto& group = Group::get(GroupId::ristretto255);
  testing::SeededRng rng(10);
  for (const auto backend : kRistrettoBackends) {
    if (!choose_ristretto255_backend(backend)) continue;
    for (std::size_t size = 1; size <= 2 * kMostLanes + 3; ++size) {
      std::vector<Buffer> encodings;
      std::vector<Decoding> decodings;
      for (std::size_t i = 0; i < size; ++i) {
        const auto bytes = group.encode(group.multiply_generator(group.random_scalar(rng).value()).value());
        encodings.push_back(to_buffer(bytes.reveal()));
      }
      for (const auto& encoding : encodings) decodings.push_back({.bytes = encoding});
      ASSERT_TRUE(group.decode(decodings));
      std::vector<Scalar> scalars;
      for (std::size_t i = 0; i < size; ++i) scalars.push_back(group.random_scalar(rng).value());
      std::vector<Multiplication> batch;
      for (std::size_t i = 0; i < size; ++i)
        batch.push_back({.scalar = &scalars[i], .element = i % 7 == 3 ? nullptr : &decodings[i].element});
      ASSERT_TRUE(group.multiply(batch));
      for (std::size_t i = 0; i < size; ++i) {
        Buffer expected(32);
        if (batch[i].element == nullptr)
          ASSERT_EQ(crypto_scalarmult_ristretto255_base(expected.data(), scalars[i].reveal().data()), 0);
        else
          ASSERT_EQ(crypto_scalarmult_ristretto255(expected.data(), scalars[i].reveal().data(), encodings[i].data()),
                    0);
        ASSERT_EQ(hex(group.encode(batch[i].result).reveal()), hex(expected)) << to_string(backend) << ", " << i;
      }
    }
  }
  EXPECT_TRUE(choose_ristretto255_backend(before));
}

}  // namespace
}  // namespace pake::crypto::lanes
