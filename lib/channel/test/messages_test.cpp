#include "pake/channel/messages.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "pake/base/writer.h"
#include "pake/testing/hex.h"

namespace pake::channel {
namespace {

using testing::hex;
using testing::unhex;

constexpr std::size_t kHeader = FrameHeader::kSize;
const Buffer kBothAeads = {1, 2};
const Buffer kOpaqueSuites = {1, 2};

Buffer operator+(Buffer left, Bytes right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

ClientHello login_hello() {
  ClientHello hello{.kind = HandshakeKind::login,
                    .aeads = kBothAeads,
                    .suites = kOpaqueSuites,
                    .server_name = as_bytes("example.org"),
                    .name = as_bytes("alice")};
  hello.random.fill(0xaa);
  return hello;
}

Buffer body_of(const ClientHello& hello, Bytes pake) {
  const auto frame = hello.encode_up_to_pake(pake.size()) + pake;
  return to_buffer(Bytes(frame).subspan(kHeader));
}

const Buffer kKE1(96, 0x11);

TEST(ClientHello, IsThePagesBytes) {
  const auto frame = login_hello().encode_up_to_pake(96);
  EXPECT_EQ(hex(frame),
            "010000a2"
            "70616b65"
            "02"
            "01"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "020102"
            "020102"
            "0b6578616d706c652e6f7267"
            "05616c696365"
            "0000"
            "0060");
}

TEST(ClientHello, DecodesWhatItEncoded) {
  const auto extensions = unhex(
      "0000"
      "0000"
      "7fff"
      "0003"
      "010203");
  auto sent = login_hello();
  sent.extensions = extensions;
  const auto body = body_of(sent, kKE1);
  const auto hello = ClientHello::decode(body);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->kind, HandshakeKind::login);
  EXPECT_EQ(hello->suite(), Suite::opaque_ristretto255);
  EXPECT_EQ(hello->random, sent.random);
  EXPECT_EQ(as_text(hello->server_name), "example.org");
  EXPECT_EQ(as_text(hello->name), "alice");
  EXPECT_EQ(to_buffer(hello->extensions), extensions);
  EXPECT_EQ(to_buffer(hello->pake), kKE1);
  EXPECT_EQ(body_of(*hello, hello->pake), body);
}

TEST(ClientHello, CutOrExtendedIsMalformed) {
  const auto body = body_of(login_hello(), kKE1);
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_EQ(ClientHello::decode(Bytes(body).first(size)), std::unexpected(AlertCode::malformed)) << size;
  EXPECT_EQ(ClientHello::decode(body + Bytes(Buffer{0})), std::unexpected(AlertCode::malformed));
}

struct BadHello {
  std::string what;
  AlertCode alert;
  std::function<Buffer()> body;
};

Buffer changed(std::size_t offset, std::uint8_t value) {
  auto body = body_of(login_hello(), kKE1);
  body.at(offset) = value;
  return body;
}

Buffer with(const std::function<void(ClientHello&)>& change, const Buffer& pake = kKE1) {
  auto hello = login_hello();
  change(hello);
  return body_of(hello, pake);
}

TEST(ClientHello, EachRuleIsKept) {
  static const Buffer none = {}, twice = {2, 2}, no_chacha = {1}, nine = {1, 2, 3, 4, 5, 6, 7, 8, 9},
                      eight = {2, 3, 4, 5, 6, 7, 8, 9}, unknown_first = {0x77, 1}, unknown_last = {1, 0x77},
                      other_kind = {0x11}, resume_suite = {0x21};
  const BadHello cases[] = {
      {"magic", AlertCode::malformed, [] { return changed(0, 'P'); }},
      {"version 0", AlertCode::unsupported, [] { return changed(4, 0); }},
      {"version 1", AlertCode::unsupported, [] { return changed(4, 1); }},
      {"kind 0", AlertCode::unknown_server, [] { return changed(5, 0); }},
      {"kind 4", AlertCode::unknown_server, [] { return changed(5, 4); }},
      {"no aead", AlertCode::malformed, [] { return with([](auto& h) { h.aeads = none; }); }},
      {"an aead twice", AlertCode::malformed, [] { return with([](auto& h) { h.aeads = twice; }); }},
      {"no ChaCha20-Poly1305", AlertCode::malformed, [] { return with([](auto& h) { h.aeads = no_chacha; }); }},
      {"nine aeads", AlertCode::malformed, [] { return with([](auto& h) { h.aeads = nine; }); }},
      {"no suite", AlertCode::malformed, [] { return with([](auto& h) { h.suites = none; }); }},
      {"a suite twice", AlertCode::malformed, [] { return with([](auto& h) { h.suites = twice; }); }},
      {"nine suites", AlertCode::malformed, [] { return with([](auto& h) { h.suites = nine; }); }},
      {"unknown first suite", AlertCode::unsupported, [] { return with([](auto& h) { h.suites = unknown_first; }); }},
      {"suite of another kind", AlertCode::unsupported, [] { return with([](auto& h) { h.suites = other_kind; }); }},
      {"login without a name", AlertCode::malformed, [] { return with([](auto& h) { h.name = {}; }); }},
      {"KE1 of the other suite", AlertCode::malformed, [] { return with([](auto&) {}, Buffer(98)); }},
      {"resume with a name", AlertCode::malformed,
       [] {
         return with(
             [](auto& h) {
               h.kind = HandshakeKind::resume;
               h.suites = resume_suite;
             },
             Buffer{0, 1, 9} + Buffer(96));
       }},
  };
  for (const auto& bad : cases) EXPECT_EQ(ClientHello::decode(bad.body()), std::unexpected(bad.alert)) << bad.what;

  EXPECT_TRUE(ClientHello::decode(with([](auto& h) { h.aeads = eight; })));
  EXPECT_TRUE(ClientHello::decode(with([](auto& h) { h.suites = unknown_last; })));
  EXPECT_TRUE(ClientHello::decode(with([](auto& h) { h.server_name = {}; })));
}

TEST(ClientHello, AResumptionCarriesATicketOf1To1024Bytes) {
  const Buffer suites = {0x21};
  const auto decode = [&](std::size_t ticket, std::size_t behind) {
    auto hello = login_hello();
    hello.kind = HandshakeKind::resume;
    hello.suites = suites;
    hello.name = {};
    return ClientHello::decode(body_of(hello, Writer().put_lp2(Buffer(ticket)).put(Buffer(behind)).take())).has_value();
  };
  EXPECT_FALSE(decode(0, 96));
  EXPECT_TRUE(decode(1, 96));
  EXPECT_TRUE(decode(1024, 96));
  EXPECT_FALSE(decode(1025, 96));
  EXPECT_FALSE(decode(1, 95));
  EXPECT_FALSE(decode(1, 97));
}

TEST(ClientHello, ACodesSelectorMayBeEmpty) {
  const Buffer suites = {0x11};
  auto hello = login_hello();
  hello.kind = HandshakeKind::code;
  hello.suites = suites;
  hello.name = {};
  EXPECT_TRUE(ClientHello::decode(body_of(hello, Buffer(32))));
  EXPECT_FALSE(ClientHello::decode(body_of(hello, Buffer(96))));
}

TEST(Extensions, AscendAndWhatMustBeUnderstoodIs) {
  const std::pair<std::string_view, std::optional<AlertCode>> cases[] = {
      {"", std::nullopt},
      {"00010000", std::nullopt},
      {"000100020a0b"
       "7fff0000",
       std::nullopt},
      {"00020000"
       "00010000",
       AlertCode::malformed},
      {"00010000"
       "00010000",
       AlertCode::malformed},
      {"0001000201", AlertCode::malformed},
      {"000100", AlertCode::malformed},
      {"00", AlertCode::malformed},
      {"80000000", AlertCode::unsupported},
      {"00010000"
       "ffff0000",
       AlertCode::unsupported},
      {"80000000"
       "00010000",
       AlertCode::malformed},
  };
  for (const auto& [bytes, alert] : cases) {
    const auto extensions = unhex(bytes);
    const auto hello = ClientHello::decode(with([&](auto& h) { h.extensions = extensions; }));
    ASSERT_EQ(hello.has_value(), !alert) << bytes;
    if (alert) {
      EXPECT_EQ(hello.error(), *alert) << bytes;
    }

    const auto body = Writer().put(unhex("02010200")).put_lp2(extensions).put_lp2(Buffer(320)).take();
    const auto answer = ServerHello::decode(body);
    ASSERT_EQ(answer.has_value(), !alert) << bytes;
    if (alert) {
      EXPECT_EQ(answer.error(), *alert) << bytes;
    }
  }
}

TEST(Retry, IsSixBytes) {
  EXPECT_EQ(hex(Retry{.suite = 2}.encode()), "020000020202");
  ASSERT_TRUE(Retry::decode(unhex("0202")));
  EXPECT_EQ(Retry::decode(unhex("0202"))->suite, 2);
  EXPECT_EQ(Retry::decode(unhex("0102")).error(), AlertCode::unsupported);
  for (const auto* bytes : {"", "02", "020203"}) EXPECT_EQ(Retry::decode(unhex(bytes)).error(), AlertCode::malformed);
}

TEST(ServerHello, IsThePagesBytes) {
  const ServerHello hello{.suite = 1, .aead = AeadId::aes_256_gcm, .ksf = 2, .extensions = {}, .pake = {}};
  EXPECT_EQ(hex(hello.encode_up_to_pake(320)),
            "03000148"
            "02"
            "01"
            "01"
            "02"
            "0000"
            "0140");
}

TEST(ServerHello, DecodesAndKeepsEachRule) {
  const auto body = unhex(
      "02010102"
      "0000"
      "0003"
      "070809");
  const auto hello = ServerHello::decode(body);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->suite, 1);
  EXPECT_EQ(hello->aead, AeadId::aes_256_gcm);
  EXPECT_EQ(hello->ksf, 2);
  EXPECT_EQ(to_buffer(hello->pake), Buffer({7, 8, 9}));
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_EQ(ServerHello::decode(Bytes(body).first(size)).error(), AlertCode::malformed) << size;
  EXPECT_EQ(ServerHello::decode(unhex("02010102"
                                      "0000"
                                      "0003"
                                      "07080900"))
                .error(),
            AlertCode::malformed);
  EXPECT_EQ(ServerHello::decode(unhex("02010002"
                                      "0000"
                                      "0003"
                                      "070809"))
                .error(),
            AlertCode::malformed);
  EXPECT_EQ(ServerHello::decode(unhex("02010302"
                                      "0000"
                                      "0003"
                                      "070809"))
                .error(),
            AlertCode::malformed);
  EXPECT_EQ(ServerHello::decode(unhex("00010102"
                                      "0000"
                                      "0003"
                                      "070809"))
                .error(),
            AlertCode::unsupported);
}

TEST(Alert, IsNineBytes) {
  EXPECT_EQ(hex(Alert{.code = AlertCode::throttled, .retry_after = 3600}.encode()),
            "05000005"
            "02"
            "00000e10");
  EXPECT_EQ(Alert::decode(unhex("0200000e10")), (Alert{.code = AlertCode::throttled, .retry_after = 3600}));
  for (const auto* bytes : {"", "01000000", "010000000000", "0000000000", "0700000000", "0100000001", "ff00000000"})
    EXPECT_EQ(Alert::decode(unhex(bytes)).error(), AlertCode::malformed) << bytes;
}

TEST(ClientFinish, IsItsProof) {
  EXPECT_EQ(hex(encode_client_finish(Buffer{1, 2, 3})),
            "04000003"
            "010203");
}

TEST(Suites, BelongToOneKind) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const auto id = static_cast<std::uint8_t>(byte);
    EXPECT_EQ(find_suite(HandshakeKind::login, id).has_value(), byte == 1 || byte == 2) << byte;
    EXPECT_EQ(find_suite(HandshakeKind::code, id).has_value(), byte == 0x11) << byte;
    EXPECT_EQ(find_suite(HandshakeKind::resume, id).has_value(), byte == 0x21) << byte;
  }
}

}  // namespace
}  // namespace pake::channel
