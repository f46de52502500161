// P-256 in lanes against OpenSSL: random cases and the edges of the digits. PAKE_LANES_CASES asks for more than is run
// each day.
#include "lanes/p256.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "openssl_curve.h"
#include "pake/crypto/backend.h"
#include "pake/crypto/fixed_point.h"
#include "pake/crypto/group.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto::lanes {
namespace {

using testing::hex;

constexpr auto kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

class P256InLanes : public ::testing::Test {
 protected:
  struct Term {
    Buffer scalar;  // empty: 1
    Buffer point;
    const P256Table* table = nullptr;
    std::size_t sum = 0;
  };

  void SetUp() override {
    if (lanes_ == nullptr) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
    generator_ = point_of(number(1));
  }

  [[nodiscard]] static Buffer number(unsigned small) {
    Buffer bytes(32);
    bytes[31] = static_cast<std::uint8_t>(small);
    bytes[30] = static_cast<std::uint8_t>(small >> 8U);
    return bytes;
  }
  /// The order less `below`.
  [[nodiscard]] static Buffer order_less(unsigned below) {
    auto bytes = testing::unhex(kOrder);
    for (std::size_t i = 32; i-- > 0 && below > 0;) {
      const unsigned digit = below & 0xffU;
      below = (below >> 8U) + (bytes[i] < digit ? 1 : 0);
      bytes[i] = static_cast<std::uint8_t>(bytes[i] - digit);
    }
    return bytes;
  }
  /// scalar * generator by OpenSSL.
  [[nodiscard]] static Buffer point_of(const Buffer& scalar) {
    Buffer xy(64);
    if (!openssl_multiply(GroupId::p256, {.generator_scalar = scalar, .scalar = {}, .point = {}}, xy)) xy.clear();
    return xy;
  }
  [[nodiscard]] static std::string product(const Buffer& scalar, const Buffer& point) {
    Buffer xy(64);
    if (!openssl_multiply(GroupId::p256, {.generator_scalar = {}, .scalar = scalar, .point = point}, xy))
      return "infinity";
    return hex(xy);
  }
  [[nodiscard]] std::vector<std::string> sums(const std::vector<Term>& terms, std::size_t count) const {
    std::vector<P256Term> in;
    for (const auto& term : terms)
      in.push_back({.scalar = term.scalar.empty() ? nullptr : term.scalar.data(),
                    .point = term.point.data(),
                    .table = term.table,
                    .sum = term.sum});
    std::uint8_t results[P256Lanes::kMaxSums][64];
    std::uint64_t finite[P256Lanes::kMaxSums];
    lanes_->sums(in.data(), in.size(), results, finite, count);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_zero = ct_is_zero(results[i]);
      EXPECT_EQ(finite[i], is_zero ? 0 : ~std::uint64_t{0});
      texts.push_back(is_zero ? "infinity" : hex(results[i]));
    }
    return texts;
  }
  /// Small scalars, the order less small ones, and every pattern of the digits with and without a sign.
  [[nodiscard]] static std::vector<Buffer> edges() {
    std::vector<Buffer> scalars;
    for (unsigned small = 0; small < 70; ++small) {
      scalars.push_back(number(small));
      scalars.push_back(order_less(small + 1));
    }
    for (const unsigned pattern : {0x11U, 0x55U, 0x77U, 0x7fU, 0x80U, 0x88U, 0xaaU, 0xeeU, 0xf0U, 0xfeU, 0xffU}) {
      Buffer bytes(32, static_cast<std::uint8_t>(pattern));
      bytes[0] &= 0x7fU;  // below the order
      scalars.push_back(bytes);
      bytes[31] ^= 1U;
      scalars.push_back(bytes);
    }
    for (std::size_t bit = 0; bit < 256; ++bit) {
      Buffer bytes(32);
      bytes[31 - bit / 8] = static_cast<std::uint8_t>(1U << bit % 8);
      scalars.push_back(bytes);
    }
    return scalars;
  }

