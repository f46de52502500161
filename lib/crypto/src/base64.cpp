#include "pake/crypto/base64.h"

#include <sodium.h>

#include "pake/base/ct.h"

namespace pake::crypto {

Buffer base64_encode(Bytes bytes) {
  Buffer text(base64_size(bytes.size()) + 1);  // libsodium writes a NUL behind
  sodium_bin2base64(reinterpret_cast<char*>(text.data()), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

Result<Buffer> base64_decode(Bytes text) {
  if (text.size() % 4 != 0) return fail(Errc::malformed);
  Buffer bytes(text.size() / 4 * 3);
  if (bytes.empty()) return bytes;  // libsodium wants a place to write to
  std::size_t size = 0;
  if (sodium_base642bin(bytes.data(), bytes.size(), reinterpret_cast<const char*>(text.data()), text.size(), nullptr,
                        &size, nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return fail(Errc::malformed);
  bytes.resize(size);
  if (!ct_equal(base64_encode(bytes), text)) return fail(Errc::malformed);  // libsodium 1.0.18 takes 0xff for '/'
  return bytes;
}

}  // namespace pake::crypto
