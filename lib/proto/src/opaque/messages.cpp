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

template <class Message>
std::vector<Result<Message>> all_failed(std::size_t count, Errc error) {
  std::vector<Result<Message>> results;
  results.reserve(count);
  for (std::size_t i = 0; i < count; ++i) results.push_back(fail(error));
  return results;
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

namespace {

/// The record of the right size whose key, its first Npk bytes, has been decoded.
Result<RegistrationRecord> record_with(Result<PublicKey> key, const Suite& suite, Bytes bytes) {
  PAKE_TRY(auto client_public_key, std::move(key));
  const auto& sizes = suite.sizes();
  Reader reader(bytes.subspan(sizes.Npk));
  PAKE_TRY(const auto masking_key, reader.take(sizes.Nh));
  PAKE_TRY(auto envelope, take_buffer(reader, sizes.envelope()));
  return RegistrationRecord{.client_public_key = std::move(client_public_key),
                            .masking_key = crypto::Digest::copy_of(masking_key),
                            .envelope = std::move(envelope)};
}

}  // namespace

Result<RegistrationRecord> RegistrationRecord::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  if (bytes.size() != suite.sizes().registration_record()) return fail(Errc::malformed);
  return record_with(suite.decode_public_key(bytes.first(suite.sizes().Npk)), suite, bytes);
}

std::vector<Result<RegistrationRecord>> RegistrationRecord::decode_all(SuiteId id, std::span<const Bytes> batch) {
  if (!check_suite(id)) return all_failed<RegistrationRecord>(batch.size(), Errc::misuse);
  const Suite suite(id);
  const auto size = suite.sizes().registration_record();
  std::vector<Bytes> keys;
  for (const auto& bytes : batch)
    if (bytes.size() == size) keys.push_back(bytes.first(suite.sizes().Npk));
  auto decoded = suite.ake().decode_public_keys(keys);
  auto records = all_failed<RegistrationRecord>(batch.size(), Errc::malformed);
  auto key = decoded.begin();
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch[i].size() == size) records[i] = record_with(std::move(*key++), suite, batch[i]);
  return records;
}

Buffer KE1::encode(SuiteId id) const {
  const Suite suite(id);
  return Writer(suite.sizes().KE1())
      .put(suite.encode_oprf_element(blinded_message))
      .put(client_nonce)
      .put(suite.encode_to_send(client_public_keyshare))
      .take();
}

namespace {

Ake::Both points_of_KE1(const Suite& suite, Bytes bytes) {
  return {.oprf_element = bytes.first(suite.sizes().Noe), .key = bytes.last(suite.sizes().Npk)};
}
/// The KE1 of the right size whose points have been decoded.
Result<KE1> KE1_with(Result<ElementAndKey> points, const Suite& suite, Bytes bytes) {
  PAKE_TRY(auto decoded, std::move(points));
  Reader reader(bytes.subspan(suite.sizes().Noe));
  PAKE_TRY(const auto client_nonce, take_nonce(reader));
  return KE1{.blinded_message = std::move(decoded.element),
             .client_nonce = client_nonce,
             .client_public_keyshare = std::move(decoded.key)};
}

}  // namespace

Result<KE1> KE1::decode(SuiteId id, Bytes bytes) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  if (bytes.size() != suite.sizes().KE1()) return fail(Errc::malformed);
  const auto [blinded_message, client_public_keyshare] = points_of_KE1(suite, bytes);
  return KE1_with(suite.ake().decode_element_and_key(blinded_message, client_public_keyshare), suite, bytes);
}

std::vector<Result<KE1>> KE1::decode_all(SuiteId id, std::span<const Bytes> batch) {
  if (!check_suite(id)) return all_failed<KE1>(batch.size(), Errc::misuse);
  const Suite suite(id);
  const auto size = suite.sizes().KE1();
  std::vector<Ake::Both> points;
  for (const auto& bytes : batch)
    if (bytes.size() == size) points.push_back(points_of_KE1(suite, bytes));
  auto decoded = suite.ake().decode_elements_and_keys(points);
  auto messages = all_failed<KE1>(batch.size(), Errc::malformed);
  auto both = decoded.begin();
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch[i].size() == size) messages[i] = KE1_with(std::move(*both++), suite, batch[i]);
  return messages;
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