  const P256Lanes* lanes_ = p256_avx512_ifma();
  Buffer generator_;
};

TEST_F(P256InLanes, MultiplyLikeOpenSSL) {
  const auto* const wanted = std::getenv("PAKE_LANES_CASES");  // NOLINT(concurrency-mt-unsafe): one thread
  const auto cases = wanted == nullptr ? 1000 : std::stoul(wanted);
  std::random_device device;
  const auto seed = (std::uint64_t{device()} << 32U) | device();
  SCOPED_TRACE("seed " + std::to_string(seed));
  testing::SeededRng rng(seed);
  const auto& group = Group::get(GroupId::p256);
  for (std::size_t run = 0; run < cases; run += P256Lanes::kMaxSums) {
    const auto count = 1 + run / P256Lanes::kMaxSums % P256Lanes::kMaxSums;
    std::vector<Term> terms;
    std::vector<std::string> products;
    for (std::size_t i = 0; i < count; ++i) {
      Term term{.scalar = to_buffer(group.random_scalar(rng).value().reveal()),
                .point = point_of(to_buffer(group.random_scalar(rng).value().reveal())),
                .sum = i};
      products.push_back(product(term.scalar, term.point));
      terms.push_back(std::move(term));
    }
    ASSERT_EQ(sums(terms, count), products);
  }
}

TEST_F(P256InLanes, MultiplyByEveryEdge) {
  const auto P = point_of(order_less(12345));
  auto* const table = lanes_->make_table(P.data());
  for (const auto& scalar : edges()) {
    const auto expected = product(scalar, P);
    EXPECT_EQ(
        sums({{.scalar = scalar, .point = P, .sum = 0}, {.scalar = scalar, .point = {}, .table = table, .sum = 1}}, 2),
        std::vector(2, expected))
        << hex(scalar);
  }
  lanes_->free_table(table);
}

// The terms of a sum may be equal, opposite, or cancel each other after they were added.
TEST_F(P256InLanes, AddWhateverTheTermsAre) {
  testing::SeededRng rng(4);
  const auto& group = Group::get(GroupId::p256);
  const auto k = to_buffer(group.random_scalar(rng).value().reveal());
  const auto minus_k = to_buffer(group.negate_scalar(group.decode_scalar(k).value()).reveal());
  const auto two_k =
      to_buffer(group.add_scalars(group.decode_scalar(k).value(), group.decode_scalar(k).value()).reveal());
  auto* const table = lanes_->make_table(generator_.data());
  const auto kG = point_of(k);
  const std::string infinity = "infinity";
  const std::vector<Term> ways = {
      {.scalar = k, .point = generator_}, {.scalar = k, .point = {}, .table = table}, {.scalar = {}, .point = kG}};
  const std::vector<Term> opposites = {{.scalar = minus_k, .point = generator_},
                                       {.scalar = minus_k, .point = {}, .table = table}};
  const Term nothing{.scalar = number(0), .point = generator_};
  for (const auto& way : ways) {
    for (const auto& other : ways) EXPECT_EQ(sums({way, other}, 1)[0], hex(point_of(two_k)));
    for (const auto& opposite : opposites) {
      EXPECT_EQ(sums({way, opposite}, 1)[0], infinity);
      EXPECT_EQ(sums({way, opposite, way}, 1)[0], hex(kG));
    }
    EXPECT_EQ(sums({way, nothing}, 1)[0], hex(kG));
    EXPECT_EQ(sums({nothing, nothing, way}, 1)[0], hex(kG));
  }
  EXPECT_EQ(sums({nothing, nothing}, 1)[0], infinity);
  lanes_->free_table(table);
}

// A full call: four sums of four terms, in any order of their numbers.
TEST_F(P256InLanes, KeepTheSumsApart) {
  std::vector<Term> terms;
  for (std::size_t i = 0; i < 16; ++i)
    terms.push_back({.scalar = number(static_cast<unsigned>(1U << i)), .point = generator_, .sum = 3 - i % 4});
  const auto texts = sums(terms, 4);
  for (unsigned sum = 0; sum < 4; ++sum) EXPECT_EQ(texts[sum], hex(point_of(number(0x1111U << (3 - sum)))));
}

