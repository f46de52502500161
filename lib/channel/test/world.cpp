#include "world.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"

namespace pake::channel::test {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) std::abort();
  return *std::move(result);
}

opaque::SuiteId opaque_suite(Suite suite) {
  return suite == Suite::opaque_ristretto255 ? opaque::SuiteId::ristretto255 : opaque::SuiteId::p256;
}

TicketKey ticket_key(std::uint8_t seed) {
  return {.id = {0, 0, 0, seed}, .key = crypto::SealKey::make([&](auto out) { std::ranges::fill(out, seed); })};
}

}  // namespace

World& World::get() {
  static World world;
  return world;
}

World::World() {
  pake::testing::SeededRng rng(2026);
  logins_.push_back(make_login(Suite::opaque_ristretto255, rng));
  logins_.push_back(make_login(Suite::opaque_p256, rng));
  std::vector<TicketKey> keys;
  keys.push_back(ticket_key(2));
  keys.push_back(ticket_key(1));
  ticket_keys_ = std::make_shared<const TicketKeys>(std::move(keys));
}

World::Login World::make_login(Suite suite, Rng& rng) {
  const auto id = opaque_suite(suite);
  auto keys = must(opaque::ServerKeys::generate(id, rng));
  opaque::ClientRegistration client(id, SecretBuffer::copy_of(as_bytes("correct horse")));
  auto requested = must(std::move(client).create_registration_request(rng));
  const auto response = must(opaque::create_registration_response(requested.registration_request, keys,
                                                                  credential_identifier(as_bytes("alice")),
                                                                  GuessPermit::uncounted_for_study()));
  const auto ksf = crypto::ksf_parameters(crypto::KsfProfile::small, opaque::sizes(id).Nh);
  auto finished = must(
      std::move(requested.next)
          .finalize_registration_request(response, {.identities = {.client = as_bytes("alice")}, .ksf = ksf}, rng));
  return {.keys = std::make_shared<const opaque::ServerKeys>(std::move(keys)),
          .record = std::move(finished.record),
          .fake = must(opaque::fake_record(id, rng)).encode(id),
          .export_key = std::move(finished.export_key)};
}

opaque::Credential World::credential(Suite suite, Bytes name, crypto::KsfProfile ksf) const {
  const auto id = opaque_suite(suite);
  const auto& login = of(suite);
  const auto& record = as_text(name) == "alice" ? login.record : login.fake;
  return {
      .record = {.suite = id, .ksf = ksf, .epoch = 1, .record = must(opaque::RegistrationRecord::decode(id, record))},
      .keys = login.keys};
}

StoredTicket World::ticket() const {
  pake::testing::SeededRng rng(7);
  auto secret = ResumptionSecret::make([](auto out) { std::ranges::fill(out, 0x5c); });
  auto ticket = must(seal_ticket(*ticket_keys_, alices_ticket(), secret, rng));
  return {.ticket = std::move(ticket), .secret = std::move(secret)};
}

ClientConfig client_config(const Plan& plan) {
  return {.server_name = to_buffer(as_bytes(plan.server_name)),
          .fastest_aead = plan.client_aead,
          .login_suites = plan.login_suites,
          .ksf_ceiling = plan.ksf_ceiling,
          .server_public_keys = plan.server_public_keys,
          .device_place = plan.device_place};
}

Result<ClientHandshake> make_client(const Plan& plan, Rng& rng) {
  const auto config = client_config(plan);
  switch (plan.kind) {
    case HandshakeKind::login: {
      const PasswordCredentials credentials{.name = as_bytes(plan.name), .password = as_bytes(plan.password)};
      if (plan.device)
        return ClientHandshake::by_password_from_device(config, credentials, *plan.device, kDeviceTime, rng);
      return ClientHandshake::by_password(config, credentials, rng);
    }
    case HandshakeKind::code:
      return ClientHandshake::by_code(config, {.selector = as_bytes(plan.name), .code = as_bytes(plan.password)}, rng);
    case HandshakeKind::resume:
      return plan.ticket ? ClientHandshake::by_ticket(config, *plan.ticket, rng)
                         : ClientHandshake::by_ticket(config, World::get().ticket(), rng);
  }
  std::abort();
}

ServerConfig server_config(const Plan& plan) {
  return {.fastest_aead = plan.server_aead, .ticket_keys = World::get().ticket_keys()};
}

Decision decide(const ClientRequest& request, const Plan& plan, GuessBudget& budget) {
  if (plan.refusal) return *plan.refusal;
  switch (request.kind) {
    case HandshakeKind::login:
      if (request.suite != plan.server_suite) return RetryWith{.suite = plan.server_suite};
      return LoginAnswer{.credential = World::get().credential(request.suite, request.name, plan.record_profile),
                         .permit = must(budget.take())};
    case HandshakeKind::code:
      return CodeAnswer{.code = SecretBuffer::copy_of(as_bytes(plan.code)), .permit = must(budget.take())};
    case HandshakeKind::resume:
      return TicketAccepted{};
  }
  std::abort();
}

