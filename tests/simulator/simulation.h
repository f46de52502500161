// Both parties, the network between them and a clock that jumps to whatever happens next.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "direction.h"
#include "party.h"
#include "scenario.h"

namespace pake::channel::simulator {

/// A client and a server that have, or believe to have, a transport connection.
struct Conversation {
  Conversation(const Scenario& scenario, const test::Plan& plan, Draw draw, KeyCache& cache, Instant now);

  [[nodiscard]] bool is_over() const noexcept { return client.is_over() && server.is_over(); }

  static constexpr std::size_t kBudget = 3;

  Direction to_server, to_client;
  GuessBudget budget{kBudget};
  Party client, server;
};

class Simulation {
 public:
  explicit Simulation(Scenario scenario);

  /// Until everybody is over, or nothing can happen any more, or it takes too long.
  void run();

  [[nodiscard]] const Scenario& scenario() const noexcept { return scenario_; }
  /// One; two where runs are spliced.
  [[nodiscard]] const std::vector<std::unique_ptr<Conversation>>& conversations() const noexcept {
    return conversations_;
  }
  /// Whether the network did anything that an honest one would not.
  [[nodiscard]] bool has_been_meddled_with() const noexcept;

 private:
  void lead_past_meddlers(Conversation& conversation, Conversation* twin);
  [[nodiscard]] bool step();

  Scenario scenario_;
  Draw draw_;
  KeyCache cache_;
  Instant now_{};
  std::vector<std::unique_ptr<Conversation>> conversations_;
  std::size_t steps_ = 0;
};

}  // namespace pake::channel::simulator
