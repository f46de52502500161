#include "properties.h"

#include <algorithm>
#include <optional>

#include "frames.h"

namespace pake::channel::simulator {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = kLoginFinishTime + 5s;  // the longest deadline, and what was still under way
constexpr auto kSlowPatience = kPatience + 75s;    // what may be under way on a slow road takes that long

/// One direction as somebody sees it who knows what was sent and what arrived.
struct Seen {
  explicit Seen(const Direction& direction) : sent(direction.sent()), delivered(direction.road().delivered()) {
    const auto same = static_cast<std::size_t>(std::ranges::mismatch(sent, delivered).in1 - sent.begin());
    if (same < delivered.size()) changed = same;
    std::size_t end = 0;
    for (const auto frame : frames_of(sent)) {
      end += frame.size();
      (is_record(frame) ? records : handshake) = end;
      if (type_of(frame) == FrameType::client_hello || type_of(frame) == FrameType::server_hello) hello = end;
      if (type_of(frame) == FrameType::client_finish) finish = end;
      if (type_of(frame) == FrameType::close) close = end;
    }
  }

  [[nodiscard]] bool has_delivered(std::optional<std::size_t> end) const {
    return end && delivered.size() >= *end && (!changed || *changed >= *end);
  }
  [[nodiscard]] bool has_changed_before(std::size_t end) const { return changed && *changed < end; }

  Bytes sent, delivered;
  std::optional<std::size_t> changed;               // the first byte that arrived and was not the one sent
  std::size_t handshake = 0, records = 0;           // where the handshake's frames end, and the records
  std::optional<std::size_t> hello, finish, close;  // where the last one of these ends
};

class Examination {
 public:
  Examination(const Simulation& simulation, const Conversation& run)
      : scenario_(simulation.scenario()),
        is_honest_(!simulation.has_been_meddled_with()),
        run_(run),
        to_server_(run.to_server),
        to_client_(run.to_client) {}

  std::vector<std::string> all() {
    complaints();
    an_end();
    proofs();
    prefixes();
    clean_ends();
    harm_is_noticed();
    guesses();
    keys();
    an_honest_network_serves();
    return std::move(broken_);
  }

 private:
  void expect(bool is_true, const std::string& what) {
    if (!is_true) broken_.push_back(what);
  }

  // What the parties themselves found wrong.
  void complaints() {
    for (const auto* party : {&run_.client, &run_.server}) {
      broken_.insert(broken_.end(), party->complaints().begin(), party->complaints().end());
      const auto& of_application = party->application().complaints();
      broken_.insert(broken_.end(), of_application.begin(), of_application.end());
    }
  }

  // Nothing hangs, and nobody waits for one that is over longer than its deadline.
  void an_end() {
    expect(run_.client.is_over(), "the client hangs");
    expect(run_.server.is_over(), "the server hangs");
    if (!run_.is_over()) return;
    const auto lag = run_.client.over_since() - run_.server.over_since();
    const bool is_slow = scenario_.weather[0].slows_after != 0 || scenario_.weather[1].slows_after != 0;
    const auto patience = is_slow ? kSlowPatience : kPatience;
    expect(lag <= patience && -lag <= patience, "one side outlived the other by far");
    for (const auto* party : {&run_.client, &run_.server}) {
      const auto closed_at = party->application().closed_at();
      if (scenario_.traffic.never_closes && closed_at)
        expect(party->over_since() <= *closed_at + kCloseTime, "it waits for a Close beyond its deadline");
    }
  }

  // Who has a channel has read its peer's proof, of the very run that both have seen; and without one no record leaves.
  void proofs() {
    if (run_.client.has_channel()) {
      expect(scenario_.has_secret, "a client without the secret has a channel");
      expect(to_server_.has_delivered(to_server_.hello), "the client has a channel after a hello that was changed");
      expect(to_client_.has_delivered(to_client_.hello), "the client has a channel after an answer that was changed");
    }
    if (run_.server.has_channel()) {
      expect(run_.client.has_channel(), "the server has a channel, and the client has none");
      expect(to_server_.has_delivered(to_server_.finish), "the server has a channel without the client's proof");
    }
    expect(run_.client.has_channel() || to_server_.records == 0, "the client sent records without a channel");
    expect(run_.server.has_channel() || to_client_.records == 0, "the server sent records without a channel");
    expect(run_.server.has_channel() || !run_.client.application().has_heard(), "the client heard from nobody");
    expect(!to_server_.has_changed_before(to_server_.handshake) || nobody_has_heard(), "a changed handshake was heard");
    expect(!to_client_.has_changed_before(to_client_.handshake) || nobody_has_heard(), "a changed handshake was heard");
  }
  [[nodiscard]] bool nobody_has_heard() const {
    return !run_.client.application().has_heard() && !run_.server.application().has_heard();
  }

