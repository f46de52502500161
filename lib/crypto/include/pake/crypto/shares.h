// Which of several parameters a name without an account is answered under, so that such names move as those of users do
// while a server changes its keys, suite or key stretching.
//
// A table lists parameters from the oldest to the newest, each with a bound `below`, of 2^32. A name whose draw is `u`
// belongs to the newest entry with u < below. A later table may raise bounds and append entries, never lower or remove
// one that any draw still belongs to: so no name ever moves back.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::crypto {

inline constexpr std::uint64_t kWholeShare = std::uint64_t{1} << 32U;
inline constexpr std::size_t kMaxShares = 16;

/// One entry of a table. `Parameters` are values that can be compared.
template <class Parameters>
struct Share {
  Parameters parameters{};
  std::uint64_t below = 0;  // of 2^32

  friend bool operator==(const Share&, const Share&) = default;
};

/// A name's draw: 32 bits of PRF(key, name). The key is one for all parameters, and lives as long as the accounts do.
[[nodiscard]] std::uint32_t draw_share(std::span<const std::uint8_t, 32> key, Bytes name) noexcept;

/// Whether a table is one: 1 to kMaxShares entries of different parameters, the first with the whole share, none above.
template <class Parameters>
[[nodiscard]] bool is_valid_table(std::span<const Share<Parameters>> table) noexcept {
  if (table.empty() || table.size() > kMaxShares || table.front().below != kWholeShare) return false;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].below > kWholeShare) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (table[j].parameters == table[i].parameters) return false;
  }
  return true;
}

/// The parameters of a name with this draw. The table is valid.
template <class Parameters>
[[nodiscard]] const Parameters& parameters_of(std::span<const Share<Parameters>> table, std::uint32_t draw) noexcept {
  for (auto i = table.size(); i-- > 1;)
    if (draw < table[i].below) return table[i].parameters;
  return table.front().parameters;
}

/// Whether `next` is valid and no draw's entry moves back from `last` to it.
template <class Parameters>
[[nodiscard]] bool moves_no_name_back(std::span<const Share<Parameters>> last,
                                      std::span<const Share<Parameters>> next) {
  if (!is_valid_table(next)) return false;
  // The places of parameters in time: those of `last` in its order, then what is new in `next`.
  std::vector<Parameters> in_time;
  for (const auto& share : last) in_time.push_back(share.parameters);
  const auto place = [&](const Parameters& parameters) {
    return static_cast<std::size_t>(std::ranges::find(in_time, parameters) - in_time.begin());
  };
  std::size_t previous = 0;
  for (const auto& share : next) {
    const auto at = place(share.parameters);
    if (at < previous) return false;
    if (at == in_time.size()) in_time.push_back(share.parameters);
    previous = at;
  }
  // The entry of a draw changes at bounds alone: it is enough to look on either side of each.
  std::vector<std::uint64_t> draws = {0};
  for (const auto& table : {last, next})
    for (const auto& share : table) {
      if (share.below > 0) draws.push_back(share.below - 1);
      if (share.below < kWholeShare) draws.push_back(share.below);
    }
  return std::ranges::all_of(draws, [&](std::uint64_t draw) {
    const auto u = static_cast<std::uint32_t>(draw);
    return place(parameters_of(next, u)) >= place(parameters_of(last, u));
  });
}

/// The table in which `parameters` have `share` of 2^32, at least what they had; new parameters are appended. Every
/// other bound stays.
template <class Parameters>
[[nodiscard]] std::vector<Share<Parameters>> with_share(std::vector<Share<Parameters>> table,
                                                        const Parameters& parameters, std::uint64_t share) {
  auto entry = std::ranges::find(table, parameters, [](const Share<Parameters>& of) { return of.parameters; });
  if (entry == table.end()) entry = table.insert(entry, Share<Parameters>{.parameters = parameters, .below = 0});
  entry->below = std::max(entry->below, std::min(share, kWholeShare));
  return table;
}

}  // namespace pake::crypto

PAKE_EXPORT_END
