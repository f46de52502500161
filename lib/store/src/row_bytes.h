// The bytes within a row that are not sealed, and the checks that both backends make.
#pragma once

#include <string_view>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/store/error.h"
#include "pake/store/rows.h"

namespace pake::store {

/// A row that no pake writes: `corrupt`, with the way out.
[[nodiscard]] std::unexpected<StoreError> fail_altered(std::string_view what);

/// conflict: a new user's generation is not above those that its name has had.
[[nodiscard]] std::unexpected<StoreError> fail_used_generation(std::string_view name);

/// The digests of a bucket, one behind the other.
[[nodiscard]] Buffer encode_digests(const std::vector<HelloDigest>& digests);
[[nodiscard]] StoreResult<std::vector<HelloDigest>> decode_digests(Bytes bytes);

/// 01 || count (1) || count * (epoch (4) || suite || ksf profile || below (8))
[[nodiscard]] Buffer encode_shares(const std::vector<FakeShare>& shares);
[[nodiscard]] StoreResult<std::vector<FakeShare>> decode_shares(Bytes bytes);

/// conflict or misuse unless `next` may follow `last` (shares.h).
[[nodiscard]] StoreStatus require_next_step(const FakeShareStep& last, const FakeShareStep& next);

}  // namespace pake::store
