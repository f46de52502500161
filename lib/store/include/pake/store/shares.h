// The fake-share table: under which parameters a name without an account is answered, so that during a migration such
// names move as those of users do.
//
// A step lists parameters from the oldest to the newest, each with a bound `below`, of 2^32. A name whose draw (32 bits
// of PRF(fake key, name), key_file.h) is `u` belongs to the newest entry with u < below. A later step may raise bounds
// and append entries, never lower or remove one that any draw still belongs to: so no name ever moves back.
#pragma once

#include <cstdint>
#include <span>

#include "pake/store/rows.h"

namespace pake::store {

inline constexpr std::uint64_t kWholeShare = std::uint64_t{1} << 32U;
inline constexpr std::size_t kMaxShares = 16;

/// Whether a step is one: 1 to kMaxShares entries of different parameters, the first with the whole share, none above.
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