  // What a side hands up on a stream is a prefix of what the other wrote there.
  void prefixes() {
    prefix(run_.server, run_.client, "the server");
    prefix(run_.client, run_.server, "the client");
  }
  void prefix(const Party& from, const Party& to, const std::string& reader) {
    for (const auto& [stream, read] : to.application().flows()) {
      const auto at = reader + ", stream " + std::to_string(stream) + ": ";
      const auto found = from.application().flows().find(stream);
      const bool is_known = found != from.application().flows().end();
      expect(is_known || to.application().flows().size() > from.application().flows().size(), at + "nobody opened it");
      expect(read.is_right, at + "not what was written");
      expect(read.read <= (is_known ? found->second.written : 0), at + "more than was written");
      if (!read.whole) continue;
      expect(is_known && found->second.is_finished, at + "ended, and nobody ended it");
      expect(is_known && *read.whole == found->second.written, at + "ended before its end");
    }
  }

  // A clean end is reported only behind the peer's authenticated Close.
  void clean_ends() {
    expect(!run_.client.has_closed_cleanly() || to_client_.has_delivered(to_client_.close),
           "the client invented a Close");
    expect(!run_.server.has_closed_cleanly() || to_server_.has_delivered(to_server_.close),
           "the server invented a Close");
  }

  // Of what was changed, and of all behind it, nothing is taken for true.
  void harm_is_noticed() {
    harm_is_noticed(run_.server, to_server_, "the server");
    harm_is_noticed(run_.client, to_client_, "the client");
  }
  void harm_is_noticed(const Party& reader, const Seen& seen, const std::string& who) {
    if (!seen.changed) return;
    if (reader.has_channel()) expect(reader.accepted() <= *seen.changed, who + " accepted what was changed");
    const bool is_behind_the_close = seen.close && *seen.changed >= *seen.close;
    expect(is_behind_the_close || !reader.has_closed_cleanly(), who + " ended well although it read what was changed");
  }

  // A guess is spent when the answer leaves and given back when the proof has come. A ticket costs none.
  void guesses() {
    const bool is_spent =
        scenario_.plan.kind != HandshakeKind::resume && to_client_.hello && !run_.server.has_channel();
    expect(run_.budget.available() == Conversation::kBudget - (is_spent ? 1 : 0),
           std::to_string(run_.budget.available()) + " guesses are left");
  }

  void keys() {
    if (run_.client.has_channel() && run_.server.has_channel())
      expect(run_.client.exported() == run_.server.exported(), "the two export different keys");
  }

  // An honest network, however awkward, lets everybody come to a good end; but a stranger gets nothing.
  void an_honest_network_serves() {
    if (!is_honest_) return;
    if (scenario_.traffic.never_closes && scenario_.has_secret) return nobody_answers_the_close();
    expect(run_.client.has_closed_cleanly() == scenario_.has_secret, "the client ended: " + run_.client.how_it_ended());
    expect(run_.server.has_closed_cleanly() == scenario_.has_secret, "the server ended: " + run_.server.how_it_ended());
    if (!scenario_.has_secret) {
      expect(scenario_.plan.kind != HandshakeKind::resume || !to_client_.hello, "a ticket's thief was answered");
      return;
    }
    everything_arrived(run_.server, run_.client, "the client");
    everything_arrived(run_.client, run_.server, "the server");
  }
  // Everything has come, and yet neither end is a clean one: nobody said that it had.
  void nobody_answers_the_close() {
    const bool is_client = scenario_.traffic.never_closes == Role::client;
    const auto& closer = is_client ? run_.server : run_.client;
    const auto& other = is_client ? run_.client : run_.server;
    expect(closer.how_it_ended() == to_string(EndReason::unanswered), "the closer ended: " + closer.how_it_ended());
    expect(!other.has_closed_cleanly(), "who never closed ended: " + other.how_it_ended());
    everything_arrived(run_.server, run_.client, "the client");
    everything_arrived(run_.client, run_.server, "the server");
  }
  void everything_arrived(const Party& from, const Party& to, const std::string& reader) {
    const auto closer = scenario_.traffic.closer;
    if (closer == Traffic::Closer::client_abruptly || closer == Traffic::Closer::server_abruptly) return;
    for (const auto& [stream, written] : from.application().flows()) {
      const auto found = to.application().flows().find(stream);
      const auto at = reader + ", stream " + std::to_string(stream) + ": ";
      expect(found != to.application().flows().end(), at + "never came");
      if (found == to.application().flows().end()) continue;
      if (written.is_broken_off || found->second.is_broken_off) continue;
      expect(written.is_finished && found->second.read == written.written && found->second.whole == written.written,
             at + "not everything came");
    }
  }

  const Scenario& scenario_;
  bool is_honest_;  // the network was
  const Conversation& run_;
  Seen to_server_, to_client_;
  std::vector<std::string> broken_;
};

// The keys of one run are of no other.
void keys_apart(const Conversation& one, const Conversation& other, std::vector<std::string>& broken) {
  for (const auto* a : {&one.client, &one.server})
    for (const auto* b : {&other.client, &other.server})
      if (a->has_channel() && b->has_channel() && a->exported() == b->exported())
        broken.emplace_back("two runs share a key");
}

}  // namespace

std::vector<std::string> broken_properties(const Simulation& simulation) {
  std::vector<std::string> broken;
  const auto& conversations = simulation.conversations();
  for (const auto& each : conversations) {
    const auto more = Examination(simulation, *each).all();
    broken.insert(broken.end(), more.begin(), more.end());
  }
  if (conversations.size() == 2) keys_apart(*conversations[0], *conversations[1], broken);
  return broken;
}

}  // namespace pake::channel::simulator
