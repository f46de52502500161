// What a step of a typestate owns.
#pragma once

#include <memory>
#include <utility>

#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake {

/// The state of one step: it has one address for life, moves as a pointer, and is null once the step is taken. `State`
/// may be incomplete where this is named.
template <class State>
using StatePtr = std::unique_ptr<State, void (*)(State*)>;

template <class State>
[[nodiscard]] StatePtr<State> make_state(State state) {
  return {new State(std::move(state)), [](State* spent) { delete spent; }};
}

}  // namespace pake

PAKE_EXPORT_END
