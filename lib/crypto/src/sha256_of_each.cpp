#include "pake/crypto/sha256_of_each.h"

#include <algorithm>

#include "pake/crypto/hash.h"
#include "sha256_ipsec_mb.h"

namespace pake::crypto {

void sha256_of_each(Bytes bytes, std::size_t size, MutableBytes hashes) noexcept {
#ifdef PAKE_IPSEC_MB
  if (sha256_by_ipsec_mb(bytes, size, hashes)) return;
#endif
  for (; !bytes.empty(); bytes = bytes.subspan(size), hashes = hashes.subspan(kSha256Size))
    std::ranges::copy(hash(HashId::sha256, {bytes.first(size)}).reveal(), hashes.begin());
}

}  // namespace pake::crypto
