// The fake-share table: under which parameters a name without an account is answered, so that during a migration such
// names move as those of users do. The table itself is pake/crypto/shares.h's; here its steps have numbers and times.
#pragma once

#include <cstdint>
#include <span>

#include "pake/store/rows.h"

namespace pake::store {

using crypto::kMaxShares;
using crypto::kWholeShare;

/// Whether a step's table is one.
[[nodiscard]] bool is_valid(const FakeShareStep& step) noexcept;

/// Whether `next` may follow `last`: the next number, not effective sooner, and no draw's entry moves back.
[[nodiscard]] bool may_follow(const FakeShareStep& last, const FakeShareStep& next);

/// The parameters of a name with this draw. The step is valid.
[[nodiscard]] const CredentialParameters& parameters_of(const FakeShareStep& step, std::uint32_t draw) noexcept;

/// The step in force at `now` among `steps` in their order: the last that is effective, or the first.
[[nodiscard]] const FakeShareStep& step_at(std::span<const FakeShareStep> steps, Time now) noexcept;

/// The step after `last` in which `parameters` have `share` of 2^32, at least what they had; new parameters are
/// appended. Every bound stays otherwise.
[[nodiscard]] FakeShareStep advanced(const FakeShareStep& last, const CredentialParameters& parameters,
                                     std::uint64_t share, Time effective_at);

}  // namespace pake::store
