// The field against OpenSSL's BIGNUM, modulus by modulus.
#include "field.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <memory>
#include <vector>

#include "moduli.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

struct FreeBn {
  void operator()(BIGNUM* bn) const { BN_free(bn); }
};
using Bn = std::unique_ptr<BIGNUM, FreeBn>;

Bn bn_of(Bytes big_endian) { return Bn(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr)); }
Bn bn_of(std::uint64_t word) {
  Bn bn(BN_new());
  BN_set_word(bn.get(), word);
  return bn;
}

template <class Modulus>
class Field : public ::testing::Test {
 protected:
  using Number = Fe<Modulus>;

  Field() : context_(BN_CTX_new()), p_(bn_of(0)) {
    for (std::size_t i = Number::kLimbs; i-- > 0;) {
      BN_lshift(p_.get(), p_.get(), 64);
      BN_add_word(p_.get(), Number::kModulus[i]);
    }
    // Edges: 0, 1, 2, p - 1, p - 2, (p - 1) / 2, (p + 1) / 2, every power of two, all ones below one.
    for (const std::uint64_t small : {0U, 1U, 2U}) operands_.push_back(bn_of(small));
    for (std::uint64_t below = 1; below <= 2; ++below) {
      operands_.emplace_back(BN_dup(p_.get()));
      BN_sub_word(operands_.back().get(), below);
    }
    for (int up = 0; up < 2; ++up) {
      operands_.emplace_back(BN_dup(p_.get()));
      BN_rshift1(operands_.back().get(), operands_.back().get());
      BN_add_word(operands_.back().get(), static_cast<BN_ULONG>(up));
    }
    for (int bit = 63; bit < BN_num_bits(p_.get()) - 1; bit += 32) {
      operands_.push_back(bn_of(1));
      BN_lshift(operands_.back().get(), operands_.back().get(), bit);
      operands_.emplace_back(BN_dup(operands_.back().get()));
      BN_sub_word(operands_.back().get(), 1);
    }
    testing::SeededRng rng(Number::kSize);
    for (int i = 0; i < 60; ++i) operands_.push_back(random(rng));
  }
  ~Field() override { BN_CTX_free(context_); }

  Bn random(Rng& rng) {
    Buffer bytes(Number::kSize + 16);
    rng.fill(bytes);
    auto bn = bn_of(bytes);
    BN_nnmod(bn.get(), bn.get(), p_.get(), context_);
    return bn;
  }
  Buffer bytes(const Bn& bn, std::endian order = std::endian::big) {
    Buffer out(Number::kSize);
    if (order == std::endian::big)
      BN_bn2binpad(bn.get(), out.data(), static_cast<int>(out.size()));
    else
      BN_bn2lebinpad(bn.get(), out.data(), static_cast<int>(out.size()));
    return out;
  }
  Number fe(const Bn& bn) {
    Number out;
    EXPECT_EQ(Number::decode(std::span<const std::uint8_t, Number::kSize>(bytes(bn)), std::endian::big, out), ~Mask{0});
    return out;
  }
  void expect(const Number& got, const Bn& want, const char* what) {
    Buffer encoded(Number::kSize);
    got.encode(std::span<std::uint8_t, Number::kSize>(encoded), std::endian::big);
    ASSERT_EQ(testing::hex(encoded), testing::hex(bytes(want))) << what;
  }

  BN_CTX* context_;
  Bn p_;
  std::vector<Bn> operands_;
};

using Moduli = ::testing::Types<Curve25519Prime, Ristretto255Order, P256Prime, P256Order, P384Prime, P384Order,
                                P521Prime, P521Order>;
TYPED_TEST_SUITE(Field, Moduli);

TYPED_TEST(Field, AddsSubtractsAndMultipliesLikeBignum) {
  for (const auto& a : this->operands_)
    for (const auto& b : this->operands_) {
      const auto x = this->fe(a), y = this->fe(b);
      auto want = bn_of(0);
      BN_mod_add(want.get(), a.get(), b.get(), this->p_.get(), this->context_);
      this->expect(x + y, want, "+");
      BN_mod_sub(want.get(), a.get(), b.get(), this->p_.get(), this->context_);
      this->expect(x - y, want, "-");
      BN_mod_mul(want.get(), a.get(), b.get(), this->p_.get(), this->context_);
      this->expect(x * y, want, "*");
      EXPECT_EQ(equal(x, y), BN_cmp(a.get(), b.get()) == 0 ? ~Mask{0} : 0);
    }
}

