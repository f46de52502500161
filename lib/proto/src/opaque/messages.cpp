#include "pake/proto/opaque/messages.h"

#include <algorithm>

#include "opaque/suite.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::opaque {
namespace {

Result<OprfElement> take_oprf_element(Reader& reader, const Suite& suite) {
  PAKE_TRY(const auto bytes, reader.take(suite.sizes().Noe));
  return suite.decode_oprf_element(bytes);
}

Result<PublicKey> take_public_key(Reader& reader, const Suite& suite) {
  PAKE_TRY(const auto bytes, reader.take(suite.sizes().Npk));
  return suite.decode_public_key(bytes);
}

Result<Nonce> take_nonce(Reader& reader) {
  PAKE_TRY(const auto bytes, reader.take(kNn));
  Nonce nonce;
  std::ranges::copy(bytes, nonce.begin());
  return nonce;
}

Result<Buffer> take_buffer(Reader& reader, std::size_t size) {
  PAKE_TRY(const auto bytes, reader.take(size));
  return to_buffer(bytes);
}

/// A reader of exactly `size` bytes: with it, nothing is computed for a message of another length.
Result<Reader> reader_of(Bytes bytes, std::size_t size) {
  if (bytes.size() != size) return fail(Errc::malformed);
  return Reader(bytes);
}

}  // namespace

PublicKey PublicKey::copy() const {
  if (const auto* const point = u()) return PublicKey(crypto::X25519Point::copy_of(point->reveal()));
  return PublicKey(element()->copy());
}

Buffer RegistrationRequest::encode(SuiteId suite) const { return Suite(suite).encode_oprf_element(blinded_message); }

Result<RegistrationRequest> RegistrationRequest::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  PAKE_TRY(auto blinded_message, Suite(id).decode_oprf_element(bytes));
  return RegistrationRequest{.blinded_message = std::move(blinded_message)};
}

Buffer RegistrationResponse::encode(SuiteId id) const {
  const Suite suite(id);
  return Writer(suite.sizes().registration_response())
      .put(suite.encode_oprf_element(evaluated_message))
      .put(suite.encode_to_send(server_public_key))
      .take();
}

Result<RegistrationResponse> RegistrationResponse::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  PAKE_TRY(auto reader, reader_of(bytes, suite.sizes().registration_response()));
  PAKE_TRY(const auto evaluated_message, reader.take(suite.sizes().Noe));
  PAKE_TRY(const auto server_public_key, reader.take(suite.sizes().Npk));
  PAKE_TRY(auto decoded, suite.ake().decode_element_and_key(evaluated_message, server_public_key));
  return RegistrationResponse{.evaluated_message = std::move(decoded.element),
                              .server_public_key = std::move(decoded.key)};
}

Buffer RegistrationRecord::encode(SuiteId id) const {
  const Suite suite(id);
  return Writer(suite.sizes().registration_record())
      .put(suite.encode_to_send(client_public_key))
      .put(masking_key.reveal())
      .put(envelope)
      .take();
}

Result<RegistrationRecord> RegistrationRecord::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  const auto& sizes = suite.sizes();
  PAKE_TRY(auto reader, reader_of(bytes, sizes.registration_record()));
  PAKE_TRY(auto client_public_key, take_public_key(reader, suite));
  PAKE_TRY(const auto masking_key, reader.take(sizes.Nh));
  PAKE_TRY(auto envelope, take_buffer(reader, sizes.envelope()));
  return RegistrationRecord{.client_public_key = std::move(client_public_key),
                            .masking_key = crypto::Digest::copy_of(masking_key),
                            .envelope = std::move(envelope)};
}

Buffer KE1::encode(SuiteId id) const {
  const Suite suite(id);
  return Writer(suite.sizes().KE1())
      .put(suite.encode_oprf_element(blinded_message))
      .put(client_nonce)
      .put(suite.encode_to_send(client_public_keyshare))
      .take();
}

Result<KE1> KE1::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  PAKE_TRY(auto reader, reader_of(bytes, suite.sizes().KE1()));
  PAKE_TRY(const auto blinded_message, reader.take(suite.sizes().Noe));
  PAKE_TRY(const auto client_nonce, take_nonce(reader));
  PAKE_TRY(const auto client_public_keyshare, reader.take(suite.sizes().Npk));
  PAKE_TRY(auto decoded, suite.ake().decode_element_and_key(blinded_message, client_public_keyshare));
  return KE1{.blinded_message = std::move(decoded.element),
             .client_nonce = client_nonce,
             .client_public_keyshare = std::move(decoded.key)};
}

Buffer CredentialResponse::encode(SuiteId id) const {
  const Suite suite(id);
  return Writer(suite.sizes().credential_response())
      .put(suite.encode_oprf_element(evaluated_message))
      .put(masking_nonce)
      .put(masked_response)
      .take();
}

Result<CredentialResponse> CredentialResponse::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  PAKE_TRY(auto reader, reader_of(bytes, suite.sizes().credential_response()));
  PAKE_TRY(auto evaluated_message, take_oprf_element(reader, suite));
  PAKE_TRY(const auto masking_nonce, take_nonce(reader));
  PAKE_TRY(auto masked_response, take_buffer(reader, suite.sizes().masked_response()));
  return CredentialResponse{.evaluated_message = std::move(evaluated_message),
                            .masking_nonce = masking_nonce,
                            .masked_response = std::move(masked_response)};
}

Buffer KE2::encode(SuiteId id) const {
  const Suite suite(id);
  return Writer(suite.sizes().KE2())
      .put(credential_response.encode(id))
      .put(server_nonce)
      .put(suite.encode_to_send(server_public_keyshare))
      .put(server_mac)
      .take();
}

Result<KE2> KE2::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  const auto& sizes = suite.sizes();
  PAKE_TRY(auto reader, reader_of(bytes, sizes.KE2()));
  PAKE_TRY(const auto evaluated_message, reader.take(sizes.Noe));
  PAKE_TRY(const auto masking_nonce, take_nonce(reader));
  PAKE_TRY(auto masked_response, take_buffer(reader, sizes.masked_response()));
  PAKE_TRY(const auto server_nonce, take_nonce(reader));
  PAKE_TRY(const auto server_public_keyshare, reader.take(sizes.Npk));
  PAKE_TRY(auto server_mac, take_buffer(reader, sizes.Nh));
  PAKE_TRY(auto decoded, suite.ake().decode_element_and_key(evaluated_message, server_public_keyshare));
  return KE2{.credential_response = {.evaluated_message = std::move(decoded.element),
                                     .masking_nonce = masking_nonce,
                                     .masked_response = std::move(masked_response)},
             .server_nonce = server_nonce,
             .server_public_keyshare = std::move(decoded.key),
             .server_mac = std::move(server_mac)};
}

Buffer KE3::encode(SuiteId /*id*/) const { return client_mac; }

Result<KE3> KE3::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  if (bytes.size() != sizes(id).KE3()) return fail(Errc::malformed);
  return KE3{.client_mac = to_buffer(bytes)};
}

}  // namespace pake::opaque
