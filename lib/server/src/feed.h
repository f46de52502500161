// What happens in the store, seen by this node: one thread that waits for changes, and keeps house.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <thread>

#include "feed_reader.h"
#include "state.h"

namespace pake::server {

class Feed {
 public:
  explicit Feed(std::shared_ptr<State> state)
      : state_(std::move(state)), reader_(*state_->accounts, state_->generations) {}
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  /// Ends the thread.
  ~Feed();

  /// Everything that a node must know before it lets anybody in. Blocks.
  [[nodiscard]] store::StoreStatus read_all();
  /// What has changed since the last reading, and whatever is to be done from time to time. Blocks.
  [[nodiscard]] store::StoreStatus turn();
  /// Takes turns from now on, one whenever the store has changed and at least one a second.
  void start();

 private:
  void run(const std::stop_token& stop);
  [[nodiscard]] store::StoreStatus read_changes();
  [[nodiscard]] store::StoreStatus keep_house();

  std::shared_ptr<State> state_;
  FeedReader reader_;
  std::chrono::steady_clock::time_point housekept_at_{};
  std::jthread thread_;
};

}  // namespace pake::server
