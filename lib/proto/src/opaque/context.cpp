#include "pake/proto/opaque/context.h"

#include <variant>

#include "pake/base/writer.h"
#include "pake/proto/opaque/identities.h"

namespace pake::opaque {
namespace {

struct KsfWriter {
  Writer& writer;

  void operator()(const crypto::Argon2id& argon2id) const {
    writer.u8(1).u8(0x13).u32(argon2id.memory_kib).u32(argon2id.passes).u32(argon2id.lanes);
    writer.u16(static_cast<std::uint16_t>(argon2id.tag_length)).put_lp2(argon2id.salt);
  }
  void operator()(const crypto::Scrypt& scrypt) const {
    writer.u8(2).u64(scrypt.N).u32(scrypt.r).u32(scrypt.p);
    writer.u16(static_cast<std::uint16_t>(scrypt.output_length)).put_lp2(scrypt.salt);
  }
  void operator()(crypto::IdentityWithoutAnyProtection) const { writer.u8(3); }
};

struct SaltSize {
  std::size_t operator()(const auto& ksf) const noexcept { return ksf.salt.size(); }
  std::size_t operator()(crypto::IdentityWithoutAnyProtection) const noexcept { return 0; }
};

}  // namespace

Result<Buffer> toolkit_context(SuiteId suite, const crypto::KsfParameters& ksf, Bytes application) {
  if (application.size() > kMaxInputSize || std::visit(SaltSize{}, ksf) > kMaxInputSize) return fail(Errc::misuse);
  Writer writer;
  writer.put_lp2(as_bytes("pake opaque context 1")).u8(static_cast<std::uint8_t>(suite));
  std::visit(KsfWriter{writer}, ksf);
  writer.put_lp2(application);
  if (writer.bytes().size() > kMaxInputSize) return fail(Errc::misuse);
  return writer.take();
}

}  // namespace pake::opaque
