#include "pake/crypto/group.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <string>
#include <tuple>

#include "pake/crypto/rng.h"
#include "pake/crypto/xmd.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"

namespace pake::crypto {
namespace {

using testing::FixedRng;
using testing::hex;
using testing::unhex;

struct Figures {
  GroupId id;
  const char* order;      // as the group serialises it
  const char* generator;  // SerializeElement
};

// RFC 9496, Appendix A.1; FIPS 186-4, Section D.1.2.
const Figures kFigures[] = {
    {GroupId::ristretto255, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"},
    {GroupId::p256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
     "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"},
    {GroupId::p384, "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
     "03aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"},
    {GroupId::p521,
     "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c4"
     "7aebb6fb71e91386409",
     "0200c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856"
     "a"
     "429bf97e7e31c2e5bd66"},
};

class GroupTest : public ::testing::TestWithParam<Figures> {
 protected:
  GroupTest() : group_(Group::get(GetParam().id)), order_(unhex(GetParam().order)) {}

  [[nodiscard]] bool little_endian() const { return group_.id() == GroupId::ristretto255; }
  /// order + difference, serialised.
  [[nodiscard]] Buffer near_order(int difference) const {
    auto bytes = order_;
    auto& low = little_endian() ? bytes.front() : bytes.back();
    low = static_cast<std::uint8_t>(low + difference);  // the low bytes are 51, 73, 09, ed: no carry for small ones
    return bytes;
  }
  [[nodiscard]] Scalar small(std::uint8_t value) const {
    Buffer bytes(group_.scalar_size());
    (little_endian() ? bytes.front() : bytes.back()) = value;
    return group_.decode_scalar(bytes).value();
  }
  [[nodiscard]] Scalar random_scalar() {
    SystemRng rng;
    return group_.random_scalar(rng).value();
  }
  [[nodiscard]] Element times_generator(const Scalar& k) const { return group_.multiply_generator(k).value(); }
  [[nodiscard]] std::string encoded(const Element& element) const { return hex(group_.encode(element).reveal()); }

  const Group& group_;
  Buffer order_;
};

std::string group_name(const ::testing::TestParamInfo<Figures>& info) {
  const char* names[] = {"ristretto255", "P256", "P384", "P521"};
  return names[static_cast<std::size_t>(info.param.id)];
}

INSTANTIATE_TEST_SUITE_P(All, GroupTest, ::testing::ValuesIn(kFigures), group_name);

TEST_P(GroupTest, SaysItsSizes) {
  EXPECT_EQ(group_.id(), GetParam().id);
  EXPECT_EQ(group_.scalar_size(), order_.size());
  EXPECT_EQ(group_.element_size(), unhex(GetParam().generator).size());
}

TEST_P(GroupTest, DecodesScalarsBelowTheOrderOnly) {
  EXPECT_TRUE(Group::is_zero(small(0)));
  EXPECT_FALSE(Group::is_zero(small(1)));
  const auto largest = group_.decode_scalar(near_order(-1));
  ASSERT_TRUE(largest);
  EXPECT_EQ(hex(largest->reveal()), hex(near_order(-1)));
  for (const int above : {0, 1, 2}) EXPECT_EQ(group_.decode_scalar(near_order(above)).error(), Errc::malformed);
  for (const std::size_t size : {std::size_t{0}, order_.size() - 1, order_.size() + 1})
    EXPECT_EQ(group_.decode_scalar(Buffer(size)).error(), Errc::malformed);
  EXPECT_EQ(group_.decode_scalar(Buffer(order_.size(), 0xff)).error(), Errc::malformed);
}

TEST_P(GroupTest, DrawsScalarsUntilOneIsInRange) {
  const Buffer zero(order_.size());
  auto wanted = near_order(-5);
  auto drawn = wanted;  // with every bit set that the order's length leaves free
  if (GetParam().id == GroupId::ristretto255) drawn.back() |= 0xe0;
  if (GetParam().id == GroupId::p521) drawn.front() |= 0xfe;
  Buffer bytes;
  for (const auto& part : {order_, zero, near_order(1), drawn}) bytes.insert(bytes.end(), part.begin(), part.end());
  FixedRng rng(bytes);
  EXPECT_EQ(hex(group_.random_scalar(rng).value().reveal()), hex(wanted));
  EXPECT_EQ(rng.remaining(), 0U);
}

TEST_P(GroupTest, ASourceThatIsStuckIsAnError) {
  for (const unsigned byte : {0x00U, 0xffU}) {
    testing::StuckRng rng(static_cast<std::uint8_t>(byte));
    EXPECT_EQ(group_.random_scalar(rng).error(), Errc::unavailable) << byte;
  }
}

TEST_P(GroupTest, InvertsScalars) {
  EXPECT_TRUE(Group::is_zero(group_.invert(small(0))));
  EXPECT_EQ(hex(group_.invert(small(1)).reveal()), hex(small(1).reveal()));
  EXPECT_EQ(hex(group_.invert(group_.decode_scalar(near_order(-1)).value()).reveal()), hex(near_order(-1)));
  for (int run = 0; run < 5; ++run) {
    const auto k = random_scalar();
    const auto back = group_.multiply(group_.invert(k), times_generator(k));
    EXPECT_EQ(encoded(back.value()), GetParam().generator);
  }
}

TEST_P(GroupTest, MultipliesTheGenerator) {
  const auto one = times_generator(small(1));
  EXPECT_EQ(encoded(one), GetParam().generator);
  EXPECT_EQ(encoded(group_.multiply(small(2), one).value()), encoded(times_generator(small(2))));
  const auto minus_one = times_generator(group_.decode_scalar(near_order(-1)).value());
  EXPECT_NE(encoded(minus_one), encoded(one));
  if (!little_endian()) {
    EXPECT_EQ(encoded(minus_one).substr(2), encoded(one).substr(2));
  }
}

TEST_P(GroupTest, MultiplicationCommutes) {
  for (int run = 0; run < 5; ++run) {
    const auto a = random_scalar(), b = random_scalar();
    EXPECT_EQ(encoded(group_.multiply(a, times_generator(b)).value()),
              encoded(group_.multiply(b, times_generator(a)).value()));
  }
}

TEST_P(GroupTest, ABatchIsItsProducts) {
  const auto a = random_scalar(), b = random_scalar();
  const auto A = times_generator(a);
  Multiplication batch[] = {{.scalar = &b, .element = &A},
                            {.scalar = &b, .element = nullptr},
                            {.scalar = &a, .element = nullptr},
                            {.scalar = &a, .element = &A}};
  ASSERT_TRUE(group_.multiply(batch));
  for (const auto& product : batch) {
    const auto single = product.element == nullptr ? group_.multiply_generator(*product.scalar)
                                                   : group_.multiply(*product.scalar, *product.element);
    EXPECT_EQ(encoded(product.result), encoded(single.value()));
  }
  EXPECT_TRUE(group_.multiply({}));
}

TEST_P(GroupTest, TheIdentityIsAnErrorAndTheRestOfTheBatchIsComputed) {
  const auto zero = small(0), two = small(2);
  const auto G = times_generator(small(1));
  EXPECT_EQ(group_.multiply_generator(zero).error(), Errc::malformed);
  EXPECT_EQ(group_.multiply(zero, G).error(), Errc::malformed);
  Multiplication batch[] = {{.scalar = &zero, .element = &G}, {.scalar = &two, .element = &G}};
  EXPECT_EQ(group_.multiply(batch).error(), Errc::malformed);
  EXPECT_EQ(encoded(batch[1].result), encoded(times_generator(two)));
}

TEST_P(GroupTest, DecodesWhatItEncodes) {
  for (int run = 0; run < 20; ++run) {  // both signs of y
    const auto text = encoded(times_generator(random_scalar()));
    const auto element = group_.decode(unhex(text));
    ASSERT_TRUE(element) << text;
    EXPECT_EQ(encoded(*element), text);
  }
}

TEST_P(GroupTest, RefusesWrongLengthsAndTheIdentity) {
  const auto generator = unhex(GetParam().generator);
  for (std::size_t size = 0; size < generator.size(); ++size) {
    EXPECT_EQ(group_.decode(Bytes(generator).first(size)).error(), Errc::malformed) << size;
    EXPECT_EQ(group_.decode(Buffer(size)).error(), Errc::malformed) << size;
  }
  auto longer = generator;
  longer.push_back(0);
  EXPECT_EQ(group_.decode(longer).error(), Errc::malformed);
  EXPECT_EQ(group_.decode(Buffer(generator.size())).error(), Errc::malformed);
  EXPECT_EQ(group_.decode(Buffer(generator.size(), 0xff)).error(), Errc::malformed);
}

// Every element has one spelling: a flipped bit gives another element or none.
TEST_P(GroupTest, NoFlippedBitIsAnotherSpelling) {
  const auto k = random_scalar(), one = small(1);
  const auto bytes = unhex(encoded(times_generator(k)));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << bit % 8));
    const auto element = group_.decode(flipped);
    if (!element) continue;
    EXPECT_EQ(encoded(*element), hex(flipped)) << "bit " << bit;
    EXPECT_EQ(encoded(group_.multiply(one, *element).value()), hex(flipped)) << "bit " << bit;
  }
}

