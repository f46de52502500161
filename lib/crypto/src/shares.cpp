#include "pake/crypto/shares.h"

#include "pake/base/ct.h"
#include "pake/crypto/prf.h"

namespace pake::crypto {

std::uint32_t draw_share(std::span<const std::uint8_t, 32> key, Bytes name) noexcept {
  const auto drawn = prf(key, "pake/1 share", name);
  std::uint32_t draw = 0;
  for (const auto byte : drawn.reveal().first<4>()) draw = draw << 8U | byte;
  return declassify_value(draw);  // it decides which keys answer, and the answer shows them
}

}  // namespace pake::crypto
