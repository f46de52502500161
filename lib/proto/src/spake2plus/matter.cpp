#include "pake/proto/spake2plus/matter.h"

#include <algorithm>
#include <array>

#include "pake/crypto/hash.h"
#include "pake/crypto/ksf.h"
#include "pake/internal/try.h"

namespace pake::spake2plus::matter {

bool is_valid_passcode(std::uint32_t passcode) noexcept {
  constexpr std::array<std::uint32_t, 2> kTrivial = {12345678, 87654321};
  return passcode >= 1 && passcode <= 99999998 && passcode % 11111111 != 0 &&
         std::ranges::find(kTrivial, passcode) == kTrivial.end();
}

Result<ProverSecret> prover_secret(std::uint32_t passcode, Bytes salt, std::uint32_t iterations) {
  if (!is_valid_passcode(passcode) || salt.size() < kMinSaltSize || salt.size() > kMaxSaltSize ||
      iterations < kMinIterations || iterations > kMaxIterations)
    return fail(Errc::misuse);
  const auto passcode_le = Secret<4>::make([&](std::span<std::uint8_t, 4> out) {
    for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(passcode >> 8 * i);
  });
  PAKE_TRY(const auto output, crypto::pbkdf2(crypto::HashId::sha256, passcode_le.reveal(), salt, iterations,
                                             2 * parameters(kSuite).half_size));
  return ProverSecret::from_pbkdf_output(kSuite, output.reveal());
}

Buffer context(Bytes PBKDFParamRequest, Bytes PBKDFParamResponse) {
  return to_buffer(crypto::hash(crypto::HashId::sha256,
                                {as_bytes("CHIP PAKE V1 Commissioning"), PBKDFParamRequest, PBKDFParamResponse})
                       .reveal());
}

SessionKeys session_keys(const SharedKey& Ke) {
  const auto prk = crypto::hkdf_extract(crypto::HashId::sha256, {}, {Ke.reveal()});
  const auto keys = Secret<48>::make([&](MutableBytes out) {
    crypto::hkdf_expand(crypto::HashId::sha256, prk.reveal(), {as_bytes("SessionKeys")}, out);
  });
  return {.I2RKey = Secret<16>::copy_of(keys.reveal().first<16>()),
          .R2IKey = Secret<16>::copy_of(keys.reveal().subspan<16, 16>()),
          .AttestationChallenge = Secret<16>::copy_of(keys.reveal().last<16>())};
}

}  // namespace pake::spake2plus::matter
