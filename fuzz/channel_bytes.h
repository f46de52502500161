// One side of a handshake fed with bytes of the fuzzer's own.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include "require.h"
#include "world.h"

namespace pake::fuzz {

/// An honest exchange for as many steps as the input says; a login stops before its password is stretched.
inline void begin(channel::test::Exchange& run, FuzzedDataProvider& input) {
  for (auto steps = input.ConsumeIntegralInRange<int>(0, 8); steps > 0; --steps)
    if (run.client.want() == Want::ksf || !(run.step_client() || run.step_server())) break;
}

/// The rest of the input, in pieces, to `side` (a handshake), which may ask `step` to do what needs no bytes.
template <class Handshake, class Step>
void feed(Handshake& side, FuzzedDataProvider& input, Step step) {
  Buffer inbox;
  while (input.remaining_bytes() != 0) {
    const auto piece = input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(1, 9000));
    inbox.insert(inbox.end(), piece.begin(), piece.end());
    while (side.want() == Want::receive) {
      const auto awaited = side.incoming();
      const auto consumed = side.receive(inbox);
      if (!consumed) {
        require(side.want() == Want::failed && side.failure() != nullptr);
        require(side.failure()->to_send.has_value() != side.failure()->received.has_value());
        return;
      }
      if (*consumed == 0) {
        require(inbox.size() < awaited.at_most);
        break;
      }
      require(*consumed <= inbox.size() && *consumed <= awaited.at_most);
      inbox.erase(inbox.begin(), inbox.begin() + static_cast<std::ptrdiff_t>(*consumed));
      if (!step()) return;
    }
  }
}

}  // namespace pake::fuzz
