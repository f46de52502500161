#include "party.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "frames.h"

namespace pake::channel::simulator {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  return *std::move(result);
}

constexpr std::size_t kExported = 32;

std::variant<ClientHandshake, ServerHandshake> make_handshake(Role role, const test::Plan& plan, Rng& rng) {
  if (role == Role::client) return must(test::make_client(plan, rng));
  return ServerHandshake(test::server_config(plan), rng);
}

}  // namespace

Party::Party(Role role, const Setup& setup, KeyCache& cache, GuessBudget& budget, Direction& out, Instant now)
    : role_(role),
      plan_(setup.plan),
      cache_(cache),
      budget_(budget),
      out_(out),
      rng_(setup.plan.seed * 2 + (role == Role::client ? 0 : 1)),
      handshake_(make_handshake(role, plan_, rng_)),
      application_(role, setup.traffic),
      output_(setup.output_size),
      deadline_(now + (role == Role::client ? kAnswerTime : kHelloTime)) {}

void Party::receive(const Road::Arrival& arrival, Instant now) {
  if (is_over()) return;
  input_.insert(input_.end(), arrival.bytes.begin(), arrival.bytes.end());
  advance(now);
  if (!arrival.is_end || is_over()) return;
  is_input_over_ = true;
  if (!channel_) return fail_handshake("cut", now);
  static_cast<void>(channel_->end_of_input());
  tell_application();
  advance(now);
}

void Party::advance(Instant now) {
  if (is_over()) return;
  if (!channel_) run_handshake(now);
  if (channel_) converse(now);
  if (is_over()) return;
  const bool awaits_nothing = channel_ && (channel_->end() || is_input_over_ || channel_->deadline() == Instant::max());
  if (!awaits_nothing && is_frame_whole(input_)) complaints_.emplace_back("a whole frame lies unread");
}

Instant Party::deadline() const {
  if (is_over()) return Instant::max();
  if (!channel_) return deadline_;
  return channel_->end() ? Instant::max() : std::min({channel_->deadline(), application_.next_turn(), leaves_at_});
}

void Party::take(std::size_t size) {
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(size));
  accepted_ += size;
}

void Party::be_over(std::string how, Instant now) {
  how_ = std::move(how);
  over_since_ = now;
  out_.close(now);
}

Buffer Party::exported() const {
  Buffer out(kExported);
  if (!channel_ || !channel_->export_keying_material("simulator", as_bytes("context"), out)) std::abort();
  const auto resumption_secret = channel_->resumption_secret().reveal();
  out.insert(out.end(), resumption_secret.begin(), resumption_secret.end());
  return out;
}

// --- The handshake.

Want Party::want() const {
  return std::visit([](const auto& handshake) { return handshake.want(); }, handshake_);
}

void Party::run_handshake(Instant now) {
  while (!is_over() && !channel_) {
    switch (want()) {
      case Want::send:
        send_message(now);
        break;
      case Want::receive:
        if (read_frame()) break;
        if (now >= deadline_) fail_handshake("timed out", now);
        return;
      case Want::decision:
        decide();
        break;
      case Want::ksf:
        run_job();
        break;
      case Want::done:
        open_channel(now);
        break;
      case Want::failed:
        fail_handshake("failed", now);
        break;
      case Want::key_operation:
        std::abort();
    }
  }
}

void Party::send_message(Instant now) {
  auto message = std::visit([](auto& handshake) { return must(handshake.take_message()); }, handshake_);
  const auto finish_time = plan_.kind == HandshakeKind::login ? kLoginFinishTime : kFinishTime;
  deadline_ = now + (role_ == Role::client ? kAnswerTime : finish_time);
  if (want() == Want::done) {
    finish_ = std::move(message);
  } else {
    out_.send(message, now);
  }
}

/// False if there is none yet.
bool Party::read_frame() {
  if (input_.empty()) return false;
  const auto consumed = std::visit([this](auto& handshake) { return handshake.receive(input_); }, handshake_);
  if (consumed) take(*consumed);
  return !consumed || *consumed != 0;
}

void Party::run_job() {
  auto& client = std::get<ClientHandshake>(handshake_);
  auto job = must(client.take_job());
  job->run();
  static_cast<void>(client.resume(std::move(job)));  // `want` says it
}

void Party::decide() {
  auto& server = std::get<ServerHandshake>(handshake_);
  static_cast<void>(server.decide(test::decide(*server.request(), plan_, budget_)));  // `want` says it
}

void Party::open_channel(Instant now) {
  channel_.emplace(std::visit([](auto& handshake) { return must(handshake.take_keys()); }, handshake_), role_, cache_,
                   now);
}

void Party::fail_handshake(std::string_view how, Instant now) {
  auto why = std::string(how);
  std::visit(
      [&](const auto& handshake) {
        const auto* failure = handshake.failure();
        if (failure == nullptr) return;
        why += std::string(": ") + std::string(to_string(failure->error)) + (failure->received ? ", told so" : "");
        if (failure->to_send) out_.send(failure->to_send->encode(), now);
      },
      handshake_);
  be_over("handshake " + why, now);
}

// --- The channel.

void Party::converse(Instant now) {
  read_records(now);
  if (now >= channel_->deadline()) channel_->tick(now);
  do {
    if (!channel_->end()) application_.act(*channel_, now);
  } while (send_records(now));
  if (channel_->end() && !channel_->wants_to_send()) return be_over(std::string(to_string(*channel_->end())), now);
  // A channel whose peer has closed waits for its application. One that never closes goes long after its peer has.
  if (application_.never_closes() && channel_->peer_close()) leaves_at_ = std::min(leaves_at_, now + 2 * kCloseTime);
  if (now >= leaves_at_) be_over("left alone", now);
}

void Party::read_records(Instant now) {
  while (!input_.empty()) {
    const auto size = channel_->receive(input_, now);
    tell_application();
    if (!size || *size == 0) return;
    take(*size);
  }
}

/// One buffer full. False if there was nothing to send, or no room for it.
bool Party::send_records(Instant now) {
  if ((finish_.empty() && !channel_->wants_to_send()) || !out_.road().has_room()) return false;
  const auto size = channel_->produce(output_, now);
  tell_application();
  if (size == 0 && finish_.empty()) complaints_.emplace_back("the channel wants to send, and does not");
  finish_.insert(finish_.end(), output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(size));
  out_.send(std::exchange(finish_, {}), now);
  return size != 0;
}

void Party::tell_application() {
  while (const auto event = channel_->next_event()) {
    if (channel_->end() && channel_->end() != EndReason::closed)
      complaints_.emplace_back("an event of a channel that has failed");
    application_.on(*channel_, *event);
  }
}

}  // namespace pake::channel::simulator
