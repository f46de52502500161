// AES-256-GCM by Intel's libipsec-mb, four times as fast as OpenSSL 3.0 if the processor has VAES. Its "direct"
// calls keep no state but what they are handed: one table of functions serves every thread.
#include <array>
#include <cstdint>
#include <optional>

#include "expanded_key.h"
#include "ipsec_mb.h"
#include "pake/base/ct.h"

namespace pake::crypto {
namespace {

struct Gcm256 {
  aes_gcm_pre_t expand;
  aes_gcm_enc_dec_t encrypt;
  aes_gcm_enc_dec_t decrypt;
};

/// Once: the functions serve without their manager.
std::optional<Gcm256> load(std::uint64_t processor, void (*init)(IMB_MGR*)) {
  const auto manager = make_ipsec_mb_manager(processor, init);
  if (manager == nullptr) return std::nullopt;
  return Gcm256{.expand = manager->gcm256_pre, .encrypt = manager->gcm256_enc, .decrypt = manager->gcm256_dec};
}

/// The compiler's question is also whether the system keeps those registers; the library's, what else is needed.
const std::optional<Gcm256>& gcm256(IpsecMbCode code) {
  static const auto vaes_avx512 =
      __builtin_cpu_supports("avx512f") ? load(IMB_CPUFLAGS_AVX512_T2, &init_mb_mgr_avx512) : std::nullopt;
  if (code == IpsecMbCode::vaes_avx512) return vaes_avx512;
  static const auto avx2 = __builtin_cpu_supports("avx2") ? load(IMB_CPUFLAGS_AVX2, &init_mb_mgr_avx2) : std::nullopt;
  return avx2;
}

class IpsecMbKey final : public ExpandedKey {
 public:
  IpsecMbKey(const Gcm256& functions, AeadKeyBytes key) : functions_(functions) {
    functions_.expand(key.data(), &schedule_);
  }
  ~IpsecMbKey() override {
    wipe({reinterpret_cast<std::uint8_t*>(&schedule_), sizeof schedule_});
    wipe({reinterpret_cast<std::uint8_t*>(&message_), sizeof message_});
  }

  void seal(AeadNonce nonce, Bytes associated_data, MutableBytes text, MutableAeadTag tag) noexcept override {
    functions_.encrypt(&schedule_, &message_, text.data(), text.data(), text.size(), nonce.data(),
                       associated_data.data(), associated_data.size(), tag.data(), kAeadTagSize);
  }

  // The library decrypts and says what the tag should have been: whether it was is for the caller to find out.
  Status open(AeadNonce nonce, Bytes associated_data, MutableBytes text, AeadTag tag) noexcept override {
    std::array<std::uint8_t, kAeadTagSize> computed;
    functions_.decrypt(&schedule_, &message_, text.data(), text.data(), text.size(), nonce.data(),
                       associated_data.data(), associated_data.size(), computed.data(), kAeadTagSize);
    const bool authentic = ct_equal(computed, tag);
    wipe(computed);  // of a forgery it is the tag that would have passed
    if (!authentic) {
      wipe(text);
      return fail(Errc::auth_failed);
    }
    return {};
  }

 private:
  const Gcm256& functions_;
  // Choice: aligned here, because the library's header forgets to unless its own build system says which system it is.
  alignas(64) gcm_key_data schedule_;
  alignas(64) gcm_context_data message_;
};

}  // namespace

std::unique_ptr<ExpandedKey> expand_by_ipsec_mb(IpsecMbCode code, AeadKeyBytes key) {
  const auto& functions = gcm256(code);
  return functions ? std::make_unique<IpsecMbKey>(*functions, key) : nullptr;
}

}  // namespace pake::crypto
