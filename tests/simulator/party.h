// One of the two: its handshake, its channel and its application, driven as net drives them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "application.h"
#include "direction.h"
#include "pake/base/bytes.h"
#include "pake/channel/channel.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/server_handshake.h"
#include "pake/proto/guess.h"
#include "pake/testing/fixed_rng.h"
#include "world.h"

namespace pake::channel::simulator {

// docs/wire.md, section 11.
inline constexpr std::chrono::seconds kHelloTime{5};
inline constexpr std::chrono::seconds kAnswerTime{10};
inline constexpr std::chrono::seconds kLoginFinishTime{60};
inline constexpr std::chrono::seconds kFinishTime{10};

class Party {
 public:
  struct Setup {
    const test::Plan& plan;
    const Traffic& traffic;
    std::size_t output_size;  // of the buffer it hands to `produce`
  };
  /// @param budget  the server's
  /// @param out     takes what it sends; outlives it, as `cache` and `budget` do
  Party(Role role, const Setup& setup, KeyCache& cache, GuessBudget& budget, Direction& out, Instant now);

  /// Something has arrived.
  void receive(const Road::Arrival& arrival, Instant now);
  /// Does what is due and what can be done.
  void advance(Instant now);
  /// When `advance` should be called next although nothing has arrived.
  [[nodiscard]] Instant deadline() const;
  [[nodiscard]] bool is_over() const noexcept { return over_since_.has_value(); }

  // What it looks like from outside.
  [[nodiscard]] bool has_channel() const noexcept { return channel_.has_value(); }
  [[nodiscard]] bool has_closed_cleanly() const { return channel_ && channel_->end() == EndReason::closed; }
  [[nodiscard]] const std::string& how_it_ended() const noexcept { return how_; }
  [[nodiscard]] Instant over_since() const { return over_since_.value(); }
  /// How many bytes it has accepted.
  [[nodiscard]] std::size_t accepted() const noexcept { return accepted_; }
  [[nodiscard]] const Application& application() const noexcept { return application_; }
  /// Keying material of its channel, and what belongs to a ticket that came in it.
  [[nodiscard]] Buffer exported() const;
  [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }

 private:
  [[nodiscard]] Want want() const;
  void run_handshake(Instant now);
  void send_message(Instant now);
  [[nodiscard]] bool read_frame();
  void run_job();
  void decide();
  void open_channel(Instant now);
  void fail_handshake(std::string_view how, Instant now);

  void converse(Instant now);
  void read_records(Instant now);
  [[nodiscard]] bool send_records(Instant now);
  void tell_application();

  void take(std::size_t size);
  void be_over(std::string how, Instant now);

  Role role_;
  test::Plan plan_;
  KeyCache& cache_;
  GuessBudget& budget_;
  Direction& out_;
  pake::testing::SeededRng rng_;
  std::variant<ClientHandshake, ServerHandshake> handshake_;
  std::optional<Channel> channel_;
  Application application_;

  Buffer input_;
  Buffer output_;
  Buffer finish_;     // the client's, to go in the segment of its first records
  Instant deadline_;  // of the handshake
  Instant leaves_at_ = Instant::max();
  std::size_t accepted_ = 0;
  bool is_input_over_ = false;
  std::optional<Instant> over_since_;
  std::string how_;
  std::vector<std::string> complaints_;
};

}  // namespace pake::channel::simulator
