// How two who have met behind a server look for a way past it: docs/wire.md, section 15.1. These messages pass inside
// the channel of a code that both have proved, on a stream of their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

inline constexpr std::size_t kMaxDirectAddresses = 8;
inline constexpr std::uint16_t kLeastDirectPort = 1024;

enum class AddressFamily : std::uint8_t { v4 = 4, v6 = 6 };  // on the wire: never renumber

/// Where a side listens.
struct DirectAddress {
  AddressFamily family{};
  std::array<std::uint8_t, 16> bytes{};  // of IPv4 the first four; else zeros
  std::uint16_t port = 0;

  [[nodiscard]] Bytes host() const noexcept { return Bytes(bytes).first(family == AddressFamily::v4 ? 4 : 16); }
  friend bool operator==(const DirectAddress&, const DirectAddress&) = default;
};

/// Whether it may be told and dialled: of one machine, and neither loopback, multicast, broadcast or unspecified, nor
/// link-local in IPv6 (it says nothing without an interface), nor IPv4 in IPv6's clothes; its port is 1024 or above.
[[nodiscard]] bool is_direct(const DirectAddress& address) noexcept;

/// The first message of each side.
struct DirectAddresses {
  std::vector<DirectAddress> list;  // at most kMaxDirectAddresses, each `is_direct`, none twice
  friend bool operator==(const DirectAddresses&, const DirectAddresses&) = default;
};

/// From the side that waited at the server, once: whether it has reached the other one at one of its addresses.
struct DirectReached {
  bool is_reached = false;
  friend bool operator==(const DirectReached&, const DirectReached&) = default;
};

enum class DirectWay : std::uint8_t {  // on the wire: never renumber
  none = 0,                            // the channel through the server stays
  by_joiner = 1,                       // the side that joined has dialled
  by_waiter = 2,                       // the side that waited has
};

/// From the side that joined, the last message.
struct DirectChoice {
  DirectWay way{};
  friend bool operator==(const DirectChoice&, const DirectChoice&) = default;
};

using DirectMessage = std::variant<DirectAddresses, DirectReached, DirectChoice>;

/// type (1) || length of the body (1) || body
struct DirectHeader {
  static constexpr std::size_t kSize = 2;
  static constexpr std::size_t kMaxBody = 1 + kMaxDirectAddresses * (1 + 16 + 2);
};

/// With its header.
[[nodiscard]] Buffer encode(const DirectMessage& message);
/// Of one whole message, header included.
[[nodiscard]] Result<DirectMessage> decode_direct(Bytes message);

}  // namespace pake::channel

PAKE_EXPORT_END
