#include "simulation.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace pake::channel::simulator {
namespace {

constexpr std::size_t kMostSteps = 2'000'000;

/// What both sides sent in an honest run of the same parties with the same password, before this one.
struct Recording {
  Buffer by_client, by_server;
};

/// The plan of those two when both know the secret, and nothing else has been decided.
test::Plan honest(const test::Plan& plan) {
  auto plans = test::plans_with_devices();
  auto same = *std::ranges::find(plans, test::name_of(plan), test::name_of);
  same.client_aead = plan.client_aead;
  same.server_aead = plan.server_aead;
  same.seed = 1992;
  return same;
}

const Recording& recording_of(const test::Plan& plan) {
  static std::map<std::tuple<std::string, AeadId, AeadId>, Recording> recordings;  // once a process: a login takes long
  const auto [found, is_new] = recordings.try_emplace({test::name_of(plan), plan.client_aead, plan.server_aead});
  if (!is_new) return found->second;
  Simulation simulation(
      {.plan = honest(plan), .traffic = {.seed = 1, .streams = 2, .turns = 12, .largest_write = 300}});
  simulation.run();
  const auto& conversation = *simulation.conversations().front();
  found->second = {.by_client = conversation.to_server.sent(), .by_server = conversation.to_client.sent()};
  return found->second;
}

bool needs_recording(const std::optional<Harm>& harm) {
  return harm && (harm->kind == Harm::Kind::insert_earlier_frame || harm->kind == Harm::Kind::replace_by_earlier ||
                  harm->kind == Harm::Kind::take_over_by_earlier);
}

bool needs_twin(const std::optional<Harm>& harm) { return harm && harm->kind == Harm::Kind::splice; }

}  // namespace

Conversation::Conversation(const Scenario& scenario, const test::Plan& plan, Draw draw, KeyCache& cache, Instant now)
    : to_server(scenario.weather[0], draw.fork()),
      to_client(scenario.weather[1], draw.fork()),
      client(Role::client, {.plan = plan, .traffic = scenario.traffic, .output_size = scenario.output_sizes[0]}, cache,
             budget, to_server, now),
      server(Role::server, {.plan = plan, .traffic = scenario.traffic, .output_size = scenario.output_sizes[1]}, cache,
             budget, to_client, now) {}

Simulation::Simulation(Scenario scenario)
    : scenario_(std::move(scenario)), draw_(scenario_.seed + 1), cache_(scenario_.cached_keys) {
  auto plan = scenario_.plan;
  for (int i = 0; i < (needs_twin(scenario_.harm) ? 2 : 1); ++i) {
    conversations_.push_back(std::make_unique<Conversation>(scenario_, plan, draw_.fork(), cache_, now_));
    ++plan.seed;
  }
  for (auto& conversation : conversations_) {
    const bool is_first = conversation == conversations_.front();
    lead_past_meddlers(*conversation, conversations_.size() == 1 ? nullptr : conversations_[is_first ? 1 : 0].get());
  }
}

void Simulation::lead_past_meddlers(Conversation& conversation, Conversation* twin) {
  static const Recording kNone;
  const auto& earlier = needs_recording(scenario_.harm) ? recording_of(scenario_.plan) : kNone;
  auto& to_server = conversation.to_server;
  auto& to_client = conversation.to_client;
  const auto harm_to = [this](Role sender) {
    return scenario_.harm && scenario_.harm->sender == sender ? scenario_.harm : std::nullopt;
  };
  to_server.lead_past(Meddler(harm_to(Role::client), {.road = to_server.road(),
                                                      .back = to_client.road(),
                                                      .sent = to_server.sent(),
                                                      .reflected = to_client.sent(),
                                                      .twin = twin == nullptr ? nullptr : &twin->to_server.road(),
                                                      .earlier = earlier.by_client}));
  to_client.lead_past(Meddler(harm_to(Role::server), {.road = to_client.road(),
                                                      .back = to_server.road(),
                                                      .sent = to_client.sent(),
                                                      .reflected = to_server.sent(),
                                                      .twin = twin == nullptr ? nullptr : &twin->to_client.road(),
                                                      .earlier = earlier.by_server}));
}

bool Simulation::has_been_meddled_with() const noexcept {
  return std::ranges::any_of(conversations_, [](const auto& each) {
    return each->to_server.has_been_meddled_with() || each->to_client.has_been_meddled_with();
  });
}

void Simulation::run() {
  while (steps_ < kMostSteps && step()) ++steps_;
}

bool Simulation::step() {
  auto next = Instant::max();
  bool is_over = true;
  for (auto& each : conversations_) {
    each->client.advance(now_);
    each->server.advance(now_);
    if (each->is_over()) continue;
    is_over = false;
    next = std::min({next, each->to_server.road().next_arrival(), each->to_client.road().next_arrival(),
                     each->client.deadline(), each->server.deadline()});
  }
  if (is_over || next == Instant::max()) return false;
  now_ = std::max(now_, next);
  for (auto& each : conversations_) {
    each->server.receive(each->to_server.road().arrive(now_), now_);
    each->client.receive(each->to_client.road().arrive(now_), now_);
  }
  return true;
}

}  // namespace pake::channel::simulator
