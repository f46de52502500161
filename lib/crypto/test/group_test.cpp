#include "pake/crypto/group.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <array>
#include <bit>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pake/crypto/fixed_point.h"
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

// RFC 9496, Appendix A.1; FIPS 186-4, Section D.1.2; RFC 8032, Section 5.1.
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
    {GroupId::edwards25519, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010",
     "5866666666666666666666666666666666666666666666666666666666666666"},
};

class GroupTest : public ::testing::TestWithParam<Figures> {
 protected:
  GroupTest() : group_(Group::get(GetParam().id)), order_(unhex(GetParam().order)) {}

  [[nodiscard]] bool little_endian() const {
    return group_.id() == GroupId::ristretto255 || group_.id() == GroupId::edwards25519;
  }
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
  const char* names[] = {"ristretto255", "P256", "P384", "P521", "edwards25519"};
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
  if (little_endian()) drawn.back() |= 0xe0;
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
  EXPECT_EQ(encoded(group_.negate(one)), encoded(minus_one));
}

TEST_P(GroupTest, CalculatesWithScalars) {
  const auto a = random_scalar(), b = random_scalar(), zero = small(0);
  const auto text = [](const Scalar& k) { return hex(k.reveal()); };
  EXPECT_EQ(text(group_.add_scalars(small(7), small(5))), text(small(12)));
  EXPECT_EQ(text(group_.multiply_scalars(small(7), small(5))), text(small(35)));
  EXPECT_EQ(text(group_.negate_scalar(zero)), text(zero));
  EXPECT_EQ(hex(group_.negate_scalar(small(3)).reveal()), hex(near_order(-3)));
  EXPECT_EQ(text(group_.add_scalars(a, group_.negate_scalar(a))), text(zero));
  EXPECT_EQ(text(group_.multiply_scalars(a, group_.invert(a))), text(small(1)));
  const auto aB = group_.multiply(a, times_generator(b));
  EXPECT_EQ(encoded(aB.value()), encoded(times_generator(group_.multiply_scalars(a, b))));
}

TEST_P(GroupTest, ReducesBytesOfAnySize) {
  const auto text = [](const Scalar& k) { return hex(k.reveal()); };
  EXPECT_TRUE(Group::is_zero(group_.reduce_scalar({}, std::endian::big)));
  EXPECT_TRUE(Group::is_zero(group_.reduce_scalar(order_, little_endian() ? std::endian::little : std::endian::big)));
  EXPECT_EQ(text(group_.reduce_scalar(near_order(2), little_endian() ? std::endian::little : std::endian::big)),
            text(small(2)));
  SystemRng rng;
  Buffer bytes(300);
  rng.fill(bytes);
  auto expected = small(0);  // one byte after the other
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    if (size % 7 == 0 || size < 140) {
      const auto big = Bytes(bytes).first(size);
      EXPECT_EQ(text(group_.reduce_scalar(big, std::endian::big)), text(expected)) << size;
      Buffer reversed(big.rbegin(), big.rend());
      EXPECT_EQ(text(group_.reduce_scalar(reversed, std::endian::little)), text(expected)) << size;
    }
    if (size == bytes.size()) break;
    const auto shifted = group_.multiply_scalars(expected, group_.reduce_scalar(Buffer{1, 0}, std::endian::big));
    expected = group_.add_scalars(shifted, group_.reduce_scalar(Buffer{bytes[size]}, std::endian::big));
  }
}

// x*P + w*M, X - w*M and their kind, by what is known of the discrete logarithms.
TEST_P(GroupTest, AddsProducts) {
  const auto a = random_scalar(), b = random_scalar(), p = random_scalar(), q = random_scalar();
  const auto P = times_generator(p), Q = times_generator(q);
  const auto ap = group_.multiply_scalars(a, p), bq = group_.multiply_scalars(b, q);
  const auto expect = [&](const Result<Element>& sum, const Scalar& k, const char* what) {
    ASSERT_TRUE(sum) << what;
    EXPECT_EQ(encoded(*sum), encoded(times_generator(k))) << what;
    EXPECT_EQ(encoded(group_.multiply(small(1), *sum).value()), encoded(*sum)) << what;
  };
  expect(group_.sum({{&a, nullptr}}), a, "aG");
  expect(group_.sum({{nullptr, nullptr}}), small(1), "G");
  expect(group_.sum({{nullptr, &P}}), p, "P");
  expect(group_.sum({{&a, &P}}), ap, "aP");
  expect(group_.sum({{&a, nullptr}, {&b, &Q}}), group_.add_scalars(a, bq), "aG + bQ");
  expect(group_.sum({{&b, &Q}, {&a, nullptr}}), group_.add_scalars(a, bq), "bQ + aG");
  expect(group_.sum({{&a, &P}, {&b, &Q}}), group_.add_scalars(ap, bq), "aP + bQ");
  expect(group_.sum({{nullptr, &P}, {&b, &Q}}), group_.add_scalars(p, bq), "P + bQ");
  const auto minus_b = group_.negate_scalar(b);
  expect(group_.sum({{nullptr, &P}, {&minus_b, &Q}}), group_.add_scalars(p, group_.negate_scalar(bq)), "P - bQ");
  expect(group_.sum({{&a, nullptr}, {&b, nullptr}}), group_.add_scalars(a, b), "aG + bG");
  expect(group_.sum({{&a, nullptr}, {&b, &Q}, {&a, &P}, {nullptr, nullptr}}),
         group_.add_scalars(group_.add_scalars(a, bq), group_.add_scalars(ap, small(1))), "four terms");
  expect(group_.add(P, Q), group_.add_scalars(p, q), "P + Q");
  expect(group_.add(P, P), group_.add_scalars(p, p), "P + P");
  expect(group_.subtract(P, Q), group_.add_scalars(p, group_.negate_scalar(q)), "P - Q");
}

