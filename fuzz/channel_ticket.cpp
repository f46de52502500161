// Tickets: nothing opens but what was sealed, and a plaintext of any form is decoded or refused.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>

#include "pake/channel/ticket.h"
#include "pake/testing/fixed_rng.h"
#include "require.h"

using namespace pake;
using namespace pake::channel;

namespace {

TicketKeys make_keys() {
  std::vector<TicketKey> keys(1);
  keys[0].key = crypto::SealKey::make([](MutableBytes out) { std::ranges::fill(out, 7); });
  return TicketKeys(std::move(keys));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto keys = make_keys();
  fuzz::require(!open_ticket(keys, {data, size}));

  // The same bytes as what this server sealed: only one form of it is a ticket's.
  testing::SeededRng rng(1);
  const auto& key = *keys.newest();
  Buffer ticket(key.id.begin(), key.id.end());
  auto associated_data = to_buffer(as_bytes("pake/1 ticket"));
  associated_data.insert(associated_data.end(), key.id.begin(), key.id.end());
  const auto sealed = crypto::seal(key.key, associated_data, {data, size}, rng);
  ticket.insert(ticket.end(), sealed.begin(), sealed.end());
  if (const auto opened = open_ticket(keys, ticket)) {
    testing::SeededRng same_rng(1);
    const auto again = seal_ticket(keys, opened->facts, opened->secret, same_rng);
    fuzz::require(again && std::ranges::equal(*again, ticket));
  }
  return 0;
}
