#include "registration.h"

#include <utility>

#include "pake/base/writer.h"
#include "pake/channel/handshake.h"
#include "pake/crypto/ksf.h"
#include "pake/internal/try.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"

namespace pake::server {
namespace {

// What a registration's bucket is of. In buckets' names: never change.
store::BucketKey bucket(const store::KeyFile& file, std::string_view kind, Bytes identifier) {
  return file.bucket_key(store::BucketKind::registration, Writer().put_lp1(as_bytes(kind)).put(identifier).bytes());
}

Result<SecretBuffer> register_password(const Keyring::Member& member, const store::CredentialParameters& parameters,
                                       std::string_view name, const SecretBuffer& password, Rng& rng) {
  const auto suite = member.keys->suite();
  PAKE_TRY(const auto ksf, crypto::decode_ksf_profile(parameters.ksf_profile));
  opaque::ClientRegistration client(suite, SecretBuffer::copy_of(password.reveal()));
  PAKE_TRY(auto requested, std::move(client).create_registration_request(rng));
  // Nobody outside this process hears the answer.
  PAKE_TRY(const auto response,
           opaque::create_registration_response(requested.registration_request, *member.keys,
                                                channel::credential_identifier(as_bytes(name)), GuessPermit(nullptr)));
  const auto stretching = crypto::ksf_parameters(ksf, opaque::sizes(suite).Nh);
  PAKE_TRY(const auto finished, std::move(requested.next)
                                    .finalize_registration_request(
                                        response, {.identities = {.client = as_bytes(name)}, .ksf = stretching}, rng));
  PAKE_TRY(auto record, opaque::RegistrationRecord::decode(suite, finished.record));
  const opaque::StoredRecord stored{.suite = suite, .ksf = ksf, .epoch = parameters.epoch, .record = std::move(record)};
  return SecretBuffer::copy_of(stored.encode());
}

}  // namespace

store::BucketKey registration_bucket_of_code(const store::KeyFile& file, Bytes selector) {
  return bucket(file, "code", selector);
}

store::BucketKey registration_bucket_of_name(const store::KeyFile& file, Bytes name) {
  return bucket(file, "name", name);
}

store::StoreResult<SecretBuffer> register_here(const Keyring& keyring, const store::CredentialParameters& parameters,
                                               std::string_view name, const SecretBuffer& password, Rng& rng) {
  const auto* const member = keyring.find(parameters.epoch, parameters.suite);
  if (member == nullptr)
    return store::fail(store::StoreErrc::key_file_damaged, "the key file lacks the keys of the current epoch",
                       "copy the newest key file here");
  auto record = register_password(*member, parameters, name, password, rng);
  if (!record)
    return store::fail(store::StoreErrc::misuse, record.error() == Errc::unavailable
                                                     ? "there is not enough memory to stretch the password"
                                                     : "the password cannot be registered");
  return *std::move(record);
}

}  // namespace pake::server