TEST_P(GroupTest, HashesToTheGroupByMessageAndTag) {
  const auto hashed = [&](std::string_view message, std::string_view dst) {
    return encoded(group_.hash_to_group({as_bytes(message)}, {as_bytes(dst)}).value());
  };
  EXPECT_EQ(hashed("message", "tag"), hashed("message", "tag"));
  EXPECT_NE(hashed("message", "tag"), hashed("message", "gat"));
  EXPECT_NE(hashed("message", "tag"), hashed("massage", "tag"));
  EXPECT_TRUE(group_.decode(unhex(hashed("message", "tag"))));
  const auto parts = group_.hash_to_group({as_bytes("mess"), as_bytes("age")}, {as_bytes("t"), as_bytes("ag")});
  EXPECT_EQ(encoded(parts.value()), hashed("message", "tag"));
}

TEST_P(GroupTest, HashesToScalars) {
  const auto hashed = [&](std::string_view message, std::string_view dst) {
    return hex(group_.hash_to_scalar({as_bytes(message)}, {as_bytes(dst)}).reveal());
  };
  EXPECT_TRUE(group_.decode_scalar(unhex(hashed("message", "tag"))));
  EXPECT_NE(hashed("message", "tag"), hashed("message", "gat"));
  EXPECT_NE(hashed("message", "tag"), hashed("massage", "tag"));
}

