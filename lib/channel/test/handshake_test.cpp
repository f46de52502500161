// Whole runs: what must work, and what must not.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "pake/base/writer.h"
#include "pake/testing/flips.h"
#include "pake/testing/hex.h"
#include "resumption.h"
#include "transcript.h"
#include "world.h"

namespace pake::channel {
namespace {

using test::agree;
using test::Exchange;
using test::nobody_has_keys;
using test::Plan;
using test::Side;
using test::World;

class EverySuite : public ::testing::TestWithParam<Plan> {};
class EveryLogin : public ::testing::TestWithParam<Plan> {};
constexpr auto kName = [](const auto& info) { return test::name_of(info.param); };
INSTANTIATE_TEST_SUITE_P(Handshake, EverySuite, ::testing::ValuesIn(test::all_plans()), kName);
INSTANTIATE_TEST_SUITE_P(Handshake, EveryLogin, ::testing::ValuesIn(test::all_plans(HandshakeKind::login)), kName);

bool has_retry(const Plan& plan) {
  return plan.kind == HandshakeKind::login && plan.login_suites.front() != plan.server_suite;
}

TEST_P(EverySuite, BothHaveTheChannel) {
  Exchange run(GetParam());
  run.run();
  ASSERT_TRUE(agree(run));
  EXPECT_EQ(run.client_outcome->kind, run.plan.kind);
  EXPECT_EQ(run.server_outcome->kind, run.plan.kind);
  EXPECT_EQ(as_text(run.server_outcome->name), run.plan.kind == HandshakeKind::code ? "" : run.plan.name);
  EXPECT_EQ(run.sent.size(), has_retry(run.plan) ? 5U : 3U);
  EXPECT_EQ(run.jobs, run.plan.kind == HandshakeKind::login ? 1U : 0U);
  EXPECT_EQ(run.budget.available(), 1U) << "a finish that verified gives the guess back";
  EXPECT_TRUE(run.to_client.empty() && run.to_server.empty());
  EXPECT_EQ(run.client.failure(), nullptr);
  EXPECT_EQ(run.server.failure(), nullptr);
}

// Credentials are filled in one statement, from what ends with it, and used in the next.
TEST(Credentials, OutliveWhatTheyWereMadeOf) {
  const auto text = [](std::string_view what) {
    return to_buffer(as_bytes(std::string(what) + std::string(100, '.')));
  };
  const PasswordCredentials password{.name = text("alice"), .password = text("correct horse")};
  const CodeCredentials code{.selector = text("selector"), .code = text("acid-zoom-42")};
  testing::SeededRng rng(1);
  EXPECT_TRUE(ClientHandshake::by_password({}, password, rng));
  EXPECT_TRUE(ClientHandshake::by_code({}, code, rng));
}

TEST_P(EverySuite, EachSideLearnsWhatItsKindTells) {
  Exchange run(GetParam());
  run.run();
  ASSERT_TRUE(agree(run));
  const auto& client = *run.client_outcome;
  if (run.plan.kind == HandshakeKind::login) {
    const auto& world = World::get();
    EXPECT_TRUE(std::ranges::equal(client.server_public_key, world.keys(run.plan.server_suite).public_key()));
    EXPECT_TRUE(ct_equal(client.export_key.reveal(), world.export_key(run.plan.server_suite).reveal()));
    EXPECT_EQ(client.ksf, crypto::KsfProfile::small);
  } else {
    EXPECT_TRUE(client.server_public_key.empty());
    EXPECT_TRUE(client.export_key.empty());
  }
  EXPECT_EQ(run.server_outcome->ticket.has_value(), run.plan.kind == HandshakeKind::resume);
  if (run.server_outcome->ticket) {
    auto without_server_name = test::alices_ticket();
    without_server_name.server_name = {};
    EXPECT_EQ(*run.server_outcome->ticket, without_server_name);
  }
}

TEST_P(EverySuite, TheAeadIsAesWhereBothHaveIt) {
  for (const auto client : {AeadId::aes_256_gcm, AeadId::chacha20_poly1305})
    for (const auto server : {AeadId::aes_256_gcm, AeadId::chacha20_poly1305}) {
      auto plan = GetParam();
      plan.client_aead = client;
      plan.server_aead = server;
      Exchange run(plan);
      run.run();
      ASSERT_TRUE(agree(run));
      EXPECT_EQ(run.client_keys->aead == AeadId::aes_256_gcm,
                client == AeadId::aes_256_gcm && server == AeadId::aes_256_gcm);
    }
}

TEST_P(EverySuite, NoTwoRunsShareAKey) {
  auto plan = GetParam();
  Exchange one(plan);
  ++plan.seed;
  Exchange other(plan);
  one.run();
  other.run();
  ASSERT_TRUE(agree(one) && agree(other));
  EXPECT_FALSE(ct_equal(one.client_keys->client.reveal(), other.client_keys->client.reveal()));
  EXPECT_FALSE(ct_equal(one.client_keys->client.reveal(), one.client_keys->server.reveal()));
}

// docs/wire.md, section 3: the sizes are public, and the page's.
TEST_P(EverySuite, TheFramesAreAsLongAsThePageSays) {
  Exchange run(GetParam());
  run.run();
  const auto& plan = run.plan;
  const std::size_t fixed = 4 + 4 + 1 + 1 + 32 + (1 + 2) + 1 + (1 + plan.server_name.size()) + 1 + 2 + 2;
  const bool p256 = plan.kind == HandshakeKind::login && plan.server_suite == Suite::opaque_p256;
  switch (plan.kind) {
    case HandshakeKind::login: {
      const auto hello = fixed + 2 + plan.name.size();
      EXPECT_EQ(run.sent[0].bytes.size(), hello + (plan.login_suites[0] == Suite::opaque_p256 ? 98 : 96));
      EXPECT_EQ(run.sent[run.sent.size() - 2].bytes.size(), 4U + 8 + (p256 ? 259 : 320));
      EXPECT_EQ(run.sent.back().bytes.size(), 4U + (p256 ? 32 : 64));
      break;
    }
    case HandshakeKind::code:
      EXPECT_EQ(run.sent[0].bytes.size(), fixed + 1 + plan.name.size() + 32);
      EXPECT_EQ(run.sent[1].bytes.size(), 4U + 8 + 96);
      EXPECT_EQ(run.sent[2].bytes.size(), 4U + 64);
      break;
    case HandshakeKind::resume:
      EXPECT_EQ(run.sent[0].bytes.size(), fixed + 1 + 2 + World::get().ticket().ticket.size() + 96);
      EXPECT_EQ(run.sent[1].bytes.size(), 4U + 8 + 96);
      EXPECT_EQ(run.sent[2].bytes.size(), 4U + 64);
      break;
  }
}

// A client that has sent its finish appends records to it: they are left for whoever opens records.
TEST_P(EverySuite, WhatFollowsTheFinishIsLeft) {
  auto plan = GetParam();
  const Buffer record = {0x10, 0, 0, 17, 1, 2, 3};
  plan.tamper = [&](test::Flight& flight) {
    if (flight.bytes[0] == 0x04) flight.bytes.insert(flight.bytes.end(), record.begin(), record.end());
  };
  Exchange run(plan);
  run.run();
  EXPECT_TRUE(agree(run));
  EXPECT_EQ(run.to_server, record);
}

// A login's runs end where its password would be stretched.
TEST_P(EverySuite, EverySplitWorks) {
  Exchange whole(GetParam());
  whole.run();
  for (std::size_t number = 0; number < whole.sent.size(); ++number)
    for (std::size_t cut = 1; cut < whole.sent[number].bytes.size(); ++cut) {
      if (GetParam().kind == HandshakeKind::login && number + 1 == whole.sent.size()) return;
      Exchange run(GetParam());
      while (run.sent.size() <= number) ASSERT_TRUE(run.step_client() || run.step_server());
      const bool to_server = run.sent[number].from == Side::client;
      auto& inbox = to_server ? run.to_server : run.to_client;
      const auto step = [&] { return to_server ? run.step_server() : run.step_client(); };
      const auto all = inbox;
      inbox.resize(cut);
      ASSERT_FALSE(step()) << "flight " << number << " cut at " << cut;
      inbox = all;
      ASSERT_TRUE(step()) << "flight " << number << " cut at " << cut;
      ASSERT_TRUE(inbox.empty());
      if (GetParam().kind != HandshakeKind::login) {
        ASSERT_TRUE(agree(run.run())) << "flight " << number << " cut at " << cut;
      }
    }
}

TEST_P(EverySuite, ByteByByteWorks) {
  Exchange run(GetParam());
  const auto trickle = [](Buffer& inbox, const auto& step) {
    for (const auto byte : std::exchange(inbox, {})) {
      inbox.push_back(byte);
      step();
    }
  };
  while (run.step_client() || run.step_server()) {
    trickle(run.to_server, [&] { run.step_server(); });
    trickle(run.to_client, [&] { run.step_client(); });
  }
  EXPECT_TRUE(agree(run));
}

// --- The password, the code, the ticket.

TEST_P(EverySuite, AWrongSecretGivesNobodyAKeyAndOneAlert) {
  auto plan = GetParam();
  plan.password = "correct hors";
  if (plan.kind == HandshakeKind::resume) {
    auto wrong = World::get().ticket();
    wrong.secret = ResumptionSecret();
    plan.ticket = std::make_shared<const StoredTicket>(std::move(wrong));
  }
  Exchange run(plan);
  run.run();
  EXPECT_TRUE(nobody_has_keys(run));
  ASSERT_TRUE(run.client.failure() && run.server.failure());
  EXPECT_EQ(run.client.failure()->error, Errc::auth_failed);
  EXPECT_EQ(run.server.failure()->error, Errc::auth_failed);
  const Alert refused{.code = AlertCode::refused};
  if (plan.kind == HandshakeKind::resume) {
    EXPECT_EQ(run.server.failure()->to_send, refused);
    EXPECT_EQ(run.client.failure()->received, refused);
    EXPECT_EQ(run.client.failure()->to_send, std::nullopt);
  } else {
    EXPECT_EQ(run.client.failure()->to_send, refused);
    EXPECT_EQ(run.server.failure()->received, refused);
    EXPECT_EQ(run.server.failure()->to_send, std::nullopt);
    EXPECT_EQ(run.budget.available(), 0U) << "the guess stays spent";
  }
}

// An unknown user gets a ServerHello of the same size; nothing in it tells.
TEST_P(EveryLogin, AnUnknownUserSeesTheSameSizes) {
  auto plan = GetParam();
  Exchange known(plan);
  known.run();
  plan.name = "nobod";
  Exchange unknown(plan);
  unknown.run();
  EXPECT_TRUE(agree(known));
  EXPECT_TRUE(nobody_has_keys(unknown));
  EXPECT_EQ(unknown.client.failure()->error, Errc::auth_failed);
  const auto hello = unknown.sent.size() - 2;
  EXPECT_EQ(known.sent[hello].bytes.size(), unknown.sent[hello].bytes.size());
  EXPECT_TRUE(std::ranges::equal(Bytes(known.sent[hello].bytes).first(12), Bytes(unknown.sent[hello].bytes).first(12)));
  EXPECT_EQ(unknown.budget.available(), 0U);
}

TEST_P(EveryLogin, AKnownServerIsHeldToItsKey) {
  auto plan = GetParam();
  const auto key = to_buffer(World::get().keys(plan.server_suite).public_key());
  auto other = key;
  other.back() ^= 1;
  plan.server_public_keys = {other, key};
  Exchange known(plan);
  EXPECT_TRUE(agree(known.run()));
  plan.server_public_keys = {other};
  Exchange forged(plan);
  forged.run();
  EXPECT_TRUE(nobody_has_keys(forged));
  EXPECT_EQ(forged.client.failure()->error, Errc::auth_failed);
  EXPECT_EQ(forged.client.failure()->to_send, Alert{.code = AlertCode::refused});
}

TEST(Resume, WhateverIsWrongWithATicketTheAnswerIsOne) {
  const auto outcome_of = [](StoredTicket ticket) {
    Plan plan{.kind = HandshakeKind::resume};
    plan.ticket = std::make_shared<const StoredTicket>(std::move(ticket));
    Exchange run(plan);
    run.run();
    EXPECT_TRUE(nobody_has_keys(run));
    EXPECT_FALSE(run.answered) << "nobody is asked about a ticket whose bearer has proved nothing";
    EXPECT_EQ(run.server.failure()->error, Errc::auth_failed);
    EXPECT_EQ(run.client.failure()->received, Alert{.code = AlertCode::refused});
  };
  auto forged = World::get().ticket();
  forged.ticket.back() ^= 1;
  outcome_of(std::move(forged));
  auto cut = World::get().ticket();
  cut.ticket.pop_back();
  outcome_of(std::move(cut));
  outcome_of({.ticket = Buffer(1), .secret = {}});
  outcome_of({.ticket = Buffer(kMaxTicketSize), .secret = {}});
  auto unknown_key = World::get().ticket();
  unknown_key.ticket[3] = 9;
  outcome_of(std::move(unknown_key));
  auto wrong_secret = World::get().ticket();
  wrong_secret.secret = ResumptionSecret();
  outcome_of(std::move(wrong_secret));
}

// Expired, or of a generation that is gone: the caller knows the time and the store, and says no.
TEST(Resume, TheCallerRefusesByWhatTheTicketSays) {
  Exchange run({.kind = HandshakeKind::resume, .refusal = Alert{.code = AlertCode::refused}});
  while (run.server.want() != Want::decision) ASSERT_TRUE(run.step_client() || run.step_server());
  const auto& request = *run.server.request();
  ASSERT_TRUE(request.ticket);
  EXPECT_EQ(*request.ticket, test::alices_ticket());
  EXPECT_TRUE(request.name.empty());
  run.run();
  EXPECT_TRUE(nobody_has_keys(run));
  EXPECT_EQ(run.client.failure()->received, Alert{.code = AlertCode::refused});
  EXPECT_EQ(run.client.failure()->error, Errc::auth_failed);
}

TEST(Resume, AServerThatResumesNothingAnswersLikeOneThatRefusesTheTicket) {
  pake::testing::SeededRng client_rng(1), server_rng(2);
  auto client = ClientHandshake::by_ticket({}, World::get().ticket(), client_rng);
  ASSERT_TRUE(client);
  ServerHandshake server({}, server_rng);
  EXPECT_EQ(server.receive(*client->take_message()), fail(Errc::auth_failed));
  EXPECT_EQ(server.failure()->to_send, Alert{.code = AlertCode::refused});
}

// Both names are of servers that share their ticket keys.
TEST(Resume, ATicketIsGoodAtTheNameItWasLentUnderAlone) {
  for (const char* name : {"other.example", "example.org.", "Example.org", ""}) {
    Exchange run({.kind = HandshakeKind::resume, .server_name = name});
    run.run();
    EXPECT_TRUE(nobody_has_keys(run)) << name;
    EXPECT_FALSE(run.answered) << name;
    EXPECT_EQ(run.server.failure()->to_send, Alert{.code = AlertCode::refused}) << name;
  }
}

// --- Known devices: docs/wire.md, section 7.1.

// Until the server's caller is asked for the last time; no password is stretched.
const ClientRequest* last_request(Exchange& run) {
  while (run.server.want() != Want::decision || run.server.request()->suite != run.plan.server_suite)
    if (!run.step_client() && !run.step_server()) return nullptr;
  return run.server.request();
}

TEST(KnownDevice, TheCallerIsToldWhoseGuessesCount) {
  for (const auto& plan : test::device_plans()) {
    Exchange run(plan);
    const auto* request = last_request(run);
    ASSERT_NE(request, nullptr);
    ASSERT_TRUE(request->device) << name_of(plan);
    EXPECT_EQ(request->device->ticket, test::alices_ticket());
    EXPECT_EQ(request->device->time, test::kDeviceTime);
    EXPECT_FALSE(request->ticket) << "nothing is resumed";
    run.run();
    EXPECT_TRUE(agree(run)) << name_of(plan);
    EXPECT_FALSE(run.server_outcome->ticket);
  }
}

TEST(KnownDevice, EveryHelloHasItsOwnDigest) {
  const auto digest = [](std::uint64_t seed) {
    auto plan = test::device_plans().front();
    plan.seed = seed;
    Exchange run(plan);
    return last_request(run)->device->hello_digest;
  };
  EXPECT_EQ(digest(1), digest(1)) << "a hello that is sent again is the same";
  EXPECT_NE(digest(1), digest(2));
}

TEST(KnownDevice, WhateverIsWrongItIsAsIfAbsent) {
  const auto absent = [](const Plan& plan) {
    Exchange run(plan);
    const auto* request = last_request(run);
    ASSERT_NE(request, nullptr);
    EXPECT_FALSE(request->device);
    run.run();
    EXPECT_EQ(agree(run), plan.name == "alice") << "the login is like any other";
  };
  auto plan = test::device_plans().front();
  plan.name = "bob";
  absent(plan);
  for (const char* name : {"other.example", "example.org.", "Example.org", ""}) {
    plan = test::device_plans().front();
    plan.server_name = name;
    absent(plan);
  }
  const auto absent_with = [&](const std::function<void(StoredTicket&)>& change) {
    auto ticket = World::get().ticket();
    change(ticket);
    auto changed = test::device_plans().front();
    changed.device = std::make_shared<const StoredTicket>(std::move(ticket));
    absent(changed);
  };
  absent_with([](StoredTicket& ticket) { ticket.secret = ResumptionSecret(); });
  absent_with([](StoredTicket& ticket) { ticket.ticket.back() ^= 1; });
  absent_with([](StoredTicket& ticket) { ticket.ticket[3] = 9; });
  absent_with([](StoredTicket& ticket) { ticket.ticket = Buffer(1); });
  absent_with([](StoredTicket& ticket) { ticket.ticket = Buffer(kMaxTicketSize); });
}

TEST(KnownDevice, AServerThatResumesNothingKnowsNone) {
  Exchange run(test::device_plans().front());
  pake::testing::SeededRng rng(3);
  run.server = ServerHandshake({}, rng);
  const auto* request = last_request(run);
  ASSERT_NE(request, nullptr);
  EXPECT_FALSE(request->device);
}

// One bit of every byte; KE1 is under the binder as well.
TEST(KnownDevice, NoByteOfTheHelloIsChangedUnderTheBinder) {
  const auto plan = test::device_plans().front();
  const auto size = Exchange(plan).client.take_message()->size();
  for (std::size_t byte = 0; byte < size; ++byte) {
    Exchange run(plan);
    auto hello = *run.client.take_message();
    hello[byte] ^= 1;
    if (!run.server.receive(hello) || run.server.want() != Want::decision) continue;
    ASSERT_FALSE(run.server.request()->device) << byte;
  }
}

// docs/wire.md, section 3.2: the second hello is the first, but for the binder, the suites' order and the PAKE message.
TEST(KnownDevice, AfterARetryOnlyTheBinderIsAnother) {
  auto plan = test::device_plans().front();
  plan.server_suite = Suite::opaque_p256;
  Exchange honest(plan);
  ASSERT_TRUE(last_request(honest)->device);
  const auto up_to_pake = honest.sent[2].bytes.size() - 98 - 2;
  const auto binder = up_to_pake - 64;
  EXPECT_FALSE(std::ranges::equal(Bytes(honest.sent[0].bytes).subspan(binder, 64),
                                  Bytes(honest.sent[2].bytes).subspan(binder, 64)));
  for (std::size_t byte = 4; byte < up_to_pake; ++byte) {
    Exchange run(plan);
    while (run.sent.size() < 3) ASSERT_TRUE(run.step_client() || run.step_server());
    run.answered = false;
    run.to_server[byte] ^= 1;
    while (run.server.want() == Want::receive && run.step_server()) continue;
    ASSERT_EQ(run.server.want(), byte < binder ? Want::failed : Want::decision) << byte;
    if (byte >= binder) {
      ASSERT_FALSE(run.server.request()->device) << byte;
    }
  }
}

TEST(KnownDevice, AHelloThatFollowedARetryIsNoneWithoutIt) {
  auto plan = test::device_plans().front();
  plan.server_suite = Suite::opaque_p256;
  Exchange recorded(plan);
  ASSERT_TRUE(last_request(recorded)->device);
  pake::testing::SeededRng rng(3);
  ServerHandshake server(test::server_config(plan), rng);
  ASSERT_TRUE(server.receive(recorded.sent[2].bytes));
  ASSERT_EQ(server.want(), Want::decision);
  EXPECT_FALSE(server.request()->device);
}

TEST(KnownDevice, WhoKeepsNoTicketSaysSo) {
  for (const auto suite : {Suite::opaque_ristretto255, Suite::opaque_p256})
    for (const auto place : {DevicePlace::taken, DevicePlace::none}) {
      Exchange run({.server_suite = suite, .device_place = place});
      const auto* request = last_request(run);
      ASSERT_NE(request, nullptr);
      EXPECT_EQ(request->device_place, place);
      EXPECT_TRUE(agree(run.run()));
    }
}

// --- Every byte matters.

// The run in which `change` was made to flight `number`.
std::unique_ptr<Exchange> tampered(Plan plan, std::size_t number, const std::function<void(Buffer&)>& change) {
  plan.tamper = [=](test::Flight& flight) {
    if (flight.number == number) change(flight.bytes);
  };
  auto run = std::make_unique<Exchange>(std::move(plan));
  run->run();
  return run;
}

// A login stretches a password in each run. What comes after a Retry's hellos is what comes without one.
TEST_P(EverySuite, AFlippedBitGivesNoKeyToWhoeverReadsIt) {
  const bool stretches = GetParam().kind == HandshakeKind::login;
  Exchange honest(GetParam());
  honest.run();
  const auto finish = honest.sent.size() - 1;
  for (std::size_t number = 0; number < (has_retry(GetParam()) ? 3 : honest.sent.size()); ++number) {
    for (const auto bit : testing::bits_to_flip(honest.sent[number].bytes.size(), stretches ? 3 : 1)) {
      const auto run = tampered(GetParam(), number,
                                [&](Buffer& bytes) { bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8); });
      ASSERT_FALSE(run->server_outcome) << "flight " << number << ", bit " << bit;
      ASSERT_EQ(run->client_outcome.has_value(), number == finish) << "flight " << number << ", bit " << bit;
    }
  }
}

// docs/wire.md, section 13: from the ServerHello's PAKE bytes on, whoever reads a flipped byte fails at once.
TEST_P(EverySuite, TheReaderOfAFlippedProofFailsAtOnce) {
  Exchange honest(GetParam());
  honest.run();
  const auto answer = honest.sent.size() - 2;
  for (const std::size_t from_end : {1U, 33U, 70U}) {
    const auto run = tampered(GetParam(), answer, [&](Buffer& bytes) { bytes[bytes.size() - from_end] ^= 1; });
    ASSERT_NE(run->client.failure(), nullptr);
    EXPECT_TRUE(run->client.failure()->to_send);
    EXPECT_EQ(run->server.failure()->received, run->client.failure()->to_send);
  }
  const auto run = tampered(GetParam(), answer + 1, [](Buffer& bytes) { bytes.back() ^= 1; });
  EXPECT_EQ(run->server.failure()->error, Errc::auth_failed);
  EXPECT_EQ(run->server.failure()->to_send, Alert{.code = AlertCode::refused});
  if (GetParam().kind != HandshakeKind::resume) {
    EXPECT_EQ(run->budget.available(), 0U);
  }
}

TEST_P(EverySuite, ACutFrameGivesNobodyAKey) {
  Exchange honest(GetParam());
  honest.run();
  const auto finish = honest.sent.size() - 1;
  for (std::size_t number = 0; number < finish; ++number)
    for (std::size_t kept = 0; kept < honest.sent[number].bytes.size(); ++kept)
      ASSERT_TRUE(nobody_has_keys(*tampered(GetParam(), number, [&](Buffer& bytes) { bytes.resize(kept); })))
          << "flight " << number << " cut to " << kept;
  for (const std::size_t kept : {0U, 1U, 4U, 31U}) {
    const auto run = tampered(GetParam(), finish, [&](Buffer& bytes) { bytes.resize(kept); });
    EXPECT_FALSE(run->server_outcome) << kept;
    EXPECT_EQ(run->server.want(), Want::receive) << kept;
  }
}

TEST_P(EverySuite, AFrameWithAByteMoreGivesNobodyAKey) {
  Exchange honest(GetParam());
  honest.run();
  const auto finish = honest.sent.size() - 1;
  for (std::size_t number = 0; number <= finish; ++number) {
    const auto run = tampered(GetParam(), number, [](Buffer& bytes) {
      bytes.push_back(0);
      if (++bytes[3] == 0) ++bytes[2];
    });
    EXPECT_FALSE(run->server_outcome) << number;
    EXPECT_EQ(run->client_outcome.has_value(), number == finish) << number;
  }
}

// Two frames in one segment: what stands behind the first is looked at after it.
TEST_P(EverySuite, NoFrameIsTakenTwice) {
  Exchange honest(GetParam());
  honest.run();
  const auto answer = honest.sent.size() - 2;
  for (std::size_t number = 0; number <= answer; ++number) {
    const auto run = tampered(GetParam(), number, [](Buffer& bytes) {
      const auto once = bytes;
      bytes.insert(bytes.end(), once.begin(), once.end());
    });
    if (number == answer) {
      EXPECT_EQ(run->to_client, honest.sent[answer].bytes) << "left for the records, where it is none";
    } else {
      EXPECT_FALSE(run->server_outcome) << number;
    }
  }
}

// --- Someone in the middle.

// The hello with other offers, and its length put right.
void rewrite_hello(Buffer& frame, const std::function<void(ClientHello&)>& change) {
  const auto body = to_buffer(Bytes(frame).subspan(FrameHeader::kSize));
  auto hello = ClientHello::decode(body);
  ASSERT_TRUE(hello);
  change(*hello);
  frame = hello->encode_up_to_pake(hello->pake.size());
  frame.insert(frame.end(), hello->pake.begin(), hello->pake.end());
}

TEST_P(EverySuite, AnAeadThatIsTakenOutIsMissed) {
  static const Buffer chacha = {2};
  const auto run =
      tampered(GetParam(), 0, [](Buffer& frame) { rewrite_hello(frame, [](auto& hello) { hello.aeads = chacha; }); });
  EXPECT_TRUE(nobody_has_keys(*run));
}

TEST(Downgrade, ASuiteThatIsTakenOutIsMissed) {
  static const Buffer only_ristretto = {1};
  const auto run =
      tampered({}, 0, [](Buffer& frame) { rewrite_hello(frame, [](auto& hello) { hello.suites = only_ristretto; }); });
  EXPECT_TRUE(nobody_has_keys(*run));
  EXPECT_EQ(run->client.failure()->error, Errc::auth_failed);
}

TEST(Downgrade, AnotherKsfProfileIsAnotherPassword) {
  const auto run = tampered({}, 1, [](Buffer& frame) {
    ASSERT_EQ(frame[7], 4);
    frame[7] = 3;  // scrypt-rfc9807, below the ceiling
  });
  EXPECT_TRUE(nobody_has_keys(*run));
  EXPECT_EQ(run->jobs, 1U);
  EXPECT_EQ(run->client.failure()->error, Errc::auth_failed);
}

// Someone answers the client with a Retry of their own and shows the server the second hello alone.
TEST(Downgrade, AForgedRetryIsMissed) {
  Exchange run({.server_suite = Suite::opaque_p256});
  ASSERT_TRUE(run.step_client());
  run.to_server.clear();
  run.to_client = Retry{.suite = 2}.encode();
  run.run();
  ASSERT_TRUE(run.answered) << "the server took the second hello for a first one";
  EXPECT_TRUE(nobody_has_keys(run));
  EXPECT_EQ(run.client.failure()->error, Errc::auth_failed);
}

// The server asks for another suite; someone lets the client's second hello go to a fresh connection.
TEST(Downgrade, ADroppedRetryIsMissed) {
  Exchange run({.server_suite = Suite::opaque_p256});
  while (run.sent.size() < 3) ASSERT_TRUE(run.step_client() || run.step_server());
  run.server = ServerHandshake({.fastest_aead = run.plan.server_aead}, run.server_rng);
  run.run();
  EXPECT_TRUE(nobody_has_keys(run));
  EXPECT_EQ(run.client.failure()->error, Errc::auth_failed);
}

TEST_P(EverySuite, AReplayedClientGetsAServerHelloAndNothingElse) {
  Exchange honest(GetParam());
  honest.run();
  ASSERT_TRUE(agree(honest));
  auto plan = GetParam();
  Exchange replayed(plan);
  pake::testing::SeededRng other_rng(99);
  replayed.server =
      ServerHandshake({.fastest_aead = plan.server_aead, .ticket_keys = World::get().ticket_keys()}, other_rng);
  for (const auto& flight : honest.sent)
    if (flight.from == Side::client)
      replayed.to_server.insert(replayed.to_server.end(), flight.bytes.begin(), flight.bytes.end());
  while (replayed.step_server()) {
  }
  ASSERT_GE(replayed.sent.size(), 2U);
  EXPECT_EQ(replayed.sent[replayed.sent.size() - 2].bytes[0], 0x03) << "a ServerHello came";
  EXPECT_FALSE(replayed.server_outcome);
  EXPECT_EQ(replayed.server.failure()->error, Errc::auth_failed);
}

TEST_P(EverySuite, TwoMixedRunsGiveNobodyAKey) {
  for (const bool mix_answers : {true, false}) {
    auto plan = GetParam();
    Exchange one(plan);
    plan.seed += 17;
    Exchange other(plan);
    const auto answer = has_retry(plan) ? 3U : 1U;
    const auto until = mix_answers ? answer : answer + 1;
    while (one.sent.size() <= until) ASSERT_TRUE(one.step_client() || one.step_server());
    while (other.sent.size() <= until) ASSERT_TRUE(other.step_client() || other.step_server());
    mix_answers ? std::swap(one.to_client, other.to_client) : std::swap(one.to_server, other.to_server);
    one.run();
    other.run();
    EXPECT_FALSE(one.server_outcome || other.server_outcome);
    EXPECT_EQ(one.client_outcome.has_value(), !mix_answers);
    EXPECT_EQ(other.client_outcome.has_value(), !mix_answers);
  }
}

// --- The KSF.

TEST(Ksf, AProfileAboveTheCeilingIsRefusedBeforeAnyStretching) {
  using enum crypto::KsfProfile;
  const std::pair<crypto::KsfProfile, crypto::KsfProfile> above[] = {
      {rfc9807, rfc9106_2}, {rfc9106_2, scrypt_rfc9807}, {scrypt_rfc9807, small}, {rfc9106_2, small}};
  for (const auto& [profile, ceiling] : above) {
    Exchange run({.record_profile = profile, .ksf_ceiling = ceiling});
    run.run();
    EXPECT_TRUE(nobody_has_keys(run));
    EXPECT_EQ(run.jobs, 0U);
    EXPECT_EQ(run.client.failure()->error, Errc::malformed);
    EXPECT_EQ(run.client.failure()->to_send, Alert{.code = AlertCode::unsupported});
  }
  EXPECT_EQ(ClientConfig{}.ksf_ceiling, rfc9106_2);
}

TEST(Ksf, AnUnknownProfileIsRefusedBeforeAnyStretching) {
  for (const unsigned profile : {0U, 5U, 255U}) {
    const auto run = tampered({.ksf_ceiling = crypto::KsfProfile::rfc9807}, 1,
                              [&](Buffer& frame) { frame[7] = static_cast<std::uint8_t>(profile); });
    EXPECT_EQ(run->jobs, 0U) << profile;
    EXPECT_EQ(run->client.failure()->to_send, Alert{.code = AlertCode::unsupported}) << profile;
  }
}

TEST(Ksf, OtherKindsHaveNone) {
  for (const auto& plan : test::all_plans()) {
    if (plan.kind == HandshakeKind::login) continue;
    const auto run = tampered(plan, 1, [&](Buffer& frame) { frame[7] = 4; });
    EXPECT_EQ(run->client.failure()->to_send, Alert{.code = AlertCode::malformed});
  }
}

// --- Misuse is final.

/// What a driver may do wrong while a job is out; the job that was taken comes along.
TEST(Ksf, NothingButItsOwnJobThatHasRunGoesOn) {
  using Step = std::function<Status(ClientHandshake&, std::unique_ptr<Job>)>;
  const Step steps[] = {
      [](ClientHandshake& client, std::unique_ptr<Job>) { return client.resume(nullptr); },
      [](ClientHandshake& client, std::unique_ptr<Job> job) { return client.resume(std::move(job)); },  // has not run
      [](ClientHandshake& client, std::unique_ptr<Job>) -> Status {
        Exchange other({.seed = 2});
        while (other.client.want() != Want::ksf) static_cast<void>(other.step_client() || other.step_server());
        auto foreign = *other.client.take_job();
        foreign->run();
        return client.resume(std::move(foreign));
      },
      [](ClientHandshake& client, std::unique_ptr<Job>) -> Status {
        if (const auto again = client.take_job(); !again) return fail(again.error());
        return {};
      },
      [](ClientHandshake& client, std::unique_ptr<Job>) -> Status {
        if (const auto read = client.receive({}); !read) return fail(read.error());
        return {};
      },
  };
  for (const auto& step : steps) {
    Exchange run({});
    while (run.client.want() != Want::ksf) ASSERT_TRUE(run.step_client() || run.step_server());
    auto job = run.client.take_job();
    ASSERT_TRUE(job);
    EXPECT_EQ(step(run.client, *std::move(job)), fail(Errc::misuse));
    EXPECT_EQ(run.client.want(), Want::failed);
    EXPECT_EQ(run.client.failure()->error, Errc::misuse);
    EXPECT_TRUE(nobody_has_keys(run.run()));
  }
}

TEST(Ksf, ARunThatFailedIsNotRevivedByItsOwnJob) {
  Exchange run({});
  while (run.client.want() != Want::ksf) ASSERT_TRUE(run.step_client() || run.step_server());
  auto job = run.client.take_job();
  ASSERT_TRUE(job);
  EXPECT_EQ(run.client.resume(nullptr), fail(Errc::misuse));
  (*job)->run();
  EXPECT_EQ(run.client.resume(*std::move(job)), fail(Errc::misuse));
  EXPECT_TRUE(nobody_has_keys(run.run()));
}

// --- Retry.

TEST(Retry, ASecondOneIsRefused) {
  Exchange run({.server_suite = Suite::opaque_p256});
  while (run.sent.size() < 3) ASSERT_TRUE(run.step_client() || run.step_server());
  EXPECT_EQ(run.client.receive(Retry{.suite = 1}.encode()), fail(Errc::malformed));
  EXPECT_EQ(run.client.failure()->to_send, Alert{.code = AlertCode::malformed});
}

TEST(Retry, OnlyASuiteOnOfferThatWasNotTheFirst) {
  for (const unsigned suite : {0U, 1U, 0x11U, 0x77U}) {
    Exchange run({});
    ASSERT_TRUE(run.step_client());
    const Retry retry{.suite = static_cast<std::uint8_t>(suite)};
    EXPECT_EQ(run.client.receive(retry.encode()), fail(Errc::malformed)) << suite;
    EXPECT_EQ(run.client.failure()->to_send, Alert{.code = AlertCode::malformed}) << suite;
  }
}

TEST(Retry, AChangedSecondHelloIsRefusedBeforeAnyoneIsAsked) {
  Exchange honest({.server_suite = Suite::opaque_p256});
  honest.run();
  const auto up_to_pake = honest.sent[2].bytes.size() - 98 - 2;
  for (std::size_t byte = 4; byte < up_to_pake; ++byte) {
    Exchange run({.server_suite = Suite::opaque_p256});
    while (run.sent.size() < 3) ASSERT_TRUE(run.step_client() || run.step_server());
    run.answered = false;
    run.to_server[byte] ^= 1;
    while (run.step_server()) {
    }
    ASSERT_FALSE(run.answered) << byte;
    ASSERT_EQ(run.server.want(), Want::failed) << byte;
  }
}

TEST(Retry, ASuiteThatTheClientDoesNotAcceptEndsTheRun) {
  Exchange run({.server_suite = Suite::opaque_p256, .login_suites = {Suite::opaque_ristretto255}});
  run.run();
  EXPECT_TRUE(nobody_has_keys(run));
  EXPECT_EQ(run.server.failure()->error, Errc::malformed);
  EXPECT_EQ(run.client.failure()->received, Alert{.code = AlertCode::unsupported});
}

TEST(Retry, TheServerMayAskOnceAndForAnotherLoginSuite) {
  const auto asked = [](int times, Suite suite) {
    Exchange run({.server_suite = Suite::opaque_p256});
    for (auto i = 0; i < times; ++i) {
      if (i != 0) {
        EXPECT_TRUE(run.server.decide(RetryWith{.suite = Suite::opaque_p256}));
      }
      while (run.server.want() != Want::decision && (run.step_server() || run.step_client())) continue;
    }
    const auto status = run.server.decide(RetryWith{.suite = suite});
    EXPECT_EQ(status.has_value(), run.server.want() == Want::send);
    EXPECT_EQ(!status, run.server.want() == Want::failed);
    return status;
  };
  EXPECT_TRUE(asked(1, Suite::opaque_p256));
  for (const auto suite : {Suite::opaque_ristretto255, Suite::cpace_ristretto255, Suite::x25519, static_cast<Suite>(0)})
    EXPECT_EQ(asked(1, suite), fail(Errc::misuse));
  EXPECT_EQ(asked(2, Suite::opaque_ristretto255), fail(Errc::misuse));
}

// --- Alerts.

TEST_P(EverySuite, ARefusalReachesTheClientWithItsSeconds) {
  const std::pair<Alert, Errc> refusals[] = {
      {{.code = AlertCode::refused}, Errc::auth_failed},
      {{.code = AlertCode::throttled, .retry_after = 3600}, Errc::exhausted},
      {{.code = AlertCode::unavailable}, Errc::unavailable},
      {{.code = AlertCode::unknown_server}, Errc::malformed},
  };
  for (const auto& [alert, error] : refusals) {
    auto plan = GetParam();
    plan.refusal = alert;
    Exchange run(plan);
    run.run();
    EXPECT_TRUE(nobody_has_keys(run));
    EXPECT_EQ(run.sent.size(), 2U);
    EXPECT_EQ(run.client.failure()->error, error);
    EXPECT_EQ(run.client.failure()->received, alert);
    EXPECT_EQ(run.client.failure()->to_send, std::nullopt);
    EXPECT_EQ(run.server.failure()->to_send, alert);
    EXPECT_EQ(run.budget.available(), 1U);
  }
}

TEST(Alerts, AClientMayEndTheRunInPlaceOfItsSecondHello) {
  Exchange run({.server_suite = Suite::opaque_p256});
  while (run.sent.size() < 3) ASSERT_TRUE(run.step_client() || run.step_server());
  const Alert alert{.code = AlertCode::malformed};
  EXPECT_EQ(run.server.receive(alert.encode()), fail(Errc::malformed));
  EXPECT_EQ(run.server.failure()->received, alert);
  EXPECT_EQ(run.server.failure()->to_send, std::nullopt);
}

TEST(Alerts, NoneComesInPlaceOfTheFirstHello) {
  pake::testing::SeededRng rng(1);
  ServerHandshake server({}, rng);
  EXPECT_EQ(server.receive(Alert{}.encode()), fail(Errc::malformed));
  EXPECT_EQ(server.failure()->to_send, Alert{.code = AlertCode::malformed});
}

TEST(Alerts, OneThatIsNoneIsMalformed) {
  Exchange run({});
  ASSERT_TRUE(run.step_client());
  EXPECT_EQ(run.client.receive(Buffer{5, 0, 0, 5, 9, 0, 0, 0, 0}), fail(Errc::malformed));
  EXPECT_EQ(run.client.failure()->received, std::nullopt);
}

// --- What is no hello at all.

TEST(Garbage, IsRefusedByItsFirstByteOrHeader) {
  const std::string_view scanners[] = {"GET / HTTP/1.1\r\n",
                                       "\x16\x03\x01\x02",
                                       "SSH-2.0-x",
                                       std::string_view("\0", 1),
                                       "\x03",
                                       "\x04",
                                       "\x05",
                                       "\x10",
                                       "\x11",
                                       std::string_view("\x01\xff\xff\xff", 4),
                                       std::string_view("\x01\x00\x20\x01", 4)};
  for (const auto text : scanners) {
    pake::testing::SeededRng rng(1);
    ServerHandshake server({}, rng);
    EXPECT_EQ(server.receive(as_bytes(text)), fail(Errc::malformed)) << text;
    EXPECT_EQ(server.failure()->to_send, Alert{.code = AlertCode::malformed});
  }
}

TEST(Garbage, NeverGivesAnyoneAKey) {
  pake::testing::SeededRng rng(4711);
  for (int i = 0; i < 2000; ++i) {
    Buffer noise(1 + static_cast<std::size_t>(i) % 700);
    rng.fill(noise);
    if (i % 2 == 0 && noise.size() >= 4) {  // often with a header that is right
      noise[0] = i % 4 == 0 ? 0x01 : 0x03;
      noise[1] = 0;
      noise[2] = static_cast<std::uint8_t>((noise.size() - 4) >> 8U);
      noise[3] = static_cast<std::uint8_t>(noise.size() - 4);
    }
    Exchange run({.kind = HandshakeKind::code});
    ASSERT_TRUE(run.step_client());
    run.to_client = noise;
    run.to_server = noise;
    run.run();
    ASSERT_TRUE(nobody_has_keys(run)) << i;
    ASSERT_NE(run.server.want(), Want::decision) << i;
  }
}

// --- The caller.

// Every door at every moment: either it was its turn, or the run is over from there on.
TEST_P(EverySuite, WhateverIsAskedOutOfTurnEndsTheRun) {
  using Door = std::function<std::optional<Errc>(Exchange&)>;
  const auto error = [](const auto& result) -> std::optional<Errc> {
    if (result) return std::nullopt;
    return result.error();
  };
  struct Try {
    Side side;
    Want turn;
    Door door;
  };
  const Try tries[] = {
      {Side::client, Want::send, [=](Exchange& run) { return error(run.client.take_message()); }},
      {Side::client, Want::receive, [=](Exchange& run) { return error(run.client.receive({})); }},
      {Side::client, Want::ksf, [=](Exchange& run) { return error(run.client.take_job()); }},
      {Side::client, Want::decision, [=](Exchange& run) { return error(run.client.resume(nullptr)); }},
      {Side::server, Want::send, [=](Exchange& run) { return error(run.server.take_message()); }},
      {Side::server, Want::receive, [=](Exchange& run) { return error(run.server.receive({})); }},
      {Side::server, Want::decision, [=](Exchange& run) { return error(run.server.decide(TicketAccepted{})); }},
      {Side::server, Want::key_operation, [=](Exchange& run) { return error(run.server.take_job()); }},
      {Side::server, Want::decision, [=](Exchange& run) { return error(run.server.resume(nullptr)); }},
  };
  for (std::size_t moment = 0; moment < 20; ++moment)
    for (const auto& [side, turn, door] : tries) {
      Exchange run(GetParam());
      for (std::size_t i = 0; i < moment; ++i) {
        if (run.client.want() == Want::ksf) break;  // stretching costs too much to repeat it
        if (!run.step_client() && !run.step_server()) break;
      }
      const auto want = [&] { return side == Side::client ? run.client.want() : run.server.want(); };
      const auto before = want();
      if (before == turn) continue;
      EXPECT_EQ(door(run), Errc::misuse);
      EXPECT_EQ(want(), before == Want::done ? Want::done : Want::failed);
      EXPECT_EQ(door(run), Errc::misuse);
    }
}

TEST_P(EverySuite, WhatHasBeenTakenIsGone) {
  Exchange run(GetParam());
  ASSERT_TRUE(agree(run.run()));
  EXPECT_EQ(run.client.take_keys().error(), Errc::misuse);
  EXPECT_EQ(run.server.take_keys().error(), Errc::misuse);
  EXPECT_EQ(run.client.take_outcome().error(), Errc::misuse);
  EXPECT_EQ(run.server.take_outcome().error(), Errc::misuse);
}

TEST_P(EverySuite, TheMomentOfFailureIsFinal) {
  Exchange run(GetParam());
  ASSERT_TRUE(run.step_client());
  const auto hello = run.to_server;
  ASSERT_FALSE(run.server.receive(as_bytes("x")));
  EXPECT_EQ(run.server.receive(hello), fail(Errc::misuse));
  ASSERT_FALSE(run.client.receive(as_bytes("x")));
  EXPECT_EQ(run.client.receive({}), fail(Errc::misuse));
  EXPECT_EQ(run.client.want(), Want::failed);
  EXPECT_EQ(run.server.want(), Want::failed);
}

// A decision that does not fit ends the run, costs no guess and tells the client nothing of its password.
TEST(Decisions, MustFitTheRequest) {
  using Make = std::function<Decision(GuessBudget&)>;
  const auto credential = [](Suite suite) {
    return World::get().credential(suite, as_bytes("alice"), crypto::KsfProfile::small);
  };
  const auto ended = [](HandshakeKind kind, const Make& make) {
    Exchange run({.kind = kind, .password = kind == HandshakeKind::code ? "acid-zoom-42" : "correct horse"});
    while (run.server.want() != Want::decision) ASSERT_TRUE(run.step_client() || run.step_server());
    EXPECT_EQ(run.server.decide(make(run.budget)), fail(Errc::misuse));
    run.run();
    EXPECT_TRUE(nobody_has_keys(run));
    EXPECT_EQ(run.client.failure()->received, Alert{.code = AlertCode::unavailable});
    EXPECT_EQ(run.budget.available(), 1U);
  };
  const Make login = [&](GuessBudget& budget) {
    return LoginAnswer{.credential = credential(Suite::opaque_ristretto255), .permit = *budget.take()};
  };
  const Make code = [](GuessBudget& budget) {
    return CodeAnswer{.code = SecretBuffer::copy_of(as_bytes("acid-zoom-42")), .permit = *budget.take()};
  };
  const Make ticket = [](GuessBudget&) { return TicketAccepted{}; };
  ended(HandshakeKind::login, code);
  ended(HandshakeKind::login, ticket);
  ended(HandshakeKind::code, login);
  ended(HandshakeKind::code, ticket);
  ended(HandshakeKind::resume, login);
  ended(HandshakeKind::resume, code);
  ended(HandshakeKind::code, [](GuessBudget&) { return RetryWith{.suite = Suite::opaque_p256}; });
  ended(HandshakeKind::login, [&](GuessBudget& budget) {
    return LoginAnswer{.credential = credential(Suite::opaque_p256), .permit = *budget.take()};
  });
  ended(HandshakeKind::login, [&](GuessBudget& budget) {
    auto without_keys = credential(Suite::opaque_ristretto255);
    without_keys.keys = nullptr;
    return LoginAnswer{.credential = std::move(without_keys), .permit = *budget.take()};
  });
  ended(HandshakeKind::login, [&](GuessBudget& budget) {
    auto mixed = credential(Suite::opaque_ristretto255);
    mixed.record = credential(Suite::opaque_p256).record;
    return LoginAnswer{.credential = std::move(mixed), .permit = *budget.take()};
  });
  ended(HandshakeKind::code, [](GuessBudget& budget) { return CodeAnswer{.code = {}, .permit = *budget.take()}; });
}

TEST(Guesses, AHelloWithoutAFirstMessageCostsNone) {
  for (const auto& plan : test::all_plans()) {
    if (plan.kind == HandshakeKind::resume || has_retry(plan)) continue;
    const auto size = plan.kind == HandshakeKind::code ? 32U : plan.server_suite == Suite::opaque_p256 ? 98U : 96U;
    const auto run = tampered(plan, 0, [&](Buffer& bytes) {
      std::fill(bytes.end() - size, bytes.end(), std::uint8_t{0xff});  // no group element
    });
    EXPECT_TRUE(run->answered);
    EXPECT_EQ(run->client.failure()->received, Alert{.code = AlertCode::malformed});
    EXPECT_EQ(run->budget.available(), 1U);
  }
}

TEST(Guesses, AClientThatVanishesHasSpentOne) {
  Exchange run({.kind = HandshakeKind::code});
  while (run.server.want() != Want::send) ASSERT_TRUE(run.step_client() || run.step_server());
  ASSERT_TRUE(run.server.take_message());
  run.server = ServerHandshake({}, run.server_rng);
  EXPECT_EQ(run.budget.available(), 0U);
}

TEST(Client, RefusesWhatIsOutOfBounds) {
  pake::testing::SeededRng rng(1);
  const Buffer longest(255, 'a'), longer(256, 'a');
  const auto login = [&](ClientConfig config, Bytes name) {
    return ClientHandshake::by_password(config, {.name = name, .password = as_bytes("x")}, rng).has_value();
  };
  EXPECT_TRUE(login({}, longest));
  EXPECT_FALSE(login({}, longer));
  EXPECT_FALSE(login({}, {}));
  EXPECT_TRUE(login({.server_name = longest}, longest));
  EXPECT_FALSE(login({.server_name = longer}, longest));
  EXPECT_FALSE(login({.login_suites = {}}, longest));
  EXPECT_FALSE(login({.login_suites = {Suite::opaque_p256, Suite::opaque_p256}}, longest));
  EXPECT_FALSE(login({.login_suites = {Suite::cpace_ristretto255}}, longest));
  EXPECT_FALSE(login({.login_suites = {static_cast<Suite>(0)}}, longest));
  EXPECT_TRUE(login({.login_suites = {Suite::opaque_p256}}, longest));
  EXPECT_FALSE(ClientHandshake::by_password({}, {.name = longest, .password = {}}, rng));
  const auto code = as_bytes("x");
  EXPECT_TRUE(ClientHandshake::by_code({}, {.selector = {}, .code = code}, rng));
  EXPECT_TRUE(ClientHandshake::by_code({}, {.selector = longest, .code = code}, rng));
  EXPECT_FALSE(ClientHandshake::by_code({}, {.selector = longer, .code = code}, rng));
  EXPECT_FALSE(ClientHandshake::by_code({}, {.selector = {}, .code = {}}, rng));
  const PasswordCredentials alice{.name = as_bytes("alice"), .password = as_bytes("p")};
  EXPECT_FALSE(ClientHandshake::by_password_from_device({}, alice, {.ticket = {}, .secret = {}}, 0, rng));
  EXPECT_FALSE(ClientHandshake::by_password_from_device({}, alice, {.ticket = Buffer(kMaxTicketSize + 1), .secret = {}},
                                                        0, rng));
  EXPECT_FALSE(ClientHandshake::by_password_from_device({}, {.name = {}, .password = alice.password},
                                                        {.ticket = Buffer(1), .secret = {}}, 0, rng));
  EXPECT_FALSE(ClientHandshake::by_ticket({}, {.ticket = {}, .secret = {}}, rng));
  EXPECT_FALSE(ClientHandshake::by_ticket({}, {.ticket = Buffer(kMaxTicketSize + 1), .secret = {}}, rng));
  EXPECT_TRUE(ClientHandshake::by_ticket({}, {.ticket = Buffer(kMaxTicketSize), .secret = {}}, rng));
}

TEST(MovedFrom, IsOver) {
  Exchange run({.kind = HandshakeKind::code});
  const auto client = std::move(run.client);
  const auto server = std::move(run.server);
  // NOLINTBEGIN(bugprone-use-after-move): what this test is about.
  EXPECT_EQ(run.client.want(), Want::failed);
  EXPECT_EQ(run.server.want(), Want::failed);
  EXPECT_EQ(run.client.take_message(), fail(Errc::misuse));
  EXPECT_EQ(run.server.receive({}), fail(Errc::misuse));
  EXPECT_EQ(run.client.failure(), nullptr);
  EXPECT_EQ(run.server.failure(), nullptr);
  // NOLINTEND(bugprone-use-after-move)
  EXPECT_EQ(client.want(), Want::send);
  EXPECT_EQ(server.want(), Want::receive);
}

// --- Keys that are not in this process.

class Device final : public opaque::KeyHolder {
 public:
  explicit Device(const opaque::ServerKeys& keys, bool works) : keys_(keys), works_(works) {}
  opaque::SuiteId suite() const noexcept override { return keys_.suite(); }
  Bytes public_key() const noexcept override { return keys_.public_key(); }
  Result<opaque::KeyOperationAnswer> answer(const opaque::KeyOperation& operation) const override {
    if (!works_) return fail(Errc::unavailable);
    return keys_.answer(operation);
  }