TEST_P(GroupTest, ASumThatIsTheIdentityIsAnError) {
  const auto a = random_scalar(), minus_a = group_.negate_scalar(a), zero = small(0);
  const auto P = times_generator(random_scalar()), minus_P = group_.negate(P);
  EXPECT_EQ(group_.subtract(P, P).error(), Errc::malformed);
  EXPECT_EQ(group_.add(P, minus_P).error(), Errc::malformed);
  EXPECT_EQ(group_.sum({{&a, &P}, {&minus_a, &P}}).error(), Errc::malformed);
  EXPECT_EQ(group_.sum({{&a, nullptr}, {&minus_a, nullptr}}).error(), Errc::malformed);
  EXPECT_EQ(group_.sum({{&zero, nullptr}, {&zero, &P}}).error(), Errc::malformed);
  EXPECT_EQ(encoded(group_.sum({{&zero, nullptr}, {&a, &P}}).value()), encoded(group_.multiply(a, P).value()));
  EXPECT_EQ(encoded(group_.sum({{&a, &P}, {&zero, nullptr}}).value()), encoded(group_.multiply(a, P).value()));
}

TEST_P(GroupTest, ABatchIsDecodedAsEachOfIt) {
  const auto good = unhex(encoded(times_generator(random_scalar())));
  const auto other = unhex(encoded(times_generator(random_scalar())));
  const Buffer bad(good.size(), 0xff);
  Decoding batch[] = {{.bytes = good}, {.bytes = other}, {.bytes = good}, {.bytes = other}, {.bytes = good}};
  ASSERT_TRUE(group_.decode(batch));
  for (const auto& member : batch) EXPECT_EQ(encoded(member.element), hex(member.bytes));
  for (std::size_t at = 0; at < 3; ++at) {
    Decoding mixed[] = {{.bytes = good}, {.bytes = other}, {.bytes = good}};
    mixed[at].bytes = bad;
    EXPECT_EQ(group_.decode(mixed).error(), Errc::malformed);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(mixed[i].element.empty(), i == at);
      if (i != at) {
        EXPECT_EQ(encoded(mixed[i].element), hex(mixed[i].bytes));
      }
    }
  }
  EXPECT_TRUE(group_.decode(std::span<Decoding>()));
}