using GroupDeathTest = GroupTest;
INSTANTIATE_TEST_SUITE_P(All, GroupDeathTest, ::testing::ValuesIn(kFigures), group_name);

TEST_P(GroupDeathTest, AValueThatWasMovedFromAborts) {
  const auto one = small(1);
  EXPECT_DEATH(std::ignore = group_.multiply_generator(Scalar()), "");
  EXPECT_DEATH(std::ignore = group_.multiply(one, Element()), "");
  EXPECT_DEATH(std::ignore = group_.invert(Scalar()), "");
  EXPECT_DEATH(std::ignore = group_.encode(Element()), "");
}

// --- ristretto255: our scalars against libsodium's.

TEST(Ristretto255, ScalarsAgreeWithLibsodium) {
  const auto& group = Group::get(GroupId::ristretto255);
  SystemRng rng;
  for (int run = 0; run < 50; ++run) {
    const auto k = group.random_scalar(rng).value();
    Buffer inverse(32);
    ASSERT_EQ(crypto_core_ristretto255_scalar_invert(inverse.data(), k.reveal().data()), 0);
    EXPECT_EQ(hex(group.invert(k).reveal()), hex(inverse));
  }
  Buffer uniform(64), reduced(32);
  const auto dst = as_bytes("DST"), message = as_bytes("message");
  expand_message_xmd(HashId::sha512, {message}, {dst}, uniform);
  crypto_core_ristretto255_scalar_reduce(reduced.data(), uniform.data());
  EXPECT_EQ(hex(group.hash_to_scalar({message}, {dst}).reveal()), hex(reduced));
}

// --- The NIST curves beyond Group.

