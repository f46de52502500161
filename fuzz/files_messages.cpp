// Any bytes as messages of a transfer: each decodes to what encodes to the same bytes, or is refused; and what either
// side's rules make of them never breaks the bounds.
#include <algorithm>

#include "pake/files/exchange.h"
#include "require.h"

using namespace pake;
using namespace pake::files;

namespace {

const std::vector<Entry>& tree() {
  static const std::vector<Entry> entries = {{.kind = EntryKind::folder, .path = "d"},
                                             {.size = 1000, .path = "d/a"},
                                             {.size = 0, .path = "d/b"},
                                             {.size = 70'000, .path = "e"}};
  return entries;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes rest(data, size);
  OfferCollector collector;
  SendingRules sending(tree());
  ReceivingRules receiving(tree());
  static_cast<void>(receiving.asked({.index = 1, .length = 10}));
  static_cast<void>(receiving.fetched({.index = 3, .offset = 5}));
  bool offers = true;
  bool sends = true;
  bool receives = true;
  while (rest.size() >= MessageHeader::kSize) {
    const auto header = MessageHeader::decode(rest.first<MessageHeader::kSize>());
    rest = rest.subspan(MessageHeader::kSize);
    if (!header || rest.size() < header->length) break;
    const auto body = rest.first(header->length);
    rest = rest.subspan(header->length);
    const auto message = decode(header->type, body);
    if (!message) break;
    const auto again = encode(*message);
    fuzz::require(std::ranges::equal(Bytes(again).subspan(MessageHeader::kSize), body));
    offers = offers && collector.receive(*message).has_value();
    if (offers && collector.is_whole()) {
      for (const auto& entry : collector.take()) fuzz::require(is_path(entry.path));
      offers = false;
    }
    if (sends) {
      const auto event = sending.receive(*message);
      sends = event.has_value();
      if (sends) {
        if (const auto* const ask = std::get_if<Ask>(&*event)) {
          fuzz::require(ask->index < tree().size() && ask->length <= tree()[ask->index].size);
          sending.answered_ask(ask->index);
        }
        if (const auto* const fetch = std::get_if<Fetch>(&*event)) {
          fuzz::require(fetch->index < tree().size() && fetch->offset <= tree()[fetch->index].size);
          sending.answered_fetch(fetch->index);
        }
      }
    }
    receives = receives && receiving.receive(*message).has_value();
  }
  return 0;
}
