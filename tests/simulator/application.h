// What uses a channel: streams of every size, opened, written, ended and broken off as a seed decides.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "draw.h"
#include "pake/base/bytes.h"
#include "pake/channel/channel.h"

namespace pake::channel::simulator {

/// What both applications of a run have agreed on.
struct Traffic {
  enum class Closer : std::uint8_t {
    client,  // when every stream has come to its end
    server,
    both,
    client_abruptly,  // in the midst of everything
    server_abruptly,
  };

  std::uint64_t seed = 0;
  std::size_t streams = 1;
  std::size_t turns = 0;          // random moves of each side, before it lets its streams end
  std::size_t largest_write = 0;  // bytes
  bool breaks_off = false;        // streams may be reset
  bool pauses = false;            // so long that only pings go
  bool sends_ticket = false;
  Closer closer = Closer::client;
  std::optional<Role> never_closes = {};  // nor answers a Close; not the closer, who gives it kCloseTime
};
inline constexpr std::chrono::seconds kCloseTime{30};

[[nodiscard]] std::string describe(const Traffic& traffic);

/// What `writer` says on the stream, whoever asks; more than is ever written.
[[nodiscard]] Bytes text_of(const Traffic& traffic, Role writer, StreamId stream);

/// One side's view of a stream.
struct Flow {
  std::size_t written = 0;  // bytes that `Channel::write` has taken
  std::size_t read = 0;
  bool is_writing = false;
  bool is_finished = false;    // by this side, and so it was said
  bool is_broken_off = false;  // by this side
  bool is_released = false;
  bool is_right = true;                             // what was read is the peer's text
  std::optional<std::size_t> whole = std::nullopt;  // the peer's FIN: how many bytes there were in all
  bool was_reset = false;                           // by the peer

  [[nodiscard]] bool is_over() const {
    return is_broken_off || was_reset || (is_finished && !is_writing && read == whole);
  }
};

class Application {
 public:
  Application(Role role, const Traffic& traffic);

  void on(Channel& channel, const Event& event);
  /// Does what is due.
  void act(Channel& channel, Instant now);
  /// When `act` should be called next although nothing has happened.
  [[nodiscard]] Instant next_turn() const noexcept;

  [[nodiscard]] const std::map<StreamId, Flow>& flows() const noexcept { return flows_; }
  /// Whether the channel has handed it anything of the peer's.
  [[nodiscard]] bool has_heard() const noexcept { return has_heard_; }
  [[nodiscard]] bool never_closes() const noexcept { return traffic_.never_closes == role_; }
  /// When it closed of its own accord.
  [[nodiscard]] std::optional<Instant> closed_at() const noexcept { return closed_at_; }
  [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }

 private:
  void take_turn(Channel& channel, Instant now);
  void wind_up(Channel& channel, Instant now);
  void open(Channel& channel);
  void write(Channel& channel, StreamId stream, Flow& flow);
  void finish(Channel& channel, StreamId stream, Flow& flow);
  void read(Channel& channel, StreamId stream, Flow& flow, std::size_t most);
  void release(Channel& channel, StreamId stream, Flow& flow);
  void close(Channel& channel, CloseCode code, Instant now);
  void send_ticket(Channel& channel);

  void hear(Channel& channel, const Opened& opened);
  void hear(Channel& channel, const Readable& readable);
  void hear(Channel& channel, const Finished& finished);
  void hear(Channel& channel, const WasReset& was_reset);
  void hear(Channel& channel, const Written& written);
  void hear(Channel& channel, const TicketArrived& ticket);
  void hear(Channel& channel, const Closed& closed);
  /// The flow of a stream that there is; a channel that speaks of another is complained about.
  Flow* find(StreamId stream);

  [[nodiscard]] bool closes_gently() const noexcept;
  [[nodiscard]] bool closes_abruptly() const noexcept;

  Role role_;
  Traffic traffic_;
  Draw draw_;
  std::map<StreamId, Flow> flows_;
  std::size_t turns_left_;
  std::size_t last_turn_;  // the number of turns left at which an abrupt closer closes
  std::optional<Instant> next_turn_;
  std::optional<Instant> closed_at_;
  bool is_ticket_due_;
  bool has_closed_ = false;  // this side
  bool peer_has_closed_ = false;
  bool has_heard_ = false;
  std::vector<std::string> complaints_;
};

}  // namespace pake::channel::simulator