class NistTest : public GroupTest {
 protected:
  [[nodiscard]] Buffer uncompressed() const {
    return to_buffer(nist_encode_uncompressed(group_.id(), times_generator(small(1))).reveal());
  }
  [[nodiscard]] bool decodes(const Buffer& bytes) const {
    return nist_decode_uncompressed(group_.id(), bytes).has_value();
  }
};
INSTANTIATE_TEST_SUITE_P(All, NistTest, ::testing::ValuesIn(kFigures + 1, kFigures + 4), group_name);

TEST_P(NistTest, OneTagForEachEncoding) {
  auto compressed = unhex(GetParam().generator);
  auto full = uncompressed();
  ASSERT_EQ(full.size(), 2 * order_.size() + 1);
  for (unsigned tag = 0; tag < 256; ++tag) {
    compressed[0] = full[0] = static_cast<std::uint8_t>(tag);
    EXPECT_EQ(group_.decode(compressed).has_value(), tag == 2 || tag == 3) << tag;
    EXPECT_EQ(decodes(full), tag == 4) << tag;
    EXPECT_FALSE(group_.decode(full)) << tag;
    EXPECT_FALSE(decodes(compressed)) << tag;
  }
}

TEST_P(NistTest, BothFormsAreOneElement) {
  for (int run = 0; run < 5; ++run) {
    const auto element = times_generator(random_scalar());
    const auto full = to_buffer(nist_encode_uncompressed(group_.id(), element).reveal());
    const auto again = nist_decode_uncompressed(group_.id(), full);
    ASSERT_TRUE(again);
    EXPECT_EQ(encoded(*again), encoded(element));
    EXPECT_EQ(hex(nist_x_coordinate(group_.id(), element).reveal()), encoded(element).substr(2));
  }
}

TEST_P(NistTest, RefusesCoordinatesOffTheCurveOrAboveP) {
  const auto good = uncompressed();
  EXPECT_TRUE(decodes(good));
  for (std::size_t i = 1; i < good.size(); ++i)
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ (1U << bit));
      EXPECT_FALSE(decodes(bad)) << i << "." << bit;
    }
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, good.size() - 1}) {
    EXPECT_FALSE(nist_decode_uncompressed(group_.id(), Bytes(good).first(size))) << size;
  }
  auto longer = good;
  longer.push_back(0);
  EXPECT_FALSE(decodes(longer));
}

TEST_P(NistTest, EncodeToCurveIsAnElementOfItsOwn) {
  const Bytes message = as_bytes("message"), dst = as_bytes("tag");
  const auto element = nist_encode_to_curve(group_.id(), message, dst);
  EXPECT_TRUE(group_.decode(group_.encode(element).reveal()));
  EXPECT_NE(encoded(element), encoded(group_.hash_to_group({message}, {dst}).value()));
}

// x + p fits the same bytes for a small x.
TEST_P(NistTest, RefusesASecondSpellingOfACoordinate) {
  const std::string primes[] = {
      "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
      "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
      "01" + std::string(130, 'f')};
  const auto p = unhex(primes[static_cast<std::size_t>(group_.id()) - 1]);
  ASSERT_EQ(p.size(), order_.size());
  int found = 0;
  for (unsigned x = 0; x < 40; ++x) {
    Buffer compressed(group_.element_size());
    compressed[0] = 2;
    compressed.back() = static_cast<std::uint8_t>(x);
    const auto element = group_.decode(compressed);
    if (!element) continue;
    ++found;
    auto twin = p;  // p + x
    unsigned carry = x;
    for (std::size_t i = twin.size(); i-- > 0; carry >>= 8U) {
      carry += twin[i];
      twin[i] = static_cast<std::uint8_t>(carry);
    }
    std::ranges::copy(twin, compressed.begin() + 1);
    EXPECT_FALSE(group_.decode(compressed)) << x;
    auto full = to_buffer(nist_encode_uncompressed(group_.id(), *element).reveal());
    EXPECT_TRUE(decodes(full));
    std::ranges::copy(twin, full.begin() + 1);
    EXPECT_FALSE(decodes(full)) << x;
  }
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace pake::crypto
