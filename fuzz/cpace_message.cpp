// Any bytes are a share message in exactly one way, or none. The first byte picks the suite.
#include <algorithm>

#include "pake/proto/cpace/messages.h"
#include "require.h"

using namespace pake;
using namespace pake::cpace;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto suite = static_cast<Suite>(data[0] % 5);
  const Bytes input(data + 1, size - 1);

  const auto share = decode(suite, input);
  if (share) {
    fuzz::require(share->Y.size() == parameters(suite).share_size && share->AD.size() <= kMaxADSize);
    fuzz::require(std::ranges::equal(encode(*share), input));
    fuzz::require(input.size() >= min_message_size(suite) && input.size() <= max_message_size(suite, share->AD.size()));
  }
  const auto leading = decode_leading(suite, input);
  if (!leading || !*leading) {
    fuzz::require(!share);
    return 0;
  }
  const auto message = input.first((*leading)->size);
  fuzz::require(std::ranges::equal(encode((*leading)->share), message));
  fuzz::require(share.has_value() == (message.size() == input.size()));
  for (std::size_t length = message.size() - std::min<std::size_t>(message.size(), 8); length < message.size();
       ++length) {
    const auto unfinished = decode_leading(suite, input.first(length));
    fuzz::require(unfinished && !*unfinished);
  }
  return 0;
}
