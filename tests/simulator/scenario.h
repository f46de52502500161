// All that a seed decides before a run begins.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "application.h"
#include "harm.h"
#include "road.h"
#include "world.h"

namespace pake::channel::simulator {

enum class Category : std::uint8_t {
  awkward,   // an honest network
  cut,       // a transport that ends
  bytes,     // bytes changed, lost, repeated, inserted, in another order
  frames,    // the same to whole frames
  middle,    // someone who knows the protocol
  stranger,  // a client without the secret, every other one with someone in the middle who knows it no more
};
inline constexpr std::array kCategories = {Category::awkward, Category::cut,    Category::bytes,
                                           Category::frames,  Category::middle, Category::stranger};

[[nodiscard]] std::string_view to_string(Category category) noexcept;

struct Scenario {
  std::uint64_t seed = 0;
  Category category{};
  test::Plan plan;
  bool has_secret = true;  // the client knows the password, the code or the ticket's secret
  Traffic traffic;
  std::array<Weather, 2> weather{};                            // to the server, to the client
  std::array<std::size_t, 2> output_sizes = {65'536, 65'536};  // of the client, of the server
  std::size_t cached_keys = 4;
  std::optional<Harm> harm = {};
};

/// @param seed  any
[[nodiscard]] Scenario draw_scenario(std::uint64_t seed);
/// The run that `seed` makes, in words.
[[nodiscard]] std::string describe(const Scenario& scenario);

}  // namespace pake::channel::simulator
