#include "pake/proto/cpace/cpace.h"

namespace pake::cpace {

SharedKey::SharedKey(crypto::HashId hash, ISK isk, Bytes received_AD, Buffer sid_output)
    : hash_(hash), isk_(std::move(isk)), received_AD_(to_buffer(received_AD)), sid_output_(std::move(sid_output)) {}

Result<SecretBuffer> SharedKey::session_key(std::string_view label, std::size_t size) const {
  if (isk_.empty() || size == 0 || size > 255 * crypto::output_size(hash_)) return fail(Errc::misuse);
  const auto prk = crypto::hkdf_extract(hash_, {}, {isk_.reveal()});
  return SecretBuffer::make(
      size, [&](MutableBytes out) { crypto::hkdf_expand(hash_, prk.reveal(), {as_bytes(label)}, out); });
}

}  // namespace pake::cpace
