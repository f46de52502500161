#include "pake/proto/spake2plus/registration.h"

#include <bit>

#include "key_schedule.h"
#include "octets.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "stored_header.h"

namespace pake::spake2plus {
namespace {

using crypto::Group;

constexpr std::size_t kMaxPbkdfOutput = 1024;
constexpr std::size_t kMinServerSecret = 32;

Status require_known(Suite suite) {
  if (!decode_suite(static_cast<std::uint8_t>(suite))) return fail(Errc::misuse);
  return {};
}

}  // namespace

SecretBuffer pbkdf_input(Bytes password, const Identities& identities) {
  return spake::with_lengths({password, identities.prover, identities.verifier});
}

Result<ProverSecret> ProverSecret::from_pbkdf_output(Suite suite, Bytes output) {
  PAKE_TRYV(require_known(suite));
  const auto& of = parameters(suite);
  if (output.size() % 2 != 0 || output.size() < 2 * of.half_size || output.size() > kMaxPbkdfOutput)
    return fail(Errc::misuse);
  const auto& G = Group::get(of.group);
  auto w0 = G.reduce_scalar(output.first(output.size() / 2), std::endian::big);
  auto w1 = G.reduce_scalar(output.last(output.size() / 2), std::endian::big);
  if (Group::is_zero(w0) || Group::is_zero(w1)) return fail(Errc::malformed);
  return ProverSecret(suite, std::move(w0), std::move(w1));
}

Result<ProverSecret> ProverSecret::from_password(Suite suite, const crypto::KsfParameters& pbkdf, Bytes password,
                                                 const Identities& identities, std::size_t output_size) {
  PAKE_TRYV(require_known(suite));
  if (password.empty()) return fail(Errc::misuse);
  if (output_size == 0) output_size = 2 * parameters(suite).half_size;
  PAKE_TRY(const auto output, crypto::stretch(pbkdf, pbkdf_input(password, identities).reveal(), output_size));
  return from_pbkdf_output(suite, output.reveal());
}

Result<ProverSecret> ProverSecret::decode(Suite suite, Bytes bytes) {
  PAKE_TRYV(require_known(suite));
  const auto& of = parameters(suite);
  if (bytes.size() != 2 * of.scalar_size) return fail(Errc::malformed);
  PAKE_TRY(auto w0, spake::decode_scalar(of.group, bytes.first(of.scalar_size)));
  PAKE_TRY(auto w1, spake::decode_scalar(of.group, bytes.last(of.scalar_size)));
  return ProverSecret(suite, std::move(w0), std::move(w1));
}

SecretBuffer ProverSecret::encode() const {
  const auto group = parameters(suite_).group;
  return concat({spake::encode_scalar(w0_, group).reveal(), spake::encode_scalar(w1_, group).reveal()});
}

ProverSecret ProverSecret::copy() const {
  return {suite_, crypto::Scalar::copy_of(w0_.reveal()), crypto::Scalar::copy_of(w1_.reveal())};
}

VerifierRecord ProverSecret::verifier_record() const {
  auto L = Group::get(parameters(suite_).group).multiply_generator(w1_);
  if (!L) std::abort();  // w1 is neither zero nor the order
  return Access::record(suite_, crypto::Scalar::copy_of(w0_.reveal()), *std::move(L));
}

Result<VerifierRecord> VerifierRecord::decode(Suite suite, Bytes bytes) {
  PAKE_TRYV(require_known(suite));
  const auto& of = parameters(suite);
  if (bytes.size() != of.scalar_size + of.share_size) return fail(Errc::malformed);
  PAKE_TRY(auto w0, spake::decode_scalar(of.group, bytes.first(of.scalar_size)));
  PAKE_TRY(auto L, spake::decode(of.group, bytes.subspan(of.scalar_size)));
  return VerifierRecord(suite, std::move(w0), std::move(L));
}

SecretBuffer VerifierRecord::encode() const {
  const auto group = parameters(suite_).group;
  return concat({spake::encode_scalar(w0_, group).reveal(), spake::encode(group, L_).reveal()});
}

Result<VerifierRecord> VerifierRecord::fake(Suite suite, Bytes server_secret, Bytes name) {
  PAKE_TRYV(require_known(suite));
  if (server_secret.size() < kMinServerSecret) return fail(Errc::misuse);
  const auto& of = parameters(suite);
  const auto prk = crypto::hkdf_extract(crypto::HashId::sha512, {}, {server_secret});
  const std::array<std::uint8_t, 1> suite_byte = {static_cast<std::uint8_t>(suite)};
  const auto output = SecretBuffer::make(2 * of.half_size, [&](MutableBytes out) {
    crypto::hkdf_expand(crypto::HashId::sha512, prk.reveal(),
                        {as_bytes("pake spake2plus fake record"), suite_byte, name}, out);
  });
  PAKE_TRY(const auto secret, ProverSecret::from_pbkdf_output(suite, output.reveal()));
  return secret.verifier_record();
}

SecretBuffer StoredVerifierRecord::encode() const {
  return concat({encode_stored_header({.kind = StoredKind::spake2plus_record,
                                       .suite = static_cast<std::uint8_t>(record.suite()),
                                       .ksf = ksf,
                                       .epoch = epoch}),
                 record.encode().reveal()});
}

Result<StoredVerifierRecord> StoredVerifierRecord::decode(Bytes bytes) {
  Reader reader(bytes);
  PAKE_TRY(const auto header, take_stored_header(reader, StoredKind::spake2plus_record));
  PAKE_TRY(const auto suite, decode_suite(header.suite));
  PAKE_TRY(auto record, VerifierRecord::decode(suite, reader.rest()));
  return StoredVerifierRecord{.ksf = header.ksf, .epoch = header.epoch, .record = std::move(record)};
}

}  // namespace pake::spake2plus
