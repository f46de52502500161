#include "pake/crypto/rsa.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <bit>
#include <string_view>

#include "openssl.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/crypto/base64.h"
#include "pake/internal/try.h"

namespace pake::crypto {
namespace {

// --- SubjectPublicKeyInfo, DER ---------------------------------------------------------------------------------------
// SEQUENCE { AlgorithmIdentifier { rsaEncryption, NULL }, BIT STRING { RSAPublicKey } }     RFC 3279, Section 2.3.1
// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }                     RFC 8017, Appendix A.1.1
//
// Read and written here and not by OpenSSL, whose decoder would take a stranger's bytes for any kind of key it knows.

constexpr std::uint8_t kInteger = 0x02;
constexpr std::uint8_t kBitString = 0x03;
constexpr std::uint8_t kSequence = 0x30;
constexpr std::array<std::uint8_t, 15> kRsaEncryption = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                                         0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/// Big-endian numbers without leading zeros.
struct PublicNumbers {
  Buffer n, e;
};

Buffer element(std::uint8_t tag, Bytes content) {
  Writer out(content.size() + 4);
  out.u8(tag);
  if (content.size() >= 0x100)
    out.u8(0x82).u16(static_cast<std::uint16_t>(content.size()));
  else if (content.size() >= 0x80)
    out.u8(0x81).u8(static_cast<std::uint8_t>(content.size()));
  else
    out.u8(static_cast<std::uint8_t>(content.size()));
  return out.put(content).take();
}

Buffer integer(Bytes magnitude) {
  Writer out(magnitude.size() + 1);
  if (magnitude.empty() || magnitude[0] >= 0x80) out.u8(0);
  return element(kInteger, out.put(magnitude).bytes());
}

Buffer encode_der(const PublicNumbers& key) {
  const auto rsa_public_key = element(kSequence, Writer().put(integer(key.n)).put(integer(key.e)).bytes());
  const auto bit_string = element(kBitString, Writer().u8(0).put(rsa_public_key).bytes());
  return element(kSequence, Writer().put(kRsaEncryption).put(bit_string).bytes());
}

Result<Bytes> take_element(Reader& in, std::uint8_t tag) {
  PAKE_TRY(const auto actual_tag, in.u8());
  if (actual_tag != tag) return fail(Errc::malformed);
  PAKE_TRY(std::size_t size, in.u8());
  if (size == 0x81) {
    PAKE_TRY(size, in.u8());
  } else if (size == 0x82) {
    PAKE_TRY(size, in.u16());
  } else if (size >= 0x80) {
    return fail(Errc::malformed);
  }
  return in.take(size);
}

Result<Buffer> take_integer(Reader& in) {
  PAKE_TRY(const auto content, take_element(in, kInteger));
  return Buffer(std::ranges::find_if(content, [](std::uint8_t octet) { return octet != 0; }), content.end());
}

/// Lenient: whoever calls compares with encode_der.
Result<PublicNumbers> decode_der(Bytes der) {
  Reader outer(der);
  PAKE_TRY(const auto info, take_element(outer, kSequence));
  Reader fields(info);
  PAKE_TRYV(fields.take(kRsaEncryption.size()));
  PAKE_TRY(const auto bit_string, take_element(fields, kBitString));
  Reader bits(bit_string);
  PAKE_TRYV(bits.u8());
  PAKE_TRY(const auto rsa_public_key, take_element(bits, kSequence));
  Reader numbers(rsa_public_key);
  PAKE_TRY(auto n, take_integer(numbers));
  PAKE_TRY(auto e, take_integer(numbers));
  return PublicNumbers{.n = std::move(n), .e = std::move(e)};
}

// --- PEM (RFC 7468) --------------------------------------------------------------------------------------------------

constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----\n";
constexpr std::string_view kEnd = "\n-----END PUBLIC KEY-----";
constexpr std::size_t kPemLine = 64;

std::string encode_pem(const PublicNumbers& key) {
  const auto text = base64_encode(encode_der(key));
  std::string pem(kBegin);
  for (std::size_t at = 0; at < text.size(); at += kPemLine) {
    if (at != 0) pem += '\n';
    pem += as_text(text).substr(at, kPemLine);
  }
  return pem += kEnd;
}

Result<PublicNumbers> decode_pem(std::string_view pem) {
  if (!pem.starts_with(kBegin) || !pem.ends_with(kEnd) || pem.size() < kBegin.size() + kEnd.size())
    return fail(Errc::malformed);
  Buffer text;
  for (const char c : pem.substr(kBegin.size(), pem.size() - kBegin.size() - kEnd.size()))
    if (c != '\n') text.push_back(static_cast<std::uint8_t>(c));
  PAKE_TRY(const auto der, base64_decode(text));
  PAKE_TRY(auto key, decode_der(der));
  if (encode_pem(key) != pem) return fail(Errc::malformed);
  return key;
}

// --- OpenSSL's keys --------------------------------------------------------------------------------------------------

std::size_t bit_length(Bytes number) {
  return number.empty() ? 0 : 8 * (number.size() - 1) + static_cast<std::size_t>(std::bit_width(number[0]));
}

BnPtr to_bn(Bytes number) {
  BnPtr bn(BN_bin2bn(number.data(), static_cast<int>(number.size()), nullptr));
  must(bn != nullptr);
  return bn;
}

PkeyPtr to_pkey(const PublicNumbers& key) {
  const auto n = to_bn(key.n);
  const auto e = to_bn(key.e);
  const ParamsBuilderPtr builder(OSSL_PARAM_BLD_new());
  must(builder != nullptr && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
       OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1);
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* pkey = nullptr;
  must(params != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
       EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_PUBLIC_KEY, params.get()) == 1);
  return PkeyPtr(pkey);
}

Buffer number_of(const EVP_PKEY* pkey, const char* name) {
  BIGNUM* out = nullptr;
  must(EVP_PKEY_get_bn_param(pkey, name, &out) == 1);
  const BnPtr number(out);
  Buffer bytes(static_cast<std::size_t>(BN_num_bytes(out)));
  BN_bn2bin(out, bytes.data());
  return bytes;
}

PublicNumbers numbers_of(const EVP_PKEY* pkey) {
  return {.n = number_of(pkey, OSSL_PKEY_PARAM_RSA_N), .e = number_of(pkey, OSSL_PKEY_PARAM_RSA_E)};
}

/// EVP_PKEY_encrypt or EVP_PKEY_decrypt with RSA_NO_PADDING: the bare RSAEP and RSADP of RFC 8017, Section 5.1, in
/// place. Errc::malformed when the number is not below the modulus.
Status raw_rsa(EVP_PKEY* pkey, decltype(&EVP_PKEY_encrypt_init) init, decltype(&EVP_PKEY_encrypt) apply,
               MutableBytes number) {
  const ErrorMark mark;
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
  must(context != nullptr && init(context.get()) == 1 &&
       EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
  auto size = number.size();
  if (apply(context.get(), number.data(), &size, number.data(), number.size()) != 1) return fail(Errc::malformed);
  return {};
}

/// 32 zeros in a row (2^-256 from a source that works) are Errc::unavailable.
Status fill_nonzero(MutableBytes out, Rng& rng) {
  rng.fill(out);
  for (auto& octet : out) {
    for (int refused = 0; octet == 0 && refused < 32; ++refused) rng.fill({&octet, 1});
    if (octet == 0) return fail(Errc::unavailable);
  }
  return {};
}

}  // namespace

struct RsaPublicKey::Key {
  PkeyPtr pkey;
  [[nodiscard]] std::size_t bits() const { return static_cast<std::size_t>(EVP_PKEY_get_bits(pkey.get())); }
  [[nodiscard]] std::size_t modulus_size() const { return (bits() + 7) / 8; }
};

RsaPublicKey::RsaPublicKey(std::unique_ptr<Key> key) noexcept : key_(std::move(key)) {}
RsaPublicKey::RsaPublicKey(RsaPublicKey&&) noexcept = default;
RsaPublicKey& RsaPublicKey::operator=(RsaPublicKey&&) noexcept = default;
RsaPublicKey::~RsaPublicKey() = default;

std::size_t RsaPublicKey::bits() const noexcept { return key_->bits(); }
std::size_t RsaPublicKey::modulus_size() const noexcept { return key_->modulus_size(); }

std::expected<RsaPublicKey, RsaKeyError> RsaPublicKey::from_pem(Bytes pem) {
  const auto text = as_text(pem);
  if (text.size() > kRsaMaxPemSize)
    return std::unexpected(text.starts_with(kBegin) ? RsaKeyError::too_large : RsaKeyError::not_pem);
  const auto key = decode_pem(text);
  if (!key) return std::unexpected(RsaKeyError::not_pem);
  const auto& [n, e] = *key;
  if (bit_length(n) < kRsaMinBits) return std::unexpected(RsaKeyError::too_small);
  if (bit_length(n) > kRsaMaxBits) return std::unexpected(RsaKeyError::too_large);
  if (n.back() % 2 == 0) return std::unexpected(RsaKeyError::even_modulus);
  const bool is_one = e.size() == 1 && e[0] == 1;
  if (e.empty() || e.size() > 4 || e.back() % 2 == 0 || is_one) return std::unexpected(RsaKeyError::bad_exponent);
  return RsaPublicKey(std::make_unique<Key>(to_pkey(*key)));
}

// RFC 8017, Section 7.2.1: EM = 0x00 || 0x02 || PS || 0x00 || M, PS of nonzero octets.
// The block is ours and not EVP's, which would draw PS from its own generator.
Result<Buffer> RsaPublicKey::encrypt(Bytes message, Rng& rng) const {
  must(message.size() + kRsaPkcs1Overhead <= modulus_size());
  const auto ps_size = modulus_size() - message.size() - 3;
  Buffer block(modulus_size());
  block[1] = 2;
  PAKE_TRYV(fill_nonzero(MutableBytes(block).subspan(2, ps_size), rng));
  std::ranges::copy(message, block.end() - static_cast<std::ptrdiff_t>(message.size()));
  must(raw_rsa(key_->pkey.get(), EVP_PKEY_encrypt_init, EVP_PKEY_encrypt, block)
           .has_value());  // EM < n: never malformed
  return block;
}

RsaKeyPair::RsaKeyPair(std::unique_ptr<RsaPublicKey::Key> key)
    : key_(std::move(key)), public_pem_(encode_pem(numbers_of(key_->pkey.get()))) {}
RsaKeyPair::RsaKeyPair(RsaKeyPair&&) noexcept = default;
RsaKeyPair& RsaKeyPair::operator=(RsaKeyPair&&) noexcept = default;
RsaKeyPair::~RsaKeyPair() = default;

std::size_t RsaKeyPair::bits() const noexcept { return key_->bits(); }
std::size_t RsaKeyPair::modulus_size() const noexcept { return key_->modulus_size(); }

Result<RsaKeyPair> RsaKeyPair::generate(std::size_t bits) {
  if (bits < kRsaMinBits || bits > kRsaMaxBits) return fail(Errc::misuse);
  PkeyPtr pkey(EVP_RSA_gen(static_cast<unsigned>(bits)));
  must(pkey != nullptr);
  return RsaKeyPair(std::make_unique<RsaPublicKey::Key>(std::move(pkey)));
}

Result<RsaKeyPair> RsaKeyPair::from_pkcs8(Bytes der) {
  using InfoPtr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Deleter<&PKCS8_PRIV_KEY_INFO_free>>;
  const ErrorMark mark;
  const auto* at = der.data();
  const InfoPtr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (info == nullptr || at != der.data() + der.size()) return fail(Errc::malformed);
  PkeyPtr pkey(EVP_PKCS82PKEY(info.get()));
  if (pkey == nullptr || EVP_PKEY_is_a(pkey.get(), "RSA") != 1) return fail(Errc::malformed);
  RsaKeyPair pair(std::make_unique<RsaPublicKey::Key>(std::move(pkey)));
  if (!RsaPublicKey::from_pem(as_bytes(pair.public_pem()))) return fail(Errc::malformed);
  return pair;
}

// RFC 8017, Section 7.2.2.
Result<SecretUpTo<kRsaMaxModulusSize>> RsaKeyPair::decrypt(Bytes ciphertext) const {
  if (ciphertext.size() != modulus_size()) return fail(Errc::malformed);
  Status decrypted;
  const auto block = SecretUpTo<kRsaMaxModulusSize>::make(ciphertext.size(), [&](MutableBytes out) {
    std::ranges::copy(ciphertext, out.begin());
    decrypted = raw_rsa(key_->pkey.get(), EVP_PKEY_decrypt_init, EVP_PKEY_decrypt, out);
  });
  PAKE_TRYV(decrypted);
  const auto EM = block.reveal();
  const auto separator = std::find(EM.begin() + 2, EM.end(), 0);
  const bool is_padded = EM[0] == 0 && EM[1] == 2 && separator != EM.end() && separator - EM.begin() >= 10;
  if (!is_padded) return fail(Errc::malformed);
  return SecretUpTo<kRsaMaxModulusSize>::copy_of({separator + 1, EM.end()});
}

}  // namespace pake::crypto