Exchange::Exchange(Plan of)
    : plan(std::move(of)),
      client_rng(plan.seed),
      server_rng(plan.seed + 1'000'000),
      client(must(make_client(plan, client_rng))),
      server(server_config(plan), server_rng) {}

void Exchange::deliver(Side from, Buffer bytes) {
  Flight flight{.from = from, .number = sent.size(), .bytes = std::move(bytes)};
  sent.push_back(flight);
  plan.tamper(flight);
  auto& inbox = from == Side::client ? to_server : to_client;
  inbox.insert(inbox.end(), flight.bytes.begin(), flight.bytes.end());
}

bool Exchange::step_client() {
  switch (client.want()) {
    case Want::send:
      deliver(Side::client, must(client.take_message()));
      return true;
    case Want::receive: {
      const auto consumed = client.receive(to_client);
      if (consumed && *consumed == 0) return false;
      if (consumed) to_client.erase(to_client.begin(), to_client.begin() + static_cast<std::ptrdiff_t>(*consumed));
      return true;
    }
    case Want::ksf: {
      auto job = must(client.take_job());
      ++jobs;
      job->run();
      static_cast<void>(client.resume(std::move(job)));
      return true;
    }
    case Want::done:
      if (client_outcome) return false;
      client_keys = must(client.take_keys());
      client_outcome = must(client.take_outcome());
      return true;
    case Want::failed:
      if (alert_sent_by_client_ || !client.failure()->to_send) return false;
      alert_sent_by_client_ = true;
      deliver(Side::client, client.failure()->to_send->encode());
      return true;
    case Want::decision:
    case Want::key_operation:
      break;
  }
  std::abort();
}

bool Exchange::step_server() {
  switch (server.want()) {
    case Want::send:
      deliver(Side::server, must(server.take_message()));
      return true;
    case Want::receive: {
      const auto consumed = server.receive(to_server);
      if (consumed && *consumed == 0) return false;
      if (consumed) to_server.erase(to_server.begin(), to_server.begin() + static_cast<std::ptrdiff_t>(*consumed));
      return true;
    }
    case Want::decision:
      answered = true;
      static_cast<void>(server.decide(decide(*server.request(), plan, budget)));
      return true;
    case Want::done:
      if (server_outcome) return false;
      server_keys = must(server.take_keys());
      server_outcome = must(server.take_outcome());
      return true;
    case Want::failed:
      if (alert_sent_by_server_ || !server.failure()->to_send) return false;
      alert_sent_by_server_ = true;
      deliver(Side::server, server.failure()->to_send->encode());
      return true;
    case Want::ksf:
    case Want::key_operation:
      break;
  }
  std::abort();
}

Exchange& Exchange::run() {
  while (step_client() || step_server()) {
  }
  return *this;
}

bool agree(const Exchange& run) {
  if (!run.client_outcome || !run.server_outcome) return false;
  const auto& client = *run.client_keys;
  const auto& server = *run.server_keys;
  return client.aead == server.aead && ct_equal(client.client.reveal(), server.client.reveal()) &&
         ct_equal(client.server.reveal(), server.server.reveal()) &&
         ct_equal(client.exporter_secret.reveal(), server.exporter_secret.reveal()) &&
         ct_equal(client.resumption_secret.reveal(), server.resumption_secret.reveal());
}

bool nobody_has_keys(const Exchange& run) { return !run.client_outcome && !run.server_outcome; }

std::string name_of(const Plan& plan) {
  switch (plan.kind) {
    case HandshakeKind::code:
      return "code";
    case HandshakeKind::resume:
      return "resume";
    case HandshakeKind::login:
      break;
  }
  const std::string suite = plan.server_suite == Suite::opaque_p256 ? "p256" : "ristretto255";
  return "login_" + suite + (plan.login_suites.front() == plan.server_suite ? "" : "_retry") +
         (plan.device ? "_device" : "");
}

void PrintTo(const Plan& plan, std::ostream* out) { *out << name_of(plan); }

std::vector<Plan> all_plans() {
  constexpr auto r = Suite::opaque_ristretto255, p = Suite::opaque_p256;
  std::vector<Plan> plans(6);
  plans[0].login_suites = {r, p};
  plans[1].login_suites = {p, r};
  plans[1].server_suite = p;
  plans[2].login_suites = {r, p};
  plans[2].server_suite = p;
  plans[3].login_suites = {p, r};
  plans[4].kind = HandshakeKind::code;
  plans[4].name = "1234";
  plans[4].password = plans[4].code;
  plans[5].kind = HandshakeKind::resume;
  return plans;
}

std::vector<Plan> all_plans(HandshakeKind kind) {
  auto plans = all_plans();
  std::erase_if(plans, [=](const Plan& plan) { return plan.kind != kind; });
  return plans;
}

std::vector<Plan> device_plans() {
  auto plans = all_plans(HandshakeKind::login);
  for (auto& plan : plans) plan.device = std::make_shared<const StoredTicket>(World::get().ticket());
  return plans;
}

std::vector<Plan> plans_with_devices() {
  auto plans = all_plans();
  for (auto& plan : device_plans()) plans.push_back(std::move(plan));
  return plans;
}

}  // namespace pake::channel::test
