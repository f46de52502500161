// The frames by which strangers meet, and the messages by which they look for a direct way: whatever decodes is encoded
// to the same bytes.
#include <algorithm>

#include "pake/channel/direct.h"
#include "pake/channel/meeting.h"
#include "require.h"

using namespace pake;
using namespace pake::channel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes body(data, size);
  if (const auto meet = Meet::decode(body))
    fuzz::require(std::ranges::equal(Bytes(meet->encode()).subspan(FrameHeader::kSize), body));
  if (const auto met = Met::decode(body))
    fuzz::require(std::ranges::equal(Bytes(met->encode()).subspan(FrameHeader::kSize), body));
  if (const auto direct = decode_direct(body)) {
    fuzz::require(std::ranges::equal(encode(*direct), body));
    if (const auto* const addresses = std::get_if<DirectAddresses>(&*direct))
      fuzz::require(addresses->list.size() <= kMaxDirectAddresses && std::ranges::all_of(addresses->list, is_direct));
  }
  return 0;
}
