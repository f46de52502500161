#include "pake/proto/eap_eke/packets.h"

#include <array>
#include <utility>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::eap_eke {
namespace {

constexpr std::uint8_t kType = 53;
constexpr std::uint8_t kAes128Cbc = 1;

template <class Enum>
bool is_one_of(std::uint8_t value, Enum last) {
  return value >= 1 && value <= std::to_underlying(last);
}

/// Nothing for an algorithm that is unknown.
std::optional<Proposal> decode_proposal(Bytes bytes) {
  if (!is_one_of(bytes[0], Group::eke_16) || bytes[1] != kAes128Cbc || !is_one_of(bytes[2], Hmac::sha2_256) ||
      !is_one_of(bytes[3], Hmac::sha2_256))
    return std::nullopt;
  return Proposal{
      .group = static_cast<Group>(bytes[0]), .prf = static_cast<Hmac>(bytes[2]), .mac = static_cast<Hmac>(bytes[3])};
}

}  // namespace

Result<std::size_t> packet_size(Bytes bytes) {
  if (bytes.size() < 4) return 0;
  const auto size = std::size_t{bytes[2]} << 8U | bytes[3];
  if (size < kHeaderSize || size > kMaxPacketSize) return fail(Errc::malformed);
  return size;
}

Result<Packet> decode_packet(Bytes bytes) {
  if (bytes.size() < kHeaderSize) return fail(Errc::malformed);
  PAKE_TRY(const auto size, packet_size(bytes));
  if (size != bytes.size()) return fail(Errc::malformed);
  const auto code = bytes[0], exchange = bytes[5];
  if (!is_one_of(code, Code::response) || bytes[4] != kType || !is_one_of(exchange, Exchange::failure))
    return fail(Errc::malformed);
  return Packet{.code = static_cast<Code>(code),
                .identifier = bytes[1],
                .exchange = static_cast<Exchange>(exchange),
                .data = bytes.subspan(kHeaderSize)};
}

Buffer encode_packet(Code code, std::uint8_t identifier, Exchange exchange, Bytes data) {
  return Writer(kHeaderSize + data.size())
      .u8(std::to_underlying(code))
      .u8(identifier)
      .u16(static_cast<std::uint16_t>(kHeaderSize + data.size()))
      .u8(kType)
      .u8(std::to_underlying(exchange))
      .put(data)
      .take();
}

Buffer encode_id(const std::vector<Proposal>& proposals, const Identity& identity) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(proposals.size())).u8(0);
  for (const auto& [group, prf, mac] : proposals)
    writer.u8(std::to_underlying(group)).u8(kAes128Cbc).u8(std::to_underlying(prf)).u8(std::to_underlying(mac));
  return writer.u8(std::to_underlying(identity.type)).put(identity.value).take();
}

Result<IdMessage> decode_id(Bytes data) {
  Reader reader(data);
  PAKE_TRY(const auto number, reader.u8());
  PAKE_TRYV(reader.u8());  // reserved
  if (number == 0) return fail(Errc::malformed);
  IdMessage message = {.proposals = {}, .number_of_proposals = number, .identity = {}};
  for (std::size_t i = 0; i < number; ++i) {
    PAKE_TRY(const auto bytes, reader.take(kProposalSize));
    if (const auto proposal = decode_proposal(bytes)) message.proposals.push_back(*proposal);
  }
  PAKE_TRY(const auto type, reader.u8());
  if (!is_one_of(type, IdType::dn) || reader.rest().size() > kMaxIdentitySize) return fail(Errc::malformed);
  message.identity = {.type = static_cast<IdType>(type), .value = to_buffer(reader.rest())};
  return message;
}

Status check_channel_binding(Bytes values) {
  Reader reader(values);
  while (!reader.rest().empty()) {
    PAKE_TRYV(reader.u16());
    PAKE_TRY(const auto length, reader.u16());  // of type and length too
    if (length < 4) return fail(Errc::malformed);
    PAKE_TRYV(reader.take(length - 4U));
  }
  return {};
}

Buffer encode_failure(const Failure& failure) {
  return encode_packet(failure.code, failure.identifier, Exchange::failure,
                       Writer(4).u32(std::to_underlying(failure.failure_code)).take());
}

Result<Failure> decode_failure(Bytes packet) {
  PAKE_TRY(const auto decoded, decode_packet(packet));
  if (decoded.exchange != Exchange::failure) return fail(Errc::malformed);
  Reader reader(decoded.data);
  PAKE_TRY(const auto code, reader.u32());
  PAKE_TRYV(reader.finish());
  if (code < 1 || code > std::to_underlying(FailureCode::no_proposal_chosen)) return fail(Errc::malformed);
  return Failure{
      .code = decoded.code, .identifier = decoded.identifier, .failure_code = static_cast<FailureCode>(code)};
}

}  // namespace pake::eap_eke