TYPED_TEST(Field, InvertsNegatesSquaresAndKnowsZeroAndOdd) {
  using F = typename TestFixture::Number;
  for (const auto& a : this->operands_) {
    const auto x = this->fe(a);
    auto want = bn_of(0);
    if (!BN_is_zero(a.get())) BN_mod_inverse(want.get(), a.get(), this->p_.get(), this->context_);
    this->expect(x.invert(), want, "1/");
    BN_mod_sqr(want.get(), a.get(), this->p_.get(), this->context_);
    this->expect(x.square(), want, "^2");
    BN_mod_sub(want.get(), bn_of(0).get(), a.get(), this->p_.get(), this->context_);
    this->expect(-x, want, "-");
    this->expect(x.negate_if(~Mask{0}), want, "negate_if(true)");
    this->expect(x.negate_if(0), a, "negate_if(false)");
    this->expect(F::select(~Mask{0}, x, F(7)), a, "select(true)");
    this->expect(F::select(0, F(7), x), a, "select(false)");
    EXPECT_EQ(x.is_zero(), BN_is_zero(a.get()) != 0 ? ~Mask{0} : 0);
    EXPECT_EQ(x.is_odd(), BN_is_odd(a.get()) != 0 ? ~Mask{0} : 0);
  }
}

TYPED_TEST(Field, RaisesToPublicPowers) {
  using F = typename TestFixture::Number;
  testing::SeededRng rng(7);
  for (int run = 0; run < 20; ++run) {
    const auto base = this->random(rng), exponent = this->random(rng);
    Buffer little(8 * F::kLimbs);
    BN_bn2lebinpad(exponent.get(), little.data(), static_cast<int>(little.size()));
    Limbs<F::kLimbs> limbs{};
    for (std::size_t i = 0; i < little.size(); ++i) limbs[i / 8] |= std::uint64_t{little[i]} << (8 * (i % 8));
    auto want = bn_of(0);
    BN_mod_exp(want.get(), base.get(), exponent.get(), this->p_.get(), this->context_);
    this->expect(this->fe(base).pow_public(limbs), want, "pow");
  }
  this->expect(F().pow_public({}), bn_of(1), "0^0");
}

TYPED_TEST(Field, DecodesOnlyWhatIsBelowTheModulus) {
  using F = typename TestFixture::Number;
  for (const auto order : {std::endian::big, std::endian::little})
    for (int above = -2; above <= 2; ++above) {
      Bn value(BN_dup(this->p_.get()));
      above < 0 ? BN_sub_word(value.get(), static_cast<BN_ULONG>(-above))
                : BN_add_word(value.get(), static_cast<BN_ULONG>(above));
      const auto encoded = this->bytes(value, order);
      F out;
      EXPECT_EQ(F::decode(std::span<const std::uint8_t, F::kSize>(encoded), order, out), above < 0 ? ~Mask{0} : 0);
      Buffer again(F::kSize);
      out.encode(std::span<std::uint8_t, F::kSize>(again), order);
      if (above < 0) {
        EXPECT_EQ(again, encoded);
      }
    }
  const Buffer ones(F::kSize, 0xff);
  F out;
  EXPECT_EQ(F::decode(std::span<const std::uint8_t, F::kSize>(ones), std::endian::big, out), Mask{0});
}

TYPED_TEST(Field, ReducesTwiceItsWidth) {
  using F = typename TestFixture::Number;
  testing::SeededRng rng(11);
  for (std::size_t size = 0; size <= 16 * F::kLimbs; ++size)
    for (const bool ones : {false, true}) {
      Buffer wide(size, 0xff);
      if (!ones) rng.fill(wide);
      auto want = bn_of(wide);
      BN_nnmod(want.get(), want.get(), this->p_.get(), this->context_);
      this->expect(F::reduce(wide, std::endian::big), want, "reduce, big-endian");
      this->expect(F::reduce(Buffer(wide.rbegin(), wide.rend()), std::endian::little), want, "reduce, little-endian");
    }
}

}  // namespace
}  // namespace pake::crypto
