#include "pake/channel/program_status.h"

#include <algorithm>
#include <utility>

#include "pake/base/writer.h"

namespace pake::channel {

Buffer encode_status_request(StatusTag tag) { return Writer().put(as_bytes(kStatusService)).put(tag).take(); }

std::optional<StatusTag> find_status_request(Bytes argument) noexcept {
  StatusTag tag{};
  const auto service = as_bytes(kStatusService);
  if (argument.size() != service.size() + tag.size() || !std::ranges::equal(argument.first(service.size()), service))
    return std::nullopt;
  std::ranges::copy(argument.last(tag.size()), tag.begin());
  return tag;
}

Buffer ProgramStatus::encode() const { return Writer(kSize).put(tag).u8(std::to_underlying(how)).u8(value).take(); }

Result<ProgramStatus> ProgramStatus::decode(Bytes argument) noexcept {
  if (argument.size() != kSize || argument[4] > std::to_underlying(How::killed)) return fail(Errc::malformed);
  ProgramStatus status{.tag = {}, .how = static_cast<How>(argument[4]), .value = argument[5]};
  std::ranges::copy(argument.first<4>(), status.tag.begin());
  if (status.how == How::killed && status.value == 0) return fail(Errc::malformed);
  return status;
}

}  // namespace pake::channel
