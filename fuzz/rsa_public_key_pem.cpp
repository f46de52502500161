// The input is a PEM, or DER, or changes to the DER of a good key; the latter two are spelled as a PEM here, so that
// mutations reach the inner decoder, whose bytes Base64 would hide.
#include <fuzzer/FuzzedDataProvider.h>

#include "pake/crypto/base64.h"
#include "pake/testing/fixed_rng.h"
#include "require.h"
#include "rsa_vectors.h"

using namespace pake;

namespace {

constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----\n";
constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";

std::string armoured(Bytes der) {
  const auto text = crypto::base64_encode(der);
  std::string pem(kBegin);
  for (std::size_t at = 0; at < text.size(); at += 64) pem += std::string(as_text(text).substr(at, 64)) + "\n";
  return pem.append(kEnd);
}

Buffer good_der() {
  std::string text;
  const auto pem = fuzz::fixed_pem();
  for (const char c : pem.substr(kBegin.size(), pem.size() - kBegin.size() - kEnd.size()))
    if (c != '\n') text += c;
  return crypto::base64_decode(as_bytes(text)).value();
}

std::string pem_of(FuzzedDataProvider& input) {
  switch (input.ConsumeIntegralInRange(0, 2)) {
    case 0:
      return input.ConsumeRemainingBytesAsString();
    case 1:
      return armoured(input.ConsumeRemainingBytes<std::uint8_t>());
    default: {
      static const auto good = good_der();
      auto der = good;
      while (input.remaining_bytes() > 0) {
        const auto at = input.ConsumeIntegralInRange<std::size_t>(0, der.size() - 1);
        der[at] = input.ConsumeIntegral<std::uint8_t>();
      }
      return armoured(der);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto key = crypto::RsaPublicKey::from_pem(as_bytes(pem_of(input)));
  if (!key) return 0;
  fuzz::require(crypto::kRsaMinBits <= key->bits() && key->bits() <= crypto::kRsaMaxBits);
  testing::SeededRng rng(size);
  const auto encrypted = key->encrypt(as_bytes("0123456789"), rng);
  fuzz::require(encrypted.has_value() && encrypted->size() == key->modulus_size());
  return 0;
}
