// Against OpenSSL's plain functions, which take other ways.
#include "pake/crypto/modular.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "pake/crypto/rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::hex;

struct FreeBn {
  void operator()(BIGNUM* bn) const { BN_free(bn); }
};
using Bn = std::unique_ptr<BIGNUM, FreeBn>;

Bn bn_of(Bytes bytes) { return Bn(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)); }
Buffer bytes_of(const Bn& bn, std::size_t size) {
  Buffer out(size);
  EXPECT_GE(BN_bn2binpad(bn.get(), out.data(), static_cast<int>(size)), 0);
  return out;
}
Buffer random_bytes(std::size_t size) {
  Buffer bytes(size);
  SystemRng().fill(bytes);
  return bytes;
}
/// RFC 3526's primes, as OpenSSL has them.
Buffer prime(int bits) {
  const Bn bn(bits == 1536   ? BN_get_rfc3526_prime_1536(nullptr)
              : bits == 2048 ? BN_get_rfc3526_prime_2048(nullptr)
              : bits == 4096 ? BN_get_rfc3526_prime_4096(nullptr)
                             : BN_get_rfc3526_prime_8192(nullptr));
  return bytes_of(bn, static_cast<std::size_t>(bits) / 8);
}

struct Reference {
  explicit Reference(Bytes modulus) : N(bn_of(modulus)), size(modulus.size()) {}
  ~Reference() { BN_CTX_free(context); }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  std::string apply(const std::function<int(BIGNUM*, BN_CTX*)>& function) const {
    const Bn out(BN_new());
    EXPECT_EQ(function(out.get(), context), 1);
    return hex(bytes_of(out, size));
  }
  Bn N;
  std::size_t size;
  BN_CTX* context = BN_CTX_new();
};

TEST(ModularGroup, AgreesWithPlainArithmetic) {
  for (const int bits : {1536, 2048, 4096, 8192}) {
    const auto modulus = prime(bits);
    const auto group = ModularGroup::make(modulus).value();
    ASSERT_EQ(group.size(), modulus.size());
    EXPECT_EQ(hex(group.modulus()), hex(modulus));
    const Reference reference(modulus);
    auto largest = modulus;
    --largest.back();
    std::vector<Buffer> operands = {{}, {1}, {2}, largest};
    for (int i = 0; i < 3; ++i) operands.push_back(to_buffer(group.reduce(random_bytes(modulus.size() + 9)).reveal()));
    for (const auto& left : operands) {
      for (const auto& right : operands) {
        const auto a = group.decode(left).value(), b = group.decode(right).value();
        const auto x = bn_of(left), y = bn_of(right);
        EXPECT_EQ(hex(group.add(a, b).reveal()), reference.apply([&](auto* out, auto* context) {
          return BN_mod_add(out, x.get(), y.get(), reference.N.get(), context);
        }));
        EXPECT_EQ(hex(group.subtract(a, b).reveal()), reference.apply([&](auto* out, auto* context) {
          return BN_mod_sub(out, x.get(), y.get(), reference.N.get(), context);
        }));
        EXPECT_EQ(hex(group.multiply(a, b).reveal()), reference.apply([&](auto* out, auto* context) {
          return BN_mod_mul(out, x.get(), y.get(), reference.N.get(), context);
        }));
      }
    }
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{8}, std::size_t{32}, std::size_t{33}, std::size_t{100}}) {
      const auto exponent = random_bytes(size);
      const auto e = bn_of(exponent);
      for (const auto& base : operands) {
        if (base.empty()) continue;
        const auto x = bn_of(base);
        EXPECT_EQ(hex(group.power(group.decode(base).value(), exponent).reveal()), reference.apply([&](auto* out,
                                                                                                       auto* context) {
          return BN_mod_exp(out, x.get(), e.get(), reference.N.get(), context);
        })) << bits
            << " " << size;
      }
    }
  }
}

TEST(ModularGroup, ZeroToAnyPowerIsZero) {
  const auto group = ModularGroup::make(prime(2048)).value();
  const auto zero = group.decode({}).value();
  EXPECT_TRUE(zero.is_zero());
  EXPECT_TRUE(group.power(zero, Buffer{5}).is_zero());
}

TEST(ModularGroup, DecodesWhatIsBelowTheModulusOnly) {
  const auto modulus = prime(2048);
  const auto group = ModularGroup::make(modulus).value();
  auto near = modulus;
  EXPECT_EQ(group.decode(near).error(), Errc::malformed);
  --near.back();
  EXPECT_TRUE(group.decode(near));
  near = modulus;
  near[40] = static_cast<std::uint8_t>(near[40] - 1);
  near.back() = 0xff;
  EXPECT_TRUE(group.decode(near));
  EXPECT_EQ(group.decode(Buffer(256, 0xff)).error(), Errc::malformed);
  EXPECT_EQ(group.decode(Buffer(257)).error(), Errc::malformed);
  EXPECT_EQ(hex(group.decode(Buffer{7}).value().reveal()), std::string(510, '0') + "07");
  EXPECT_TRUE(group.reduce(modulus).is_zero());
  EXPECT_EQ(hex(group.reduce({}).reveal()), std::string(512, '0'));
}

TEST(ModularGroup, RefusesModuliItCannotServe) {
  auto even = prime(2048);
  even.back() &= 0xfeU;
  for (const auto& bad : {Buffer(), Buffer{0}, Buffer{7}, Buffer(63, 0xff), Buffer(1025, 0xff), even})
    EXPECT_EQ(ModularGroup::make(bad).error(), Errc::malformed);
  auto padded = prime(2048);
  padded.insert(padded.begin(), 3, 0);
  EXPECT_EQ(ModularGroup::make(padded).value().size(), 256U);
}

TEST(ModularGroupDeathTest, AResidueOfAnotherGroupAborts) {
  const auto group = ModularGroup::make(prime(2048)).value();
  EXPECT_DEATH(std::ignore = group.power(Residue(), Buffer{1}), "");
  EXPECT_DEATH(std::ignore = group.add(Residue(), group.decode({}).value()), "");
}

TEST(MultiplyAdd, AgreesWithBignum) {
  auto* context = BN_CTX_new();
  for (int run = 0; run < 200; ++run) {
    const auto size = [&](int scale) { return static_cast<std::size_t>((run * scale) % 67); };
    const auto a = random_bytes(size(7)), b = random_bytes(size(11)),
               c = run % 5 == 0 ? Buffer(size(13), 0xff) : random_bytes(size(13));
    const auto x = bn_of(a), y = bn_of(b), z = bn_of(c);
    const Bn sum(BN_new());
    BN_mul(sum.get(), x.get(), y.get(), context);
    BN_add(sum.get(), sum.get(), z.get());
    const auto result = multiply_add(a, b, c);
    EXPECT_EQ(result.size(), std::max(a.size() + b.size(), c.size()) + 1);
    EXPECT_EQ(hex(result.reveal()), hex(bytes_of(sum, result.size())));
  }
  const auto full = multiply_add(Buffer(9, 0xff), Buffer(9, 0xff), Buffer(30, 0xff));
  EXPECT_EQ(full.reveal()[0], 1);
  BN_CTX_free(context);
}

}  // namespace
}  // namespace pake::crypto
