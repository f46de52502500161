#include "pake/proto/opaque/server_keys.h"

#include <array>

#include "octets.h"
#include "opaque/key_schedule.h"
#include "opaque/suite.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/proto/oprf/oprf.h"

namespace pake::opaque {

namespace {

constexpr std::uint8_t kVersion = 1;

// version || suite, and the suite's sizes.
Result<Sizes> take_suite(Reader& reader, SuiteId& suite) {
  PAKE_TRY(const auto version, reader.u8());
  PAKE_TRY(const auto byte, reader.u8());
  if (version != kVersion) return fail(Errc::malformed);
  PAKE_TRY(suite, decode_suite_id(byte));
  return sizes(suite);
}

// 00, or 01 and `size` bytes.
Result<Bytes> take_optional(Reader& reader, std::size_t size) {
  PAKE_TRY(const auto has, reader.u8());
  if (has > 1) return fail(Errc::malformed);
  return reader.take(has == 0 ? 0 : size);
}

}  // namespace

Buffer KeyOperation::encode() const {
  return Writer()
      .u8(kVersion)
      .u8(static_cast<std::uint8_t>(suite))
      .put_lp2(credential_identifier)
      .put(blinded_message)
      .u8(client_public_keyshare.empty() ? 0 : 1)
      .put(client_public_keyshare)
      .take();
}

Result<KeyOperation> KeyOperation::decode(Bytes bytes) {
  Reader reader(bytes);
  KeyOperation operation{};
  PAKE_TRY(const auto of, take_suite(reader, operation.suite));
  PAKE_TRY(const auto credential_identifier, reader.take_lp2());
  PAKE_TRY(const auto blinded_message, reader.take(of.Noe));
  PAKE_TRY(const auto keyshare, take_optional(reader, of.Npk));
  PAKE_TRYV(reader.finish());
  if (credential_identifier.empty()) return fail(Errc::malformed);
  operation.credential_identifier = to_buffer(credential_identifier);
  operation.blinded_message = to_buffer(blinded_message);
  operation.client_public_keyshare = to_buffer(keyshare);
  return operation;
}

SecretBuffer KeyOperationAnswer::encode(SuiteId suite) const {
  const std::uint8_t head[] = {kVersion, static_cast<std::uint8_t>(suite)};
  const std::uint8_t has_dh2[] = {static_cast<std::uint8_t>(dh2.empty() ? 0 : 1)};
  return concat({head, evaluated_message, has_dh2, dh2.reveal()});
}

Result<KeyOperationAnswer> KeyOperationAnswer::decode(SuiteId suite, Bytes bytes) {
  Reader reader(bytes);
  SuiteId found{};
  PAKE_TRY(const auto of, take_suite(reader, found));
  PAKE_TRY(const auto evaluated_message, reader.take(of.Noe));
  PAKE_TRY(const auto dh2, take_optional(reader, of.Npk));
  PAKE_TRYV(reader.finish());
  if (found != suite) return fail(Errc::malformed);
  return KeyOperationAnswer{.evaluated_message = to_buffer(evaluated_message),
                            .dh2 = SecretUpTo<crypto::kMaxElementSize>::copy_of(dh2)};
}

ServerKeys::ServerKeys(SuiteId suite, Digest oprf_seed, PrivateKey private_key, Buffer public_key) noexcept
    : suite_(suite),
      oprf_seed_(std::move(oprf_seed)),
      private_key_(std::move(private_key)),
      public_key_(std::move(public_key)) {}

Result<ServerKeys> ServerKeys::generate(SuiteId id, Rng& rng) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  auto oprf_seed = Digest::make(suite.sizes().Nh, [&](MutableBytes out) { rng.fill(out); });
  PAKE_TRY(auto pair, suite.derive_diffie_hellman_key_pair(random_seed(rng)));
  return ServerKeys(id, std::move(oprf_seed), std::move(pair.private_key), suite.encode_to_send(pair.public_key));
}

Result<ServerKeys> ServerKeys::decode(SuiteId id, const Encoded& secrets) {
  PAKE_TRYV(check_suite(id));
  const Suite suite(id);
  if (secrets.oprf_seed.size() != suite.sizes().Nh) return fail(Errc::malformed);
  PAKE_TRY(auto private_key, suite.ake().decode_private_key(secrets.private_key));
  PAKE_TRY(const auto public_key, suite.ake().public_key_of(private_key));
  return ServerKeys(id, Digest::copy_of(secrets.oprf_seed), std::move(private_key), suite.encode_to_send(public_key));
}

Result<KeyOperationAnswer> ServerKeys::answer(const KeyOperation& operation) const {
  if (operation.suite != suite_) return fail(Errc::misuse);
  PAKE_TRYV(check_given(operation.credential_identifier));
  const Suite suite(suite_);
  PAKE_TRY(const auto blinded_message, suite.decode_oprf_element(operation.blinded_message));
  PAKE_TRY(const auto oprf_key, derive_oprf_key(suite, oprf_seed_, operation.credential_identifier));
  PAKE_TRY(const auto evaluated, oprf::blind_evaluate(suite.oprf(), oprf_key, blinded_message));
  KeyOperationAnswer answer{.evaluated_message = suite.encode_oprf_element(evaluated), .dh2 = {}};
  if (operation.client_public_keyshare.empty()) return answer;

  PAKE_TRY(const auto client_public_keyshare, suite.decode_public_key(operation.client_public_keyshare));
  std::array<DiffieHellman, 1> dh2 = {{{&private_key_, &client_public_keyshare}}};
  PAKE_TRYV(suite.ake().diffie_hellman(dh2));
  answer.dh2 = std::move(dh2[0].result);
  return answer;
}

}  // namespace pake::opaque
