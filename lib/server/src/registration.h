// OPAQUE registration on the server's side.
#pragma once

#include <string_view>

#include "pake/base/rng.h"
#include "pake/base/secret.h"
#include "pake/server/keyring.h"
#include "pake/store/key_file.h"
#include "pake/store/rows.h"

namespace pake::server {

/// The buckets of registration answers: each tells something of an OPRF key. Strangers cannot drain them: an answer is
/// given inside a channel alone.
[[nodiscard]] store::BucketKey registration_bucket_of_code(const store::KeyFile& file, Bytes selector);
[[nodiscard]] store::BucketKey registration_bucket_of_name(const store::KeyFile& file, Bytes name);

/// Registers a password that the operator types here: both sides in this process, the KSF on this thread.
/// @param password  normalised
/// @return  an encoded opaque::StoredRecord
[[nodiscard]] store::StoreResult<SecretBuffer> register_here(const Keyring& keyring,
                                                             const store::CredentialParameters& parameters,
                                                             std::string_view name, const SecretBuffer& password,
                                                             Rng& rng);

}  // namespace pake::server
