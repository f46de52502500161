// A whole handshake with someone in the middle who changes what passes: whoever reads a changed byte has no channel.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>

#include "require.h"
#include "world.h"

using namespace pake;
using namespace pake::channel;

namespace {

void change(FuzzedDataProvider& input, Buffer& bytes) {
  const auto at = input.ConsumeIntegralInRange<std::size_t>(0, bytes.size() - 1);
  const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
  switch (input.ConsumeIntegralInRange<int>(0, 4)) {
    case 0:
      *here ^= input.ConsumeIntegral<std::uint8_t>();
      break;
    case 1:
      bytes.erase(here, bytes.end());
      break;
    case 2:
      bytes.erase(here);
      break;
    case 3: {
      const auto more = input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(0, 64));
      bytes.insert(here, more.begin(), more.end());
      break;
    }
    default:
      bytes = input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(0, 9000));
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto plans = test::all_plans();
  FuzzedDataProvider input(data, size);
  auto plan = plans[input.ConsumeIntegralInRange<std::size_t>(0, plans.size() - 1)];
  bool changed_before_the_finish = false, changed = false;
  plan.tamper = [&](test::Flight& flight) {
    if (flight.bytes.empty() || !input.ConsumeBool()) return;
    const auto before = flight.bytes;
    change(input, flight.bytes);
    if (std::ranges::mismatch(before, flight.bytes).in1 == before.end()) return;  // what follows a frame is another's
    changed = true;
    if (before[0] < 0x04) changed_before_the_finish = true;
  };
  test::Exchange run(plan);
  while (run.client.want() != Want::ksf && (run.step_client() || run.step_server())) {
  }
  fuzz::require(!run.client_outcome || !changed_before_the_finish);
  fuzz::require(!run.server_outcome || !changed);
  fuzz::require(!run.client_outcome || !run.server_outcome || test::agree(run));
  return 0;
}
