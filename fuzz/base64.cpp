#include "pake/crypto/base64.h"

#include "require.h"

using namespace pake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  if (const auto bytes = crypto::base64_decode(input)) fuzz::require(crypto::base64_encode(*bytes) == to_buffer(input));
  fuzz::require(crypto::base64_decode(crypto::base64_encode(input)) == to_buffer(input));
  return 0;
}
