// The messages that make or replace a record: whatever decodes is encoded to the same bytes, and no input makes a
// reader keep more than one message.
#include <algorithm>
#include <variant>

#include "pake/channel/account.h"
#include "require.h"

using namespace pake;
using namespace pake::channel;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  const auto found = leading_account_message(bytes);
  if (found && *found) {
    const auto again = std::visit([](const auto& message) { return message.encode(); }, (*found)->message);
    fuzz::require((*found)->size <= kMaxAccountMessageSize && std::ranges::equal(again, bytes.first((*found)->size)));
    for (std::size_t part = 0; part < (*found)->size; ++part) {
      const auto partly = leading_account_message(bytes.first(part));
      fuzz::require(partly && !*partly);
    }
  } else if (found) {
    fuzz::require(size < kMaxAccountMessageSize);
  }
  if (const auto offer = MigrationOffer::decode(bytes)) fuzz::require(std::ranges::equal(offer->encode(), bytes));
  return 0;
}
