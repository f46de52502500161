#include "pake/channel/direct.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::channel {
namespace {

enum class Type : std::uint8_t {  // on the wire: never renumber
  addresses = 1,
  reached = 2,
  choice = 3,
};

bool begins_with_zeros(Bytes bytes, std::size_t count) {
  return std::ranges::all_of(bytes.first(count), [](std::uint8_t byte) { return byte == 0; });
}

bool is_direct_v4(Bytes host) {
  const auto first = host[0];
  return first != 0 && first != 127 && first < 224;  // this network; loopback; multicast, reserved and broadcast
}

// RFC 4291, Section 2.4. What begins with 64 zeros embeds IPv4, is loopback or unspecified, or is not assigned.
bool is_direct_v6(Bytes host) {
  if (begins_with_zeros(host, 8)) return false;
  const bool is_link_local = host[0] == 0xfe && (host[1] & 0xc0U) == 0x80;
  return host[0] != 0xff && !is_link_local;
}

Result<DirectAddress> decode_address(Reader& reader) {
  PAKE_TRY(const auto family, reader.u8());
  DirectAddress address{.family = static_cast<AddressFamily>(family)};
  if (address.family != AddressFamily::v4 && address.family != AddressFamily::v6) return fail(Errc::malformed);
  PAKE_TRY(const auto host, reader.take(address.host().size()));
  std::ranges::copy(host, address.bytes.begin());
  PAKE_TRY(address.port, reader.u16());
  if (!is_direct(address)) return fail(Errc::malformed);
  return address;
}

Result<DirectMessage> decode_addresses(Reader& reader) {
  PAKE_TRY(const auto count, reader.u8());
  if (count > kMaxDirectAddresses) return fail(Errc::malformed);
  DirectAddresses addresses;
  while (addresses.list.size() < count) {
    PAKE_TRY(const auto address, decode_address(reader));
    if (std::ranges::find(addresses.list, address) != addresses.list.end()) return fail(Errc::malformed);
    addresses.list.push_back(address);
  }
  PAKE_TRYV(reader.finish());
  return addresses;
}

Result<DirectMessage> decode_reached(Reader& reader) {
  PAKE_TRY(const auto value, reader.u8());
  PAKE_TRYV(reader.finish());
  if (value > 1) return fail(Errc::malformed);
  return DirectReached{.is_reached = value == 1};
}

Result<DirectMessage> decode_choice(Reader& reader) {
  PAKE_TRY(const auto value, reader.u8());
  PAKE_TRYV(reader.finish());
  if (value > std::to_underlying(DirectWay::by_waiter)) return fail(Errc::malformed);
  return DirectChoice{.way = static_cast<DirectWay>(value)};
}

struct Encoder {
  Writer body;
  Type operator()(const DirectAddresses& addresses) {
    if (addresses.list.size() > kMaxDirectAddresses) std::abort();
    body.u8(static_cast<std::uint8_t>(addresses.list.size()));
    for (const auto& address : addresses.list)
      body.u8(std::to_underlying(address.family)).put(address.host()).u16(address.port);
    return Type::addresses;
  }
  Type operator()(const DirectReached& reached) {
    body.u8(reached.is_reached ? 1 : 0);
    return Type::reached;
  }
  Type operator()(const DirectChoice& choice) {
    body.u8(std::to_underlying(choice.way));
    return Type::choice;
  }
};

}  // namespace

bool is_direct(const DirectAddress& address) noexcept {
  if (address.port < kLeastDirectPort) return false;
  return address.family == AddressFamily::v4 ? is_direct_v4(address.host()) : is_direct_v6(address.host());
}

Buffer encode(const DirectMessage& message) {
  Encoder encoder;
  const auto type = std::visit(encoder, message);
  return Writer(DirectHeader::kSize + encoder.body.bytes().size())
      .u8(std::to_underlying(type))
      .put_lp1(encoder.body.bytes())
      .take();
}

Result<DirectMessage> decode_direct(Bytes message) {
  Reader reader(message);
  PAKE_TRY(const auto type, reader.u8());
  PAKE_TRY(const auto body, reader.take_lp1());
  PAKE_TRYV(reader.finish());
  Reader inside(body);
  switch (static_cast<Type>(type)) {
    case Type::addresses:
      return decode_addresses(inside);
    case Type::reached:
      return decode_reached(inside);
    case Type::choice:
      return decode_choice(inside);
  }
  return fail(Errc::malformed);
}

}  // namespace pake::channel