// What one back end made is good for the other; a batch is larger than the lanes are; a table may be the other's.
TEST(P256Backends, GiveTheSame) {
  const auto before = p256_backend();
  EXPECT_EQ(before, p256_avx512_ifma() != nullptr ? P256Backend::avx512_ifma : P256Backend::openssl);
  constexpr std::array kBackends = {P256Backend::openssl, P256Backend::avx512_ifma};
  const auto& group = Group::get(GroupId::p256);
  testing::SeededRng rng(9);
  const auto k = group.random_scalar(rng).value(), w = group.random_scalar(rng).value();
  const auto minus_k = group.negate_scalar(k);
  const auto zero = group.reduce_scalar({}, std::endian::big);
  const auto P = group.multiply_generator(w).value();
  const auto text = [&](const Element& element) { return hex(group.encode(element).reveal()); };
  std::vector<FixedPoint> tables;
  for (const auto backend : kBackends)
    if (choose_p256_backend(backend)) tables.emplace_back(GroupId::p256, P);

  std::vector<std::string> first;
  for (const auto backend : kBackends) {
    if (!choose_p256_backend(backend)) continue;
    EXPECT_EQ(p256_backend(), backend);
    std::vector<std::string> texts;
    std::vector<Multiplication> batch;
    for (int i = 0; i < 3; ++i) {
      batch.push_back({.scalar = &k, .element = &P});
      batch.push_back({.scalar = &w, .element = nullptr});
    }
    ASSERT_TRUE(group.multiply(batch).has_value());
    for (const auto& product : batch) texts.push_back(text(product.result));
    batch[3].scalar = &zero;
    EXPECT_EQ(group.multiply(batch).error(), Errc::malformed);
    texts.push_back(text(batch[4].result));  // computed all the same

    texts.push_back(text(group.sum({{&k, &P}, {nullptr, nullptr}, {&w, nullptr}}).value()));
    texts.push_back(text(group.add(P, P).value()));
    EXPECT_EQ(group.subtract(P, P).error(), Errc::malformed);
    EXPECT_EQ(group.sum({{&k, &P}, {&minus_k, &P}}).error(), Errc::malformed);
    for (const auto& fixed : tables) {
      EXPECT_EQ(text(fixed.multiply(k).value()), texts[0]);
      EXPECT_EQ(fixed.multiply(zero).error(), Errc::malformed);
      const std::array<SumTerm, 3> terms = {{{.scalar = &k, .fixed = &fixed}, {.scalar = &w}, {.element = &P}}};
      const std::array<SumTerm, 2> nothing = {{{.scalar = &zero, .fixed = &fixed}, {.scalar = &zero, .fixed = &fixed}}};
      const std::array<SumTerm, 1> plain = {{{.fixed = &fixed}}};
      std::array<Sum, 5> sums = {
          {{.terms = terms}, {.terms = plain}, {.terms = terms}, {.terms = plain}, {.terms = terms}}};
      ASSERT_TRUE(sum(GroupId::p256, sums).has_value());
      EXPECT_EQ(text(sums[1].result), text(P));
      EXPECT_EQ(text(sums[4].result), text(sums[0].result));
      EXPECT_EQ(text(sums[0].result), text(group.sum({{&k, &P}, {&w, nullptr}, {nullptr, &P}}).value()));
      texts.push_back(text(sums[0].result));
      sums[2].terms = nothing;
      EXPECT_EQ(sum(GroupId::p256, sums).error(), Errc::malformed);
    }
    if (first.empty()) first = texts;
    EXPECT_EQ(texts, first) << to_string(backend);
  }
  EXPECT_TRUE(choose_p256_backend(before));
}

}  // namespace
}  // namespace pake::crypto::lanes