 private:
  const opaque::ServerKeys& keys_;
  bool works_;
};

TEST(KeyOperation, ADeviceAnswersForTheServer) {
  for (const bool works : {true, false}) {
    Exchange run({});
    const auto& world = World::get();
    auto credential = world.credential(Suite::opaque_ristretto255, as_bytes("alice"), crypto::KsfProfile::small);
    credential.keys = std::make_shared<const Device>(world.keys(Suite::opaque_ristretto255), works);
    while (run.server.want() != Want::decision) ASSERT_TRUE(run.step_client() || run.step_server());
    ASSERT_TRUE(run.server.decide(LoginAnswer{.credential = std::move(credential), .permit = *run.budget.take()}));
    ASSERT_EQ(run.server.want(), Want::key_operation);
    auto job = run.server.take_job();
    ASSERT_TRUE(job);
    (*job)->run();
    EXPECT_EQ(run.server.resume(*std::move(job)).has_value(), works);
    run.run();
    EXPECT_EQ(agree(run), works);
    EXPECT_EQ(run.budget.available(), 1U);
    if (!works) {
      EXPECT_EQ(run.client.failure()->received, Alert{.code = AlertCode::unavailable});
    }
  }
}

// --- Room to grow: docs/wire.md, section 3.4. The client here is written out by hand.

TEST(Extensions, UnknownOnesAreHashedAndIgnoredUnlessTheyMustBeUnderstood) {
  for (const std::string_view type : {"0001", "1234", "9234"}) {
    Exchange run({.kind = HandshakeKind::resume});
    const auto ticket = World::get().ticket();
    const auto hello_with = [&](Bytes extensions) {
      static const Buffer aeads = {2}, suites = {0x21};
      return ClientHello{.kind = HandshakeKind::resume,
                         .aeads = aeads,
                         .suites = suites,
                         .server_name = as_bytes("example.org"),
                         .extensions = extensions}
          .encode_up_to_pake(2 + ticket.ticket.size() + 96);
    };
    const auto extensions = pake::testing::unhex(std::string(type) +
                                                 "0001"
                                                 "07");
    Transcript transcript;
    auto frame = hello_with(extensions);
    const auto share = generate_share(run.client_rng);
    Writer pake;
    pake.put_lp2(ticket.ticket).put(share.public_key);
    frame.insert(frame.end(), pake.bytes().begin(), pake.bytes().end());
    const auto binder = compute_binder(ticket.secret, Transcript(transcript).add(frame));
    frame.insert(frame.end(), binder.reveal().begin(), binder.reveal().end());
    const auto read = run.server.receive(frame);
    ASSERT_EQ(read.has_value(), type != "9234");
    if (!read) {
      EXPECT_EQ(run.server.failure()->to_send, Alert{.code = AlertCode::unsupported});
      continue;
    }
    ASSERT_TRUE(run.server.decide(TicketAccepted{}));
    const auto answer = run.server.take_message();
    ASSERT_TRUE(answer);
    const auto message = Bytes(*answer).last<96>();
    const auto resumed = ResumedKey::agree(ticket.secret, share, message.first<32>());
    ASSERT_TRUE(resumed);
    const auto proof = resumed->client_proof(transcript.add(frame).add(*answer));
    ASSERT_TRUE(run.server.receive(encode_client_finish(proof.reveal())));
    EXPECT_EQ(run.server.want(), Want::done);
  }
}

}  // namespace
}  // namespace pake::channel
