#include "scenario.h"

#include <memory>
#include <utility>

#include "draw.h"

namespace pake::channel::simulator {
namespace {

using std::chrono::milliseconds;
using enum Harm::Kind;

Category draw_category(Draw& draw) {
  static constexpr std::array kWeighted = {Category::awkward, Category::awkward, Category::awkward, Category::awkward,
                                           Category::cut,     Category::cut,     Category::cut,     Category::bytes,
                                           Category::bytes,   Category::bytes,   Category::bytes,   Category::bytes,
                                           Category::frames,  Category::frames,  Category::frames,  Category::middle,
                                           Category::middle,  Category::middle,  Category::middle,  Category::stranger};
  return draw.of(kWeighted);
}

// Stretching a password takes longer than all the rest: one run in eight is a login.
test::Plan draw_plan(Draw& draw) {
  static const auto of_kind = [](HandshakeKind kind) {
    auto plans = test::plans_with_devices();
    std::erase_if(plans, [=](const test::Plan& plan) { return plan.kind != kind; });
    return plans;
  };
  static const auto logins = of_kind(HandshakeKind::login), codes = of_kind(HandshakeKind::code),
                    tickets = of_kind(HandshakeKind::resume);
  const auto& plans = draw.one_in(8) ? logins : draw.one_in(3) ? tickets : codes;
  auto plan = plans[draw.below(plans.size())];
  plan.seed = draw.any();
  plan.ksf_ceiling = crypto::KsfProfile::small;
  for (auto* aead : {&plan.client_aead, &plan.server_aead})
    if (draw.one_in(3)) *aead = AeadId::chacha20_poly1305;
  return plan;
}

void take_secret_away(test::Plan& plan, Draw& draw) {
  switch (plan.kind) {
    case HandshakeKind::login:
      (draw.one_in(3) ? plan.name : plan.password) = "nobody";
      break;
    case HandshakeKind::code:
      (draw.one_in(2) ? plan.code : plan.password) = "acid-zoom-43";
      break;
    case HandshakeKind::resume: {
      auto ticket = test::World::get().ticket();
      // Somebody without the ticket's secret, or the ticket of another name of the same server.
      if (plan.seed % 2 == 0)
        ticket.secret = ResumptionSecret();
      else
        plan.server_name = "b.example.org";
      plan.ticket = std::make_shared<const StoredTicket>(std::move(ticket));
    }
  }
}

Traffic draw_traffic(Draw& draw) {
  using enum Traffic::Closer;
  static constexpr std::array kClosers = {client, client, server, both, client_abruptly, server_abruptly};
  static constexpr std::array<std::size_t, 5> kLargestWrites = {10, 500, 5'000, 40'000, 200'000};
  return {.seed = draw.any(),
          .streams = draw.one_in(10) ? draw.below(40) : draw.below(6),
          .turns = draw.below(60),
          .largest_write = draw.of(kLargestWrites),
          .breaks_off = draw.one_in(3),
          .pauses = draw.one_in(8),
          .sends_ticket = draw.one_in(4),
          .closer = draw.of(kClosers)};
}

Weather draw_weather(Draw& draw) {
  static constexpr std::array kTacts = {1, 1, 5, 40, 500};
  static constexpr std::array<std::size_t, 4> kLargestPieces = {0, 1'448, 200, 40'000};
  return {.latency = milliseconds(draw.skewed(400)),
          .jitter = milliseconds(draw.one_in(2) ? 0 : draw.skewed(200)),
          .tact = milliseconds(draw.of(kTacts)),
          .largest_piece = draw.of(kLargestPieces)};
}

// One byte at a time, and so little of them that it does not take for ever.
void make_bytewise(Scenario& scenario, Draw& draw) {
  for (auto& weather : scenario.weather)
    weather = {.latency = milliseconds(draw.skewed(40)), .jitter = milliseconds(1), .largest_piece = 1};
  scenario.traffic.streams = draw.below(3);
  scenario.traffic.turns = draw.below(5);
  scenario.traffic.largest_write = draw.below(200);
}

// A link that was fast and then passes kSlowRate, long enough for every deadline to matter.
void slow_down(Scenario& scenario, Draw& draw) {
  const auto way = draw.below(3);  // to the server, to the client, both
  for (const std::size_t i : {0U, 1U})
    if (way == 2 || way == i) scenario.weather.at(i).slows_after = draw.between(20'000, 300'000);
  scenario.traffic.streams = draw.between(1, 3);
  scenario.traffic.turns = std::min<std::size_t>(scenario.traffic.turns, 20);
  scenario.traffic.largest_write = 200'000;
  for (auto& size : scenario.output_sizes) size = std::min<std::size_t>(size, 65'536);
}

// One side neither closes nor answers a Close, and goes on giving signs of life: the other one has to end all the same.
void never_close(Scenario& scenario, Draw& draw) {
  using enum Traffic::Closer;
  const bool is_client = draw.one_in(2), is_abrupt = draw.one_in(3);
  scenario.traffic.never_closes = is_client ? Role::client : Role::server;
  scenario.traffic.closer = is_client ? (is_abrupt ? server_abruptly : server) : (is_abrupt ? client_abruptly : client);
}

Harm::Kind draw_harm_kind(Category category, Draw& draw) {
  static constexpr std::array kCuts = {cut_by_fin, cut_by_rst, cut_silently};
  static constexpr std::array kBytes = {flip_bit, lose_bytes, repeat_bytes, insert_bytes, swap_segments};
  static constexpr std::array kFrames = {lose_frame, repeat_frame, delay_frame, replay_frame};
  static constexpr std::array kMiddle = {edit_hello,           force_retry,        forge_frame,          reflect_frame,
                                         insert_earlier_frame, replace_by_earlier, take_over_by_earlier, splice};
  switch (category) {
    case Category::cut:
      return draw.of(kCuts);
    case Category::bytes:
      return draw.of(kBytes);
    case Category::frames:
      return draw.of(kFrames);
    case Category::awkward:
    case Category::middle:
    case Category::stranger:
      break;
  }
  return draw.of(kMiddle);
}

// The hellos, the proofs and the first records as often as all that comes later.
Harm draw_harm(Category category, Draw& draw) {
  Harm harm{.kind = draw_harm_kind(category, draw),
            .sender = draw.one_in(2) ? Role::client : Role::server,
            .frame = draw.one_in(2) ? draw.below(4) : draw.skewed(60),
            .byte = draw.one_in(3) ? draw.below(8) : draw.skewed(40'000),
            .count = draw.one_in(2) ? 1 : draw.between(1, 40),
            .salt = draw.any()};
  if (harm.kind == edit_hello) harm.frame = draw.below(4) / 3;
  if (harm.kind == force_retry) harm = {.kind = force_retry, .sender = Role::client, .salt = harm.salt};
  return harm;
}

std::string describe(const Weather& weather) {
  return std::to_string(weather.latency.count()) + "+" + std::to_string(weather.jitter.count()) + " ms" +
         (weather.tact > milliseconds(1) ? " in tacts of " + std::to_string(weather.tact.count()) : "") +
         (weather.largest_piece != 0 ? " in pieces up to " + std::to_string(weather.largest_piece) : "") +
         (weather.slows_after != 0 ? ", slow after " + std::to_string(weather.slows_after) : "");
}

std::string describe(const test::Plan& plan) {
  const auto aead = [](AeadId id) { return id == AeadId::aes_256_gcm ? "AES" : "ChaCha20"; };
  return test::name_of(plan) + ", " + aead(plan.client_aead) + "/" + aead(plan.server_aead);
}

}  // namespace

std::string_view to_string(Category category) noexcept {
  static constexpr std::array<std::string_view, kCategories.size()> kNames = {"awkward", "cut",    "bytes",
                                                                              "frames",  "middle", "stranger"};
  return kNames.at(static_cast<std::size_t>(category));
}

Scenario draw_scenario(std::uint64_t seed) {
  Draw draw(seed);
  Scenario scenario{
      .seed = seed, .category = draw_category(draw), .plan = draw_plan(draw), .traffic = draw_traffic(draw)};
  for (auto& weather : scenario.weather) weather = draw_weather(draw);
  for (auto& size : scenario.output_sizes) size = Channel::kMinOutput + draw.skewed(100'000);
  scenario.cached_keys = draw.between(1, 4);
  if (draw.one_in(20)) make_bytewise(scenario, draw);
  auto odd = Draw(seed).fork();
  if (odd.one_in(25))
    slow_down(scenario, odd);
  else if (odd.one_in(12))
    never_close(scenario, odd);
  if (scenario.category == Category::stranger) {
    take_secret_away(scenario.plan, draw);
    scenario.has_secret = false;
  }
  if (scenario.category != Category::awkward && (scenario.has_secret || draw.one_in(2)))
    scenario.harm = draw_harm(scenario.category, draw);
  return scenario;
}

std::string describe(const Scenario& scenario) {
  return "seed " + std::to_string(scenario.seed) + ": " + std::string(to_string(scenario.category)) + "; " +
         describe(scenario.plan) + (scenario.has_secret ? "" : ", a stranger") + "; " + describe(scenario.traffic) +
         "; to the server " + describe(scenario.weather[0]) + ", to the client " + describe(scenario.weather[1]) +
         (scenario.harm ? "; " + describe(*scenario.harm) : "");
}

}  // namespace pake::channel::simulator
