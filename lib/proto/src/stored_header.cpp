#include "stored_header.h"

#include "pake/base/writer.h"
#include "pake/crypto/ksf.h"
#include "pake/internal/try.h"

namespace pake {
namespace {

constexpr std::string_view kMagic = "pake";
constexpr std::uint8_t kVersion = 1;

}  // namespace

Buffer encode_stored_header(const StoredHeader& header) {
  return Writer(12)
      .put(as_bytes(kMagic))
      .u8(static_cast<std::uint8_t>(header.kind))
      .u8(kVersion)
      .u8(header.suite)
      .u8(header.ksf)
      .u32(header.epoch)
      .take();
}

Result<StoredHeader> take_stored_header(Reader& reader, StoredKind kind) {
  PAKE_TRY(const auto magic, reader.take(kMagic.size()));
  PAKE_TRY(const auto kind_byte, reader.u8());
  PAKE_TRY(const auto version, reader.u8());
  if (as_text(magic) != kMagic || kind_byte != static_cast<std::uint8_t>(kind) || version != kVersion)
    return fail(Errc::malformed);
  PAKE_TRY(const auto suite, reader.u8());
  PAKE_TRY(const auto ksf, reader.u8());
  if (ksf != 0) PAKE_TRYV(crypto::decode_ksf_profile(ksf));
  PAKE_TRY(const auto epoch, reader.u32());
  return StoredHeader{.kind = kind, .suite = suite, .ksf = ksf, .epoch = epoch};
}

}  // namespace pake
