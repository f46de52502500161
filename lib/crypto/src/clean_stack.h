// Private to the room: what arithmetic on secrets leaves below it on the stack, and how that is overwritten.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "pake/base/ct.h"

namespace pake::crypto {

namespace detail {

template <class Use>
[[gnu::noinline]] auto call_out_of_line(Use& use) {
  return use();
}

/// Its frame lies where the frames of `call_out_of_line` were.
template <std::size_t kBytes>
[[gnu::noinline]] void wipe_stack_below() noexcept {
  std::array<std::uint8_t, kBytes> below;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is what is wiped
  wipe(below);
}

}  // namespace detail

/// use(), then kBytes of the stack below are wiped: temporaries of field arithmetic are spilled there, and a destructor
/// on every one of them would cost more than the arithmetic. kBytes must exceed what `use` puts on the stack
/// (clean_stack_test looks). The result is constructed in the caller's frame. Registers are out of reach.
template <std::size_t kBytes = 4096, class Use>
auto on_clean_stack(Use&& use) {
  struct Wiper {
    ~Wiper() { detail::wipe_stack_below<kBytes>(); }
  } const wiper;
  return detail::call_out_of_line(use);
}

}  // namespace pake::crypto
