#include "pake/proto/opaque/messages.h"

#include <gtest/gtest.h>

#include <map>

#include "pake/testing/hex.h"
#include "rig.h"

namespace pake::opaque {
namespace {

/// Every message of one honest registration and login, and what its decoder makes of bytes: them again, or nothing.
using Recode = std::optional<Buffer> (*)(SuiteId, Bytes);

template <class Message>
std::optional<Buffer> recode(SuiteId suite, Bytes bytes) {
  const auto message = Message::decode(suite, bytes);
  return message ? std::optional(message->encode(suite)) : std::nullopt;
}

struct Example {
  Recode recode;
  Buffer bytes;
  std::size_t size;  // as the suite's table has it
};

std::map<std::string, Example> examples(SuiteId suite) {
  Buffer request, response;
  const auto outcome = Rig{.suite = suite,
                           .lie_in_request = [&](Buffer& bytes) { request = bytes; },
                           .lie_in_response = [&](Buffer& bytes) { response = bytes; }}
                           .run();
  const auto of = sizes(suite);
  const auto credential_response = to_buffer(Bytes(outcome.ke2).first(of.credential_response()));
  return {{"RegistrationRequest", {recode<RegistrationRequest>, request, of.registration_request()}},
          {"RegistrationResponse", {recode<RegistrationResponse>, response, of.registration_response()}},
          {"RegistrationRecord", {recode<RegistrationRecord>, outcome.record, of.registration_record()}},
          {"KE1", {recode<KE1>, outcome.ke1, of.KE1()}},
          {"CredentialResponse", {recode<CredentialResponse>, credential_response, of.credential_response()}},
          {"KE2", {recode<KE2>, outcome.ke2, of.KE2()}},
          {"KE3", {recode<KE3>, outcome.ke3, of.KE3()}}};
}

class OpaqueMessages : public ::testing::TestWithParam<SuiteId> {};
INSTANTIATE_TEST_SUITE_P(EverySuite, OpaqueMessages, ::testing::ValuesIn(kAllSuites));

TEST_P(OpaqueMessages, AreEncodedAsTheyWereDecoded) {
  for (const auto& [name, example] : examples(GetParam())) {
    EXPECT_EQ(example.bytes.size(), example.size) << name;
    EXPECT_EQ(example.recode(GetParam(), example.bytes), example.bytes) << name;
  }
}

TEST_P(OpaqueMessages, OfAnotherLengthAreNone) {
  for (const auto& [name, example] : examples(GetParam())) {
    for (std::size_t size = 0; size < example.bytes.size(); ++size)
      EXPECT_EQ(example.recode(GetParam(), Bytes(example.bytes).first(size)), std::nullopt) << name << " of " << size;
    auto longer = example.bytes;
    longer.push_back(0);
    EXPECT_EQ(example.recode(GetParam(), longer), std::nullopt) << name;
  }
}

// Section 12 of the protocol: the identity, points off the curve, coordinates out of range, other tags.
std::vector<Buffer> bad_elements(SuiteId suite) {
  const auto Noe = sizes(suite).Noe;
  Buffer ones(Noe, 0xff), zeros(Noe, 0);
  std::vector<Buffer> bad = {zeros, ones};
  if (Noe != 32)
    for (const auto tag : std::initializer_list<std::uint8_t>{0x00, 0x02, 0x04, 0x05, 0x06, 0x07}) {
      ones[0] = tag;
      bad.push_back(ones);
    }
  return bad;
}

TEST_P(OpaqueMessages, WithABadElementAreNone) {
  const auto suite = GetParam();
  const auto of = sizes(suite);
  const auto place = [&](const std::string& name) -> std::vector<std::size_t> {
    const bool ake = suite != SuiteId::ristretto255_curve25519;  // X25519 has its own bad keys, below
    if (name == "KE1") return ake ? std::vector<std::size_t>{0, of.Noe + kNn} : std::vector<std::size_t>{0};
    if (name == "KE2")
      return ake ? std::vector<std::size_t>{0, of.credential_response() + kNn} : std::vector<std::size_t>{0};
    if (name == "RegistrationResponse") return ake ? std::vector<std::size_t>{0, of.Noe} : std::vector<std::size_t>{0};
    if (name == "RegistrationRecord") return ake ? std::vector<std::size_t>{0} : std::vector<std::size_t>{};
    if (name == "KE3") return {};
    return {0};
  };
  for (const auto& [name, example] : examples(suite))
    for (const auto at : place(name))
      for (const auto& bad : bad_elements(suite)) {
        auto bytes = example.bytes;
        std::ranges::copy(bad, bytes.begin() + static_cast<std::ptrdiff_t>(at));
        EXPECT_EQ(example.recode(suite, bytes), std::nullopt) << name << " with " << testing::hex(bad) << " at " << at;
      }
}

// RFC 7748's points of low order, with both values of the bit that X25519 ignores.
TEST(OpaqueMessagesX25519, WithAKeyOfLowOrderAreNone) {
  constexpr auto kSuite = SuiteId::ristretto255_curve25519;
  const auto of = sizes(kSuite);
  const std::map<std::string, std::size_t> places = {{"KE1", of.Noe + kNn},
                                                     {"KE2", of.credential_response() + kNn},
                                                     {"RegistrationResponse", of.Noe},
                                                     {"RegistrationRecord", 0}};
  const auto all = examples(kSuite);
  for (const auto* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
    for (const auto top_bit : std::initializer_list<std::uint8_t>{0x00, 0x80})
      for (const auto& [name, at] : places) {
        auto bytes = all.at(name).bytes;
        auto bad = testing::unhex(point);
        bad.back() = static_cast<std::uint8_t>(bad.back() | top_bit);
        std::ranges::copy(bad, bytes.begin() + static_cast<std::ptrdiff_t>(at));
        EXPECT_EQ(all.at(name).recode(kSuite, bytes), std::nullopt) << name << " with " << testing::hex(bad);
      }
}

TEST(OpaqueSuites, AByteNamesASuiteOrNothing) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto suite = decode_suite_id(static_cast<std::uint8_t>(byte));
    EXPECT_EQ(suite.has_value(), byte >= 1 && byte <= 5) << byte;
    if (suite) {
      EXPECT_EQ(static_cast<int>(*suite), byte);
    }
  }
}

}  // namespace
}  // namespace pake::opaque