TEST_P(GroupTest, ElementsMoveAndAreCopiedAloud) {
  auto P = times_generator(random_scalar());
  const auto text = encoded(P);
  const auto copy = P.copy();
  const auto moved = std::move(P);
  EXPECT_TRUE(P.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(encoded(copy), text);
  EXPECT_EQ(encoded(moved), text);
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
  if (group_.id() == GroupId::edwards25519) {
    EXPECT_EQ(group_.hash_to_group({as_bytes("message")}, {as_bytes("tag")}).error(), Errc::misuse);
    return;
  }
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
  EXPECT_DEATH(std::ignore = group_.negate(Element()), "");
}

TEST_P(GroupDeathTest, AnElementOfAnotherGroupAborts) {
  const auto& other = Group::get(group_.id() == GroupId::ristretto255 ? GroupId::edwards25519 : GroupId::ristretto255);
  SystemRng rng;
  const auto element = other.multiply_generator(other.random_scalar(rng).value()).value();
  EXPECT_DEATH(std::ignore = group_.encode(element), "");
  EXPECT_DEATH(std::ignore = group_.multiply(small(2), element), "");
  const std::array<Term, 5> five{};
  EXPECT_DEATH(std::ignore = group_.sum(five), "");
  EXPECT_DEATH(std::ignore = group_.sum(std::span<const Term>()), "");
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

// --- edwards25519 against libsodium's.

TEST(Edwards25519, AgreesWithLibsodium) {
  const auto& group = Group::get(GroupId::edwards25519);
  SystemRng rng;
  for (int run = 0; run < 30; ++run) {
    const auto k = group.random_scalar(rng).value();
    Buffer kG(32), kP(32), sum(32);
    ASSERT_EQ(crypto_scalarmult_ed25519_base_noclamp(kG.data(), k.reveal().data()), 0);
    EXPECT_EQ(hex(group.encode(group.multiply_generator(k).value()).reveal()), hex(kG));
    Buffer uniform(32), point(32);
    rng.fill(uniform);
    ASSERT_EQ(crypto_core_ed25519_from_uniform(point.data(), uniform.data()), 0);
    const auto P = group.decode(point);
    ASSERT_TRUE(P) << hex(point);
    ASSERT_EQ(crypto_scalarmult_ed25519_noclamp(kP.data(), k.reveal().data(), point.data()), 0);
    EXPECT_EQ(hex(group.encode(group.multiply(k, *P).value()).reveal()), hex(kP));
    ASSERT_EQ(crypto_core_ed25519_add(sum.data(), kP.data(), kG.data()), 0);
    EXPECT_EQ(hex(group.encode(group.sum({{&k, &*P}, {&k, nullptr}}).value()).reveal()), hex(sum));
  }
}

// RFC 8032 points outside the subgroup of prime order, and encodings that are none.
TEST(Edwards25519, RefusesWhatIsOutsideTheSubgroup) {
  const auto& group = Group::get(GroupId::edwards25519);
  const char* low_order[] = {
      "0100000000000000000000000000000000000000000000000000000000000000",  // the identity
      "0100000000000000000000000000000000000000000000000000000000000080",  // with the sign of x = 0 set
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // order 2
      "0000000000000000000000000000000000000000000000000000000000000000",  // order 4
      "0000000000000000000000000000000000000000000000000000000000000080",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  // order 8
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"};
  const char* non_canonical[] = {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p
                                 "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 1
                                 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
  for (const auto* text : non_canonical) EXPECT_FALSE(group.decode(unhex(text))) << text;
  SystemRng rng;
  const auto honest =
      unhex(hex(group.encode(group.multiply_generator(group.random_scalar(rng).value()).value()).reveal()));
  for (const auto* text : low_order) {
    const auto torsion = unhex(text);
    EXPECT_FALSE(group.decode(torsion)) << text;
    Buffer mixed(32);
    if (crypto_core_ed25519_add(mixed.data(), honest.data(), torsion.data()) != 0) continue;  // not canonical
    EXPECT_EQ(group.decode(mixed).has_value(), mixed == honest) << text;
  }
  int on_curve = 0;
  for (int run = 0; run < 200; ++run) {  // random bytes: whatever libsodium accepts, and nothing else
    Buffer bytes(32);
    rng.fill(bytes);
    const bool expected = crypto_core_ed25519_is_valid_point(bytes.data()) == 1;
    on_curve += expected ? 1 : 0;
    EXPECT_EQ(group.decode(bytes).has_value(), expected) << hex(bytes);
  }
  EXPECT_GT(on_curve, 0);
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

// Small, large and random scalars: the windows of a table are all zero, all full, or anything.
TEST(FixedPoints, MultiplyAsAnyOtherPointDoes) {
  testing::SeededRng rng(20);
  for (const auto id : {GroupId::p256, GroupId::p384, GroupId::p521, GroupId::edwards25519, GroupId::ristretto255}) {
    const auto& group = Group::get(id);
    const auto P = group.multiply_generator(group.random_scalar(rng).value()).value();
    const FixedPoint fixed(id, P);
    const auto one = group.reduce_scalar(Buffer{1}, std::endian::big);
    std::vector<Scalar> scalars;
    scalars.push_back(group.negate_scalar(one));
    for (unsigned bit = 0; bit < 8 * group.scalar_size(); bit += 7) {
      Buffer bytes(group.scalar_size());
      bytes[bit / 8] = static_cast<std::uint8_t>(1U << bit % 8);
      scalars.push_back(group.reduce_scalar(bytes, std::endian::big));
      if (bit % 5 == 0) scalars.push_back(group.random_scalar(rng).value());
    }
    scalars.push_back(Scalar::copy_of(one.reveal()));
    for (const auto& scalar : scalars)
      EXPECT_EQ(testing::hex(group.encode(fixed.multiply(scalar).value()).reveal()),
                testing::hex(group.encode(group.multiply(scalar, P).value()).reveal()));
    EXPECT_EQ(fixed.multiply(group.reduce_scalar({}, std::endian::big)).error(), Errc::malformed) << "zero";
  }
}

}  // namespace
}  // namespace pake::crypto
