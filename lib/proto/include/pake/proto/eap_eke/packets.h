// EAP-EKE's packets (RFC 6124, Section 4), whole EAP packets from the Code octet on:
//
//   Code (1) || Identifier (1) || Length (2) || Type (1) = 53 || EKE-Exch (1) || data
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake::eap_eke {

enum class Code : std::uint8_t { request = 1, response = 2 };                         // on the wire: never renumber
enum class Exchange : std::uint8_t { id = 1, commit = 2, confirm = 3, failure = 4 };  // on the wire: never renumber

/// Section 7.1 to 7.4. Groups 1 and 2 are for old peers alone, and SHA-1 is what everybody must have.
enum class Group : std::uint8_t {  // on the wire: never renumber
  eke_2_weak = 1,                  // 1024 bits
  eke_5_weak = 2,                  // 1536 bits
  eke_14 = 3,                      // 2048 bits
  eke_15 = 4,                      // 3072 bits
  eke_16 = 5,                      // 4096 bits
};
enum class Hmac : std::uint8_t { sha1 = 1, sha2_256 = 2 };  // of PRFs and MACs; on the wire: never renumber

/// A choice of algorithms. The encryption is AES-128-CBC, the one there is.
struct Proposal {
  Group group = Group::eke_16;
  Hmac prf = Hmac::sha2_256;
  Hmac mac = Hmac::sha2_256;
  friend bool operator==(const Proposal&, const Proposal&) = default;
};
inline constexpr std::size_t kProposalSize = 4;

/// Section 7.5.
enum class IdType : std::uint8_t { opaque = 1, nai = 2, ipv4 = 3, ipv6 = 4, fqdn = 5, dn = 6 };

struct Identity {
  IdType type = IdType::nai;
  Buffer value;
};

/// Section 4.2.4.
enum class FailureCode : std::uint32_t {  // on the wire: never renumber
  no_error = 1,                           // the peer's acknowledgement
  protocol_error = 2,
  password_not_found = 3,
  authentication_failure = 4,
  authorization_failure = 5,
  no_proposal_chosen = 6,
};

inline constexpr std::size_t kHeaderSize = 6;
/// No packet here may be longer: the largest Commit/Response has 606 bytes without channel binding values.
inline constexpr std::size_t kMaxPacketSize = 1'500;
inline constexpr std::size_t kMaxIdentitySize = 255;

/// A view of a packet.
struct Packet {
  Code code;
  std::uint8_t identifier;
  Exchange exchange;
  Bytes data;
};
/// Errc::malformed unless the bytes are exactly one EAP-EKE packet with data of any content.
[[nodiscard]] Result<Packet> decode_packet(Bytes bytes);
[[nodiscard]] Buffer encode_packet(Code code, std::uint8_t identifier, Exchange exchange, Bytes data);
/// The packet's size as its header tells it: 0 while fewer than four bytes are there. Errc::malformed if it is below
/// kHeaderSize or above kMaxPacketSize.
[[nodiscard]] Result<std::size_t> packet_size(Bytes bytes);

/// The data of an ID exchange: NumProposals (1) || Reserved (1) || Proposals || IDType (1) || Identity. Unknown
/// proposals of a request are passed over, since a server may offer more than is known here.
struct IdMessage {
  std::vector<Proposal> proposals;
  std::size_t number_of_proposals;  // the unknown ones too
  Identity identity;
};
[[nodiscard]] Buffer encode_id(const std::vector<Proposal>& proposals, const Identity& identity);
/// Errc::malformed if the lengths do not fit, there is no proposal, or the identity is of no known type, or longer
/// than kMaxIdentitySize.
[[nodiscard]] Result<IdMessage> decode_id(Bytes data);

/// Errc::malformed unless the bytes are CBValues, one behind the other: type (2) || length (2) || value.
[[nodiscard]] Status check_channel_binding(Bytes values);

struct Failure {
  Code code;
  std::uint8_t identifier;
  FailureCode failure_code;
};
[[nodiscard]] Buffer encode_failure(const Failure& failure);
/// Errc::malformed for anything but a Failure with a known code.
[[nodiscard]] Result<Failure> decode_failure(Bytes packet);

}  // namespace pake::eap_eke

PAKE_EXPORT_END
