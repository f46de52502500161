// Any bytes are a key file in exactly one way, or none, and the error has words. With a first byte that is odd, the
// checksum and the size are made right, so that what stands behind them is reached.
#include "pake/store/key_file.h"

#include <algorithm>

#include "pake/crypto/hash.h"
#include "require.h"

using namespace pake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Buffer input(data + 1, data + size);
  if (data[0] % 2 == 1 && input.size() >= 14 + 32) {
    std::ranges::copy(as_bytes("pakekeys"), input.begin());
    input[8] = 0;
    input[9] = 1;
    for (std::size_t i = 0; i < 4; ++i) input[10 + i] = static_cast<std::uint8_t>(input.size() >> (24 - 8 * i));
    const auto digest = crypto::hash(crypto::HashId::sha256, {Bytes(input).first(input.size() - 32)});
    std::ranges::copy(digest.reveal(), input.end() - 32);
  }
  const auto keys = store::KeyFile::decode(input, "f");
  if (!keys) {
    fuzz::require(!keys.error().message.empty() && !keys.error().hint.empty());
    return 0;
  }
  fuzz::require(std::ranges::equal(keys->encode().reveal(), input));
  for (const auto& entry : keys->epochs()) {
    fuzz::require(keys->find(entry.parameters.epoch, entry.parameters.suite) == &entry);
    fuzz::require(!store::fingerprint(entry.public_key).empty());
  }
  return 0;
}
