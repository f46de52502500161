#include "channel_bytes.h"

using namespace pake;
using namespace pake::channel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto plans = test::plans_with_devices();
  FuzzedDataProvider input(data, size);
  test::Exchange run(plans[input.ConsumeIntegralInRange<std::size_t>(0, plans.size() - 1)]);
  fuzz::begin(run, input);
  if (run.client.want() == Want::send && run.to_client.empty() && run.sent.empty()) run.step_client();
  const auto sent = run.sent.size();
  fuzz::feed(run.client, input, [&] {
    while (run.client.want() == Want::send) run.step_client();
    return run.client.want() == Want::receive;
  });
  // A second hello may have gone out; a finish cannot have.
  for (auto i = sent; i < run.sent.size(); ++i) fuzz::require(run.sent[i].bytes[0] != 0x04);
  return 0;
}
