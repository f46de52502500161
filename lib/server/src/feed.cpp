#include "feed.h"

#include <utility>

#include "pake/internal/try.h"
#include "pake/store/migration.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kTurn = 1s;  // the view of a node is never older than this and one query
constexpr auto kHousekeeping = 60s;

}  // namespace

Feed::~Feed() {
  thread_.request_stop();
  state_->accounts->store().interrupt_wait();
}

store::StoreStatus Feed::read_all() {
  return reader_.read_all(wall_now() - state_->config()->limits.ticket_lifetime, Clock::now());
}

void Feed::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Feed::run(const std::stop_token& stop) {
  bool is_failing = false;
  while (!stop.stop_requested()) {
    const auto waited = state_->accounts->store().wait_for_changes(kTurn);
    if (stop.stop_requested()) return;
    const auto read = waited ? turn() : store::StoreStatus(std::unexpected(waited.error()));
    if (read && std::exchange(is_failing, false)) state_->log()->write(LogLevel::info, "store-back");
    if (read) continue;
    is_failing = true;
    state_->report(read.error());
    std::this_thread::sleep_for(kTurn / 4);
  }
}

store::StoreStatus Feed::turn() {
  PAKE_TRYV(read_changes());
  return keep_house();
}

store::StoreStatus Feed::read_changes() {
  return reader_.read_changes(Clock::now(),
                              [this](const auto& change) { static_cast<void>(state_->sessions.end_stale(change)); });
}

store::StoreStatus Feed::keep_house() {
  const auto now = Clock::now();
  if (now - housekept_at_ < kHousekeeping) return {};
  housekept_at_ = now;
  auto& store = state_->accounts->store();
  const auto wall = wall_now();
  state_->generations.forget_before(wall - state_->config()->limits.ticket_lifetime);
  PAKE_TRYV(store::follow_migration(
      store, {.at = wall, .actor = "server", .action = "keys.follow", .name = {}, .detail = {}}));
  PAKE_TRY(const auto steps, store.fake_shares());
  // Between two migrations nothing depends on what a removed name's record was made under.
  if (steps.back().shares.size() == 1) PAKE_TRYV(store.purge_removed(wall));
  return store.expire({}, wall);
}

}  // namespace pake::server
