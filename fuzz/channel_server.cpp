#include "channel_bytes.h"

using namespace pake;
using namespace pake::channel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto plans = test::plans_with_devices();
  FuzzedDataProvider input(data, size);
  test::Exchange run(plans[input.ConsumeIntegralInRange<std::size_t>(0, plans.size() - 1)]);
  fuzz::begin(run, input);
  const bool honest = run.server_outcome.has_value() || run.server.want() == Want::done;
  fuzz::feed(run.server, input, [&] {
    while (run.server.want() == Want::decision || run.server.want() == Want::send) run.step_server();
    return run.server.want() == Want::receive;
  });
  fuzz::require(honest || run.server.want() != Want::done);
  return 0;
}
