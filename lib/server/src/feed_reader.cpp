#include "feed_reader.h"

#include <map>
#include <string_view>

#include "pake/internal/try.h"

namespace pake::server {
namespace {

constexpr std::size_t kPage = 1'000;
constexpr std::size_t kMostChanges = 1'000'000;

}  // namespace

store::StoreStatus FeedReader::read_all(store::Time oldest, Generations::Instant asked) {
  auto& store = accounts_.store();
  PAKE_TRYV(accounts_.refresh_shares());
  PAKE_TRY(last_, store.last_change());
  PAKE_TRY(const auto changes, store.changes_since(oldest, kMostChanges));
  generations_.apply(changes);
  generations_.refreshed(asked);
  return {};
}

store::StoreStatus FeedReader::read_changes(Generations::Instant asked,
                                            const std::function<void(const store::GenerationChange&)>& ended) {
  for (;;) {
    PAKE_TRY(const auto changes, accounts_.store().changes_after(last_, kPage));
    generations_.apply(changes);
    std::map<std::string_view, const store::GenerationChange*> latest;
    for (const auto& change : changes) latest[change.name] = &change;
    for (const auto& [name, change] : latest) ended(*change);
    if (!changes.empty()) last_ = changes.back().sequence;
    if (changes.size() < kPage) break;
  }
  generations_.refreshed(asked);
  return accounts_.refresh_shares();
}

}  // namespace pake::server
