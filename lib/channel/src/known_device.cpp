#include "known_device.h"

#include <algorithm>
#include <array>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/channel/messages.h"
#include "resumption.h"

namespace pake::channel {
namespace {

std::optional<Bytes> find_extension(Bytes extensions, std::uint16_t type) noexcept {
  Reader reader(extensions);
  while (!reader.rest().empty()) {
    const auto found = reader.u16();
    const auto data = reader.take_lp2();
    if (!found || !data) return std::nullopt;
    if (*found == type) return *data;
  }
  return std::nullopt;
}

std::optional<KnownDeviceExtension> decode(Bytes data) noexcept {
  Reader reader(data);
  const auto ticket = reader.take_lp2();
  if (!ticket || ticket->empty() || ticket->size() > kMaxTicketSize) return std::nullopt;
  const auto time = reader.u64();
  if (!time || reader.rest().size() != kProofSize) return std::nullopt;
  return KnownDeviceExtension{.ticket = *ticket, .time = *time, .binder = reader.rest()};
}

}  // namespace

std::optional<KnownDeviceExtension> find_known_device(Bytes extensions) noexcept {
  const auto data = find_extension(extensions, kKnownDevice);
  return data ? decode(*data) : std::nullopt;
}

bool says_no_device_place(Bytes extensions) noexcept { return find_extension(extensions, kNoDevicePlace).has_value(); }

Buffer encode_known_device(Bytes ticket, std::uint64_t time) {
  constexpr std::array<std::uint8_t, kProofSize> kZeros{};
  Writer data(2 + ticket.size() + 8 + kProofSize);
  data.put_lp2(ticket).u64(time).put(kZeros);
  return Writer(4 + data.bytes().size()).u16(kKnownDevice).put_lp2(data.bytes()).take();
}

Buffer without_binder(Bytes extensions) {
  auto list = to_buffer(extensions);
  if (const auto shown = find_known_device(list))
    std::ranges::fill(
        MutableBytes(list).subspan(static_cast<std::size_t>(shown->binder.data() - list.data()), shown->binder.size()),
        std::uint8_t{0});
  return list;
}

Transcript without_binder(Transcript before, Bytes body, Bytes binder) noexcept {
  constexpr std::array<std::uint8_t, kProofSize> kZeros{};
  const auto at = static_cast<std::size_t>(binder.data() - body.data());
  return before.add(body.first(at)).add(kZeros).add(body.subspan(at + binder.size()));
}

}  // namespace pake::channel
