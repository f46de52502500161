#include "pake/channel/keys.h"

#include <array>
#include <cstdint>

#include "key_schedule.h"
#include "pake/crypto/aead.h"
#include "pake/crypto/hash.h"

namespace pake::channel {
namespace {

static_assert(sizeof(TrafficKey) == kTrafficKeySize, "an idle direction costs its key and nothing else");

std::array<std::uint8_t, 2> length_of(Bytes bytes) noexcept {
  return {static_cast<std::uint8_t>(bytes.size() >> 8U), static_cast<std::uint8_t>(bytes.size())};
}

// export(whose, label, context, L) = HKDF-Expand(exporter_secret,
//                                                "pake/1 export" || whose || lp2(label) || lp2(context) || L (u16), L)
Status export_for(std::string_view whose, const ExporterSecret& exporter_secret, std::string_view label, Bytes context,
                  MutableBytes out) noexcept {
  constexpr std::size_t kMaxSize = 255 * crypto::kMaxHashSize;
  if (out.size() > kMaxSize || label.size() > UINT16_MAX || context.size() > UINT16_MAX) return fail(Errc::misuse);
  const auto label_bytes = as_bytes(label);
  crypto::hkdf_expand(crypto::HashId::sha512, exporter_secret.reveal(),
                      {as_bytes("pake/1 export"), as_bytes(whose), length_of(label_bytes), label_bytes,
                       length_of(context), context, length_of(out)},
                      out);
  return {};
}

}  // namespace

AeadId fastest_aead() noexcept {
  return crypto::aes_gcm_in_hardware() ? AeadId::aes_256_gcm : AeadId::chacha20_poly1305;
}

// key' || iv' = HKDF-Expand(HKDF-Extract(salt = "", IKM = key || iv), "pake/1 ratchet", 44)
TrafficKey ratchet(const TrafficKey& key) noexcept {
  const auto prk = crypto::hkdf_extract(crypto::HashId::sha512, {}, {key.reveal()});
  return TrafficKey::make([&](MutableBytes out) { expand_label(prk.reveal(), "ratchet", out); });
}

Status export_keying_material(const ExporterSecret& exporter_secret, std::string_view label, Bytes context,
                              MutableBytes out) noexcept {
  return export_for(" user", exporter_secret, label, context, out);
}

Status export_keying_material(const ExporterSecret& exporter_secret, InternalLabel label, Bytes context,
                              MutableBytes out) noexcept {
  return export_for(" pake", exporter_secret, label.text, context, out);
}

}  // namespace pake::channel
