// Any bytes are a stored verifier in exactly one way, or none. The first byte says whether what follows is given a
// header and the length of a group.
#include <algorithm>

#include "pake/proto/srp/srp.h"
#include "require.h"

using namespace pake;
using namespace pake::srp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Buffer input(data + 1, data + size);
  if (data[0] >= 128) {
    const Buffer header = {'p', 'a', 'k', 'e', 4, 1, static_cast<std::uint8_t>(data[0] % 8), 0, 0, 0, 0, 1};
    input.insert(input.begin(), header.begin(), header.end());
    if (input.size() > 15) input.resize(15 + std::size_t{input[14]} + 128);  // as long as 1024 bits ask for
  }
  if (const auto verifier = Verifier::decode(input)) {
    fuzz::require(is_valid(verifier->parameters()));
    fuzz::require(verifier->v().size() == group_size(verifier->parameters().group));
    const auto epoch =
        std::uint32_t{input[8]} << 24U | std::uint32_t{input[9]} << 16U | std::uint32_t{input[10]} << 8U | input[11];
    fuzz::require(std::ranges::equal(verifier->encode(epoch).reveal(), input));
  }
  return 0;
}
