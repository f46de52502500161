// Private to the room: the concatenations that hold secrets.
#pragma once

#include <initializer_list>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/base/secret.h"

namespace pake::cpace {

/// lv_cat of strings of which some are secret.
[[nodiscard]] SecretBuffer secret_lv_cat(std::initializer_list<Bytes> strings);

/// The zero bytes that fill the first hash block behind DSI and PRS.
[[nodiscard]] std::size_t padding_size(Bytes DSI, Bytes PRS, std::size_t s_in_bytes) noexcept;

/// generator_string(DSI, PRS, CI, sid, s_in_bytes): draft-irtf-cfrg-cpace-21, "Function for computing the generator
/// string".
[[nodiscard]] SecretBuffer generator_string(std::string_view DSI, Bytes PRS, Bytes CI, Bytes sid,
                                            std::size_t s_in_bytes);

}  // namespace pake::cpace
