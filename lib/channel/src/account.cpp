#include "pake/channel/account.h"

#include <cstdlib>
#include <utility>

#include "bindings.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/opaque/suite.h"

namespace pake::channel {
namespace {

constexpr std::size_t kHeaderSize = 4;

Buffer whole_message(AccountMessageType type, Bytes body) {
  if (body.size() > kMaxAccountMessageSize - kHeaderSize) std::abort();
  return Writer(kHeaderSize + body.size())
      .u32((std::uint32_t{std::to_underlying(type)} << 24U) | static_cast<std::uint32_t>(body.size()))
      .put(body)
      .take();
}

void check(bool is_ours) {
  if (!is_ours) std::abort();  // the caller's bug: these bytes would not be decoded
}

opaque::Sizes sizes_in(Suite suite) {
  check(kind_of(suite) == HandshakeKind::login);
  return opaque::sizes(opaque_suite(suite));
}

Result<Suite> login_suite(Reader& reader) {
  PAKE_TRY(const auto byte, reader.u8());
  const auto suite = find_suite(HandshakeKind::login, byte);
  if (!suite) return fail(Errc::malformed);
  return *suite;
}

Result<crypto::KsfProfile> ksf_profile(Reader& reader) {
  PAKE_TRY(const auto byte, reader.u8());
  return crypto::decode_ksf_profile(byte);
}

Result<AccountMessage> decode_request(Reader& reader) {
  RecordRequest message;
  PAKE_TRY(const auto purpose, reader.u8());
  if (purpose < 1 || purpose > std::to_underlying(RecordPurpose::migrate)) return fail(Errc::malformed);
  message.purpose = static_cast<RecordPurpose>(purpose);
  PAKE_TRY(message.suite, login_suite(reader));
  PAKE_TRY(message.name, reader.take_lp1());
  if (message.name.empty()) return fail(Errc::malformed);
  PAKE_TRY(message.registration_request, reader.take(sizes_in(message.suite).registration_request()));
  return message;
}

Result<AccountMessage> decode_answer(Reader& reader) {
  RecordAnswer message;
  PAKE_TRY(message.suite, login_suite(reader));
  PAKE_TRY(message.ksf, ksf_profile(reader));
  PAKE_TRY(message.registration_response, reader.take(sizes_in(message.suite).registration_response()));
  return message;
}

Result<AccountMessage> decode_upload(Reader& reader) {
  RecordUpload message;
  PAKE_TRY(message.suite, login_suite(reader));
  PAKE_TRY(message.ksf, ksf_profile(reader));
  PAKE_TRY(message.registration_record, reader.take(sizes_in(message.suite).registration_record()));
  PAKE_TRY(message.ke1, reader.take(sizes_in(message.suite).KE1()));
  return message;
}

Result<AccountMessage> decode_challenge(Reader& reader) {
  RecordChallenge message;
  PAKE_TRY(message.suite, login_suite(reader));
  PAKE_TRY(message.ke2, reader.take(sizes_in(message.suite).KE2()));
  return message;
}

Result<AccountMessage> decode_proof(Reader& reader) {
  RecordProof message;
  PAKE_TRY(message.suite, login_suite(reader));
  PAKE_TRY(message.ke3, reader.take(sizes_in(message.suite).KE3()));
  return message;
}

Result<AccountMessage> decode_refused(Reader& reader) {
  RecordRefused message;
  PAKE_TRY(const auto code, reader.u8());
  if (code < 1 || code > std::to_underlying(RecordRefusal::declined)) return fail(Errc::malformed);
  message.code = static_cast<RecordRefusal>(code);
  PAKE_TRY(const auto suite, reader.u8());
  if (message.code == RecordRefusal::other_suite) {
    message.suite = find_suite(HandshakeKind::login, suite);
    if (!message.suite) return fail(Errc::malformed);
  } else if (suite != 0) {
    return fail(Errc::malformed);
  }
  PAKE_TRY(message.retry_after, reader.u32());
  if (message.code != RecordRefusal::throttled && message.retry_after != 0) return fail(Errc::malformed);
  return message;
}

Result<AccountMessage> decode_body(AccountMessageType type, Reader& reader) {
  switch (type) {
    case AccountMessageType::request:
      return decode_request(reader);
    case AccountMessageType::answer:
      return decode_answer(reader);
    case AccountMessageType::upload:
      return decode_upload(reader);
    case AccountMessageType::challenge:
      return decode_challenge(reader);
    case AccountMessageType::proof:
      return decode_proof(reader);
    case AccountMessageType::stored:
      return RecordStored{};
    case AccountMessageType::refused:
      return decode_refused(reader);
  }
  return fail(Errc::malformed);
}

}  // namespace

Buffer RecordRequest::encode() const {
  check(!name.empty() && name.size() <= kMaxNameSize &&
        registration_request.size() == sizes_in(suite).registration_request());
  Writer body(3 + name.size() + registration_request.size());
  body.u8(std::to_underlying(purpose)).u8(std::to_underlying(suite)).put_lp1(name).put(registration_request);
  return whole_message(AccountMessageType::request, body.bytes());
}

Buffer RecordAnswer::encode() const {
  check(registration_response.size() == sizes_in(suite).registration_response());
  Writer body(2 + registration_response.size());
  body.u8(std::to_underlying(suite)).u8(std::to_underlying(ksf)).put(registration_response);
  return whole_message(AccountMessageType::answer, body.bytes());
}

Buffer RecordUpload::encode() const {
  check(registration_record.size() == sizes_in(suite).registration_record() && ke1.size() == sizes_in(suite).KE1());
  Writer body(2 + registration_record.size() + ke1.size());
  body.u8(std::to_underlying(suite)).u8(std::to_underlying(ksf)).put(registration_record).put(ke1);
  return whole_message(AccountMessageType::upload, body.bytes());
}

Buffer RecordChallenge::encode() const {
  check(ke2.size() == sizes_in(suite).KE2());
  Writer body(1 + ke2.size());
  body.u8(std::to_underlying(suite)).put(ke2);
  return whole_message(AccountMessageType::challenge, body.bytes());
}

Buffer RecordProof::encode() const {
  check(ke3.size() == sizes_in(suite).KE3());
  Writer body(1 + ke3.size());
  body.u8(std::to_underlying(suite)).put(ke3);
  return whole_message(AccountMessageType::proof, body.bytes());
}

Buffer RecordStored::encode() const { return whole_message(AccountMessageType::stored, {}); }

Buffer RecordRefused::encode() const {
  check(suite.has_value() == (code == RecordRefusal::other_suite));
  check(code == RecordRefusal::throttled || retry_after == 0);
  Writer body(6);
  body.u8(std::to_underlying(code)).u8(suite ? std::to_underlying(*suite) : std::uint8_t{0}).u32(retry_after);
  return whole_message(AccountMessageType::refused, body.bytes());
}

Result<std::optional<LeadingAccountMessage>> leading_account_message(Bytes bytes) {
  if (bytes.empty()) return std::nullopt;
  if (bytes[0] < 1 || bytes[0] > std::to_underlying(AccountMessageType::refused)) return fail(Errc::malformed);
  Reader reader(bytes);
  const auto header = reader.u32();
  if (!header) return std::nullopt;
  const std::size_t length = *header & 0xffffffU;
  if (length > kMaxAccountMessageSize - kHeaderSize) return fail(Errc::malformed);
  const auto body = reader.take(length);
  if (!body) return std::nullopt;
  Reader fields(*body);
  PAKE_TRY(auto message, decode_body(static_cast<AccountMessageType>(bytes[0]), fields));
  PAKE_TRYV(fields.finish());
  return LeadingAccountMessage{.message = std::move(message), .size = kHeaderSize + length};
}

Buffer MigrationOffer::encode() const {
  check(kind_of(suite) == HandshakeKind::login);
  return Writer(kSize).u8(std::to_underlying(suite)).u8(std::to_underlying(ksf)).take();
}

Result<MigrationOffer> MigrationOffer::decode(Bytes argument) {
  Reader reader(argument);
  MigrationOffer offer;
  PAKE_TRY(offer.suite, login_suite(reader));
  PAKE_TRY(offer.ksf, ksf_profile(reader));
  PAKE_TRYV(reader.finish());
  return offer;
}

Buffer record_login_context(Bytes exported) {
  return Writer(16 + exported.size()).put(as_bytes("pake/1 record")).put(exported).take();
}

}  // namespace pake::channel
