// A service that a user's client brings: docs/wire.md, section 16.
//
//   publisher's client                       server                            another user's client
//     -- OPEN "pake:publish", name ----------->
//     <- 01: others reach it from now on ------
//                                              <- OPEN name ---------------------
//     <- OPEN name, the other user's name -----
//     <= bytes both ways =====================  ================================>
#pragma once

#include <cstdint>
#include <string_view>

namespace pake::channel {

/// The service under which a client opens the stream that stands for a publication; its argument is the published name.
/// As long as the stream is open the name is his. For each stream that somebody opens under it, the server opens one at
/// the publisher, under the published name; the argument is the user's name.
inline constexpr std::string_view kPublishService = "pake:publish";
/// The one byte that the server sends on that stream, when the name is the publisher's.
inline constexpr std::uint8_t kPublished = 1;

}  // namespace pake::channel
