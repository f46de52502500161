// The server's side: fake records, keys in memory and in a device, guesses.
#include "pake/proto/opaque/server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "device.h"
#include "pake/testing/hex.h"
#include "rig.h"

namespace pake::opaque {
namespace {

using testing::FixedRng;
using testing::hex;
using testing::SeededRng;

class OpaqueServer : public ::testing::TestWithParam<SuiteId> {
 protected:
  const SuiteId suite_ = GetParam();
  SeededRng rng_{3};
  ServerKeys keys_ = ServerKeys::generate(suite_, rng_).value();
  RegistrationRecord fake_ = fake_record(suite_, rng_).value();
  LoginStarted started_ = ClientLogin(suite_, secret("x")).generate_ke1(rng_).value();

  [[nodiscard]] ServerLoginInputs inputs(std::string_view credential_identifier = "1234") const {
    return {.record = fake_, .credential_identifier = as_bytes(credential_identifier)};
  }
  [[nodiscard]] LoginAnswered answer(Rng& rng, std::string_view credential_identifier = "1234") const {
    return ServerLogin(suite_, GuessPermit::uncounted_for_study())
        .generate_ke2(started_.ke1, inputs(credential_identifier), keys_, rng)
        .value();
  }
};
INSTANTIATE_TEST_SUITE_P(EverySuite, OpaqueServer, ::testing::ValuesIn(kAllSuites));

TEST_P(OpaqueServer, AnswersAnUnknownNameWithAKE2OfTheUsualSize) {
  auto answered = answer(rng_);
  EXPECT_EQ(answered.ke2.size(), sizes(suite_).KE2());
  EXPECT_EQ(std::move(answered.next).server_finish(Buffer(sizes(suite_).KE3())).error(), Errc::auth_failed);
  const auto refused =
      std::move(started_.next).generate_ke3(answered.ke2, {.ksf = crypto::IdentityWithoutAnyProtection{}});
  EXPECT_EQ(refused.error(), Errc::auth_failed);
}

// An unknown name is recognised by whoever asks twice, unless its evaluated_message stays, as a real one's does, while
// all that is masked by a fresh nonce changes.
TEST_P(OpaqueServer, EvaluatesOneNameAlwaysAlikeAndMasksItAnew) {
  const auto Noe = sizes(suite_).Noe;
  const auto once = answer(rng_).ke2, again = answer(rng_).ke2, other = answer(rng_, "1235").ke2;
  EXPECT_EQ(hex(Bytes(once).first(Noe)), hex(Bytes(again).first(Noe)));
  EXPECT_NE(hex(Bytes(once).first(Noe)), hex(Bytes(other).first(Noe)));
  EXPECT_NE(hex(Bytes(once).subspan(Noe)), hex(Bytes(again).subspan(Noe)));
}

TEST_P(OpaqueServer, DrawsTheSameRandomnessForRealAndFake) {
  const auto real = RegistrationRecord::decode(suite_, Rig{.suite = suite_}.run().record).value();
  for (const auto* record : {&real, &std::as_const(fake_)}) {
    FixedRng rng(Buffer(2 * kNn + kNseed, 5));
    EXPECT_TRUE(
        ServerLogin(suite_, GuessPermit::uncounted_for_study())
            .generate_ke2(started_.ke1, {.record = *record, .credential_identifier = as_bytes("1234")}, keys_, rng));
    EXPECT_EQ(rng.remaining(), 0U);
  }
}

TEST_P(OpaqueServer, AFakeRecordIsOneThatDecodes) {
  const auto bytes = fake_.encode(suite_);
  EXPECT_EQ(bytes.size(), sizes(suite_).registration_record());
  EXPECT_EQ(RegistrationRecord::decode(suite_, bytes).value().encode(suite_), bytes);
  EXPECT_EQ(fake_.envelope, Buffer(sizes(suite_).envelope()));
}

// More logins than fill the lanes, real and fake, with one of every failure among them.
TEST_P(OpaqueServer, ABatchAnswersEachAsIfAlone) {
  constexpr std::size_t kLogins = 9, kMalformed = 2, kSpent = 4, kNameless = 6, kShort = 7;
  const auto real = RegistrationRecord::decode(suite_, Rig{.suite = suite_}.run().record).value();
  GuessBudget budget(kLogins);
  std::vector<LoginStarted> clients;
  for (std::size_t i = 0; i < kLogins; ++i)
    clients.push_back(ClientLogin(suite_, secret("x")).generate_ke1(rng_).value());
  std::ranges::fill(clients[kMalformed].ke1, std::uint8_t{0});
  clients[kShort].ke1.pop_back();
  const auto inputs_of = [&](std::size_t i) {
    return ServerLoginInputs{.record = i % 2 == 0 ? real : fake_,
                             .credential_identifier = as_bytes(i == kNameless ? "" : std::to_string(i))};
  };

  SeededRng one(9), two(9);
  std::vector<LoginToAnswer> batch;
  for (std::size_t i = 0; i < kLogins; ++i)
    batch.push_back(
        {.login = ServerLogin(suite_, budget.take().value()), .ke1 = clients[i].ke1, .inputs = inputs_of(i)});
  static_cast<void>(std::move(batch[kSpent].login).generate_ke2(clients[kSpent].ke1, inputs(), keys_, rng_));
  auto answers = generate_ke2(batch, keys_, one);
  ASSERT_EQ(answers.size(), kLogins);
  for (std::size_t i = 0; i < kLogins; ++i) {
    if (i == kSpent) {
      EXPECT_EQ(answers[i].error(), Errc::misuse);
      continue;
    }
    auto alone =
        ServerLogin(suite_, GuessPermit::uncounted_for_study()).generate_ke2(clients[i].ke1, inputs_of(i), keys_, two);
    ASSERT_EQ(answers[i].has_value(), alone.has_value()) << i;
    if (alone)
      EXPECT_EQ(hex(answers[i]->ke2), hex(alone->ke2)) << i;
    else
      EXPECT_EQ(answers[i].error(), i == kNameless ? Errc::misuse : Errc::malformed) << i;
  }
  batch.clear();
  answers.clear();
  EXPECT_EQ(budget.available(), 3U);  // every answer spends its guess, and nothing else does

  EXPECT_TRUE(generate_ke2({}, keys_, one).empty());
  EXPECT_EQ(RegistrationRecord::decode_all(static_cast<SuiteId>(99), std::vector<Bytes>(2))[1].error(), Errc::misuse);
}

TEST_P(OpaqueServer, DecodesManyRecordsAsItDecodesOne) {
  const auto record = Rig{.suite = suite_}.run().record;
  auto malformed = record;
  std::ranges::fill(std::span(malformed).first(sizes(suite_).Npk), std::uint8_t{0});
  const std::vector<Bytes> batch = {record, malformed, Bytes(record).first(record.size() - 1), {}, record};
  const auto records = RegistrationRecord::decode_all(suite_, batch);
  ASSERT_EQ(records.size(), batch.size());
  for (const std::size_t i : {0U, 4U}) EXPECT_EQ(records[i].value().encode(suite_), record);
  for (const std::size_t i : {1U, 2U, 3U}) EXPECT_EQ(records[i].error(), Errc::malformed) << i;
}

TEST_P(OpaqueServer, ADeviceWithTheKeysAnswersTheSame) {
  const auto device = device_with(keys_);
  SeededRng one(9), two(9);
  const auto in_memory = answer(one);
  auto waiting = must_ask(
      ServerLogin(suite_, GuessPermit::uncounted_for_study()).receive_ke1(started_.ke1, inputs(), device, two));
  const auto answered = waiting.key_job()->run().value();
  EXPECT_EQ(in_memory.ke2, std::move(waiting).generate_ke2(answered)->ke2);

  const auto request = ClientRegistration(suite_, secret("x")).create_registration_request(rng_)->registration_request;
  EXPECT_EQ(
      create_registration_response(request, *device, as_bytes("1234"), GuessPermit::uncounted_for_study()).value(),
      create_registration_response(request, keys_, as_bytes("1234"), GuessPermit::uncounted_for_study()).value());
}

TEST_P(OpaqueServer, KeysInThisProcessAnswerAtOnceThroughTheSameDoor) {
  const auto shared = std::make_shared<const ServerKeys>(
      ServerKeys::decode(suite_, {.oprf_seed = keys_.oprf_seed().reveal(), .private_key = keys_.private_key().reveal()})
          .value());
  SeededRng one(9), two(9);
  const auto by_name = answer(one);
  const auto by_holder =
      ServerLogin(suite_, GuessPermit::uncounted_for_study()).receive_ke1(started_.ke1, inputs(), shared, two).value();
  EXPECT_EQ(std::get<LoginAnswered>(by_holder).ke2, by_name.ke2);
}

// A holder in another process: what it is asked and what it answers are bytes.
TEST_P(OpaqueServer, AKeyOperationTravels) {
  const auto waiting = must_ask(ServerLogin(suite_, GuessPermit::uncounted_for_study())
                                    .receive_ke1(started_.ke1, inputs(), device_with(keys_), rng_));
  const auto login = waiting.key_job()->operation;
  const auto registration = registration_key_operation(suite_, Bytes(started_.ke1).first(sizes(suite_).Noe),
                                                       as_bytes("1234"), GuessPermit::uncounted_for_study())
                                .value();
  for (const auto* operation : {&login, &registration}) {
    const auto encoded = operation->encode();
    const auto decoded = KeyOperation::decode(encoded).value();
    EXPECT_EQ(decoded.suite, operation->suite);
    EXPECT_EQ(decoded.credential_identifier, operation->credential_identifier);
    EXPECT_EQ(decoded.blinded_message, operation->blinded_message);
    EXPECT_EQ(decoded.client_public_keyshare, operation->client_public_keyshare);
    EXPECT_EQ(decoded.encode(), encoded);
    const auto answer = keys_.answer(decoded).value();
    const auto answer_bytes = to_buffer(answer.encode(suite_).reveal());
    const auto back = KeyOperationAnswer::decode(suite_, answer_bytes).value();
    EXPECT_EQ(back.evaluated_message, answer.evaluated_message);
    EXPECT_TRUE(ct_equal(back.dh2.reveal(), answer.dh2.reveal()));

    for (std::size_t size = 0; size < encoded.size(); ++size)
      EXPECT_EQ(KeyOperation::decode(Bytes(encoded).first(size)).error(), Errc::malformed) << size;
    for (std::size_t size = 0; size < answer_bytes.size(); ++size)
      EXPECT_EQ(KeyOperationAnswer::decode(suite_, Bytes(answer_bytes).first(size)).error(), Errc::malformed) << size;
    auto longer = encoded;
    longer.push_back(0);
    EXPECT_EQ(KeyOperation::decode(longer).error(), Errc::malformed);
    for (const std::size_t at : {0U, 1U}) {
      auto other = encoded;
      other[at] ^= 0x40;
      EXPECT_EQ(KeyOperation::decode(other).error(), Errc::malformed) << at;
      auto other_answer = answer_bytes;
      other_answer[at] ^= 0x40;
      EXPECT_EQ(KeyOperationAnswer::decode(suite_, other_answer).error(), Errc::malformed) << at;
    }
  }
  auto nameless = login;
  nameless.credential_identifier.clear();
  EXPECT_EQ(KeyOperation::decode(nameless.encode()).error(), Errc::malformed);
}

TEST_P(OpaqueServer, WithoutKeysItIsMisuse) {
  EXPECT_EQ(ServerLogin(suite_, GuessPermit::uncounted_for_study())
                .receive_ke1(started_.ke1, inputs(), nullptr, rng_)
                .error(),
            Errc::misuse);
}

TEST_P(OpaqueServer, AnAnswerThatIsInvalidIsUnavailable) {
  const auto finish = [&](auto&& spoil) {
    auto waiting = must_ask(ServerLogin(suite_, GuessPermit::uncounted_for_study())
                                .receive_ke1(started_.ke1, inputs(), device_with(keys_), rng_));
    auto answer = waiting.key_job()->run().value();
    spoil(answer);
    return std::move(waiting).generate_ke2(answer);
  };
  EXPECT_TRUE(finish([](KeyOperationAnswer&) {}));
  EXPECT_EQ(finish([](KeyOperationAnswer& answer) { answer.evaluated_message.pop_back(); }).error(), Errc::unavailable);
  EXPECT_EQ(finish([](KeyOperationAnswer& answer) { std::ranges::fill(answer.evaluated_message, 0); }).error(),
            Errc::unavailable);
  EXPECT_EQ(finish([](KeyOperationAnswer& answer) { answer.dh2 = {}; }).error(), Errc::unavailable);

  EXPECT_EQ(create_registration_response(keys_, KeyOperationAnswer{.evaluated_message = Buffer(1), .dh2 = {}}).error(),
            Errc::unavailable);
}

TEST_P(OpaqueServer, RefusesKeysOfAnotherSuite) {
  const auto other = ServerKeys::generate(suite_ == SuiteId::p256 ? SuiteId::p384 : SuiteId::p256, rng_).value();
  const auto login = [&] { return ServerLogin(suite_, GuessPermit::uncounted_for_study()); };
  EXPECT_EQ(login().generate_ke2(started_.ke1, inputs(), other, rng_).error(), Errc::misuse);
  EXPECT_EQ(login().receive_ke1(started_.ke1, inputs(), device_with(other), rng_).error(), Errc::misuse);
  EXPECT_EQ(other
                .answer({.suite = suite_,
                         .credential_identifier = {},
                         .blinded_message = to_buffer(Bytes(started_.ke1).first(sizes(suite_).Noe)),
                         .client_public_keyshare = {}})
                .error(),
            Errc::misuse);
}

TEST_P(OpaqueServer, KeysAreReadBackAndCheckedForTheirForm) {
  const auto seed = to_buffer(keys_.oprf_seed().reveal()), key = to_buffer(keys_.private_key().reveal());
  const auto decode = [&](Bytes oprf_seed, Bytes private_key) {
    return ServerKeys::decode(suite_, {.oprf_seed = oprf_seed, .private_key = private_key});
  };
  EXPECT_EQ(hex(decode(seed, key)->public_key()), hex(keys_.public_key()));
  EXPECT_EQ(decode(Bytes(seed).first(seed.size() - 1), key).error(), Errc::malformed);
  EXPECT_EQ(decode(seed, Bytes(key).first(key.size() - 1)).error(), Errc::malformed);
  if (suite_ == SuiteId::ristretto255_curve25519) return;  // there any 32 bytes are a key
  EXPECT_EQ(decode(seed, Buffer(key.size(), 0x00)).error(), Errc::malformed);
  EXPECT_EQ(decode(seed, Buffer(key.size(), 0xff)).error(), Errc::malformed);
}

class Guesses : public ::testing::Test {
 protected:
  testing::SeededRng rng_{11};
  GuessBudget budget_{1};
  ServerKeys keys_ = ServerKeys::generate(SuiteId::p256, rng_).value();
  LoginStarted started_ = ClientLogin(SuiteId::p256, secret("x")).generate_ke1(rng_).value();
};

TEST_F(Guesses, AreSpentByKE2AndGivenBackByAGoodKE3) {
  const crypto::KsfParameters ksf = crypto::IdentityWithoutAnyProtection{};
  auto requested = ClientRegistration(SuiteId::p256, secret("x")).create_registration_request(rng_).value();
  const auto response = create_registration_response(requested.registration_request, keys_, as_bytes("1"),
                                                     GuessPermit::uncounted_for_study())
                            .value();
  const auto registered = std::move(requested.next).finalize_registration_request(response, {.ksf = ksf}, rng_).value();
  const auto record = RegistrationRecord::decode(SuiteId::p256, registered.record).value();

  auto answered =
      ServerLogin(SuiteId::p256, budget_.take().value())
          .generate_ke2(started_.ke1, {.record = record, .credential_identifier = as_bytes("1")}, keys_, rng_)
          .value();
  EXPECT_EQ(budget_.available(), 0U);
  const auto finished = std::move(started_.next).generate_ke3(answered.ke2, {.ksf = ksf}).value();
  EXPECT_TRUE(std::move(answered.next).server_finish(finished.ke3));
  EXPECT_EQ(budget_.available(), 1U);
}

TEST_F(Guesses, StaySpentAfterABadKE3OrNone) {
  const auto fake = fake_record(SuiteId::p256, rng_).value();
  GuessBudget two(2);
  for (const bool answers : {true, false}) {
    auto answered =
        ServerLogin(SuiteId::p256, two.take().value())
            .generate_ke2(started_.ke1, {.record = fake, .credential_identifier = as_bytes("1")}, keys_, rng_)
            .value();
    if (answers) {
      EXPECT_FALSE(std::move(answered.next).server_finish(Buffer(32)));
    }
  }
  EXPECT_EQ(two.available(), 0U);
}

TEST_F(Guesses, AreNotSpentByAMessageThatIsNoKE1) {
  const auto fake = fake_record(SuiteId::p256, rng_).value();
  EXPECT_FALSE(ServerLogin(SuiteId::p256, budget_.take().value())
                   .generate_ke2(Buffer(98), {.record = fake, .credential_identifier = as_bytes("1")}, keys_, rng_));
  EXPECT_EQ(budget_.available(), 1U);
  {
    const auto waiting = ServerLogin(SuiteId::p256, budget_.take().value())
                             .receive_ke1(started_.ke1, {.record = fake, .credential_identifier = as_bytes("1")},
                                          device_with(keys_), rng_);
    EXPECT_EQ(budget_.available(), 0U);
  }
  EXPECT_EQ(budget_.available(), 1U);  // the device never answered, so nothing left
}

}  // namespace
}  // namespace pake::opaque
