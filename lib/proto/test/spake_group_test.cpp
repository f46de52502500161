#include "spake_group.h"

#include <gtest/gtest.h>

#include "pake/crypto/hash.h"
#include "pake/testing/hex.h"

namespace pake::spake {
namespace {

using crypto::GroupId;

/// RFC 9382, Appendix A: the seed hashed again and again, and the i-th string that decodes.
struct Generation {
  GroupId group;
  const char* id;
  std::size_t iterations_M, iterations_N;
};

Buffer candidate(const Generation& of, const char* which, std::size_t i) {
  const auto seed = std::string(of.id) + " point generation seed (" + which + ")";
  auto b = crypto::hash(crypto::HashId::sha256, {as_bytes(seed)});
  for (std::size_t j = 1; j < i; ++j) b = crypto::hash(crypto::HashId::sha256, {b.reveal()});
  const auto size = crypto::Group::get(of.group).element_size();
  Buffer string;
  while (string.size() < size) {
    string.insert(string.end(), b.reveal().begin(), b.reveal().end());
    b = crypto::hash(crypto::HashId::sha256, {b.reveal()});
  }
  string.resize(size);
  if (of.group != GroupId::edwards25519) string[0] = static_cast<std::uint8_t>(2U | (string[0] & 1U));
  return string;
}

TEST(BlindingPoints, AreThoseThatTheirSeedsGive) {
  for (const auto& of :
       {Generation{GroupId::p256, "1.2.840.10045.3.1.7", 5, 3}, Generation{GroupId::p384, "1.3.132.0.34", 3, 1},
        Generation{GroupId::p521, "1.3.132.0.35", 368, 343},
        Generation{GroupId::edwards25519, "edwards25519", 21, 7}}) {
    const auto expect = [&](const char* which, std::size_t iterations, const BlindingPoint& point) {
      const auto& G = crypto::Group::get(of.group);
      for (std::size_t i = 1; i < iterations; ++i)
        EXPECT_FALSE(G.decode(candidate(of, which, i))) << of.id << which << i;
      const auto found = G.decode(candidate(of, which, iterations));
      ASSERT_TRUE(found) << of.id << which;
      EXPECT_EQ(testing::hex(encode(of.group, *found).reveal()), testing::hex(point.encoded));
    };
    expect("M", of.iterations_M, M(of.group));
    expect("N", of.iterations_N, N(of.group));
  }
}

TEST(Len, IsEightOctetsLittleEndian) {
  EXPECT_EQ(testing::hex(len(Buffer(0x0203))), "0302000000000000");
  EXPECT_EQ(testing::hex(with_lengths({as_bytes("ab"), {}}).reveal()),
            "0200000000000000"
            "6162"
            "0000000000000000");
}

TEST(Scalars, AreBigEndianInEveryGroup) {
  for (const auto group : {GroupId::p256, GroupId::p384, GroupId::p521, GroupId::edwards25519}) {
    Buffer two(scalar_size(group));
    two.back() = 2;
    const auto scalar = decode_scalar(group, two);
    ASSERT_TRUE(scalar);
    EXPECT_EQ(testing::hex(encode_scalar(*scalar, group).reveal()), testing::hex(two));
    const auto& G = crypto::Group::get(group);
    Buffer one(scalar_size(group));
    one.back() = 1;
    const auto P = G.multiply_generator(*decode_scalar(group, one));
    EXPECT_TRUE(
        ct_equal(encode(group, *G.add(*P, *P)).reveal(), encode(group, *G.multiply_generator(*scalar)).reveal()));
    EXPECT_FALSE(decode_scalar(group, Buffer(scalar_size(group)))) << "zero";
    EXPECT_FALSE(decode_scalar(group, Buffer(scalar_size(group), std::uint8_t{0xff})));
    EXPECT_FALSE(decode_scalar(group, Buffer(scalar_size(group) + 1, std::uint8_t{1})));
  }
}

TEST(Cofactor, IsEightOnEdwards25519) {
  Buffer three(32), twenty_four(32);
  three.back() = 3;
  twenty_four.back() = 24;
  const auto group = GroupId::edwards25519;
  EXPECT_EQ(testing::hex(encode_scalar(times_cofactor(group, *decode_scalar(group, three)), group).reveal()),
            testing::hex(twenty_four));
}

}  // namespace
}  // namespace pake::spake
