#include "pake/proto/eap_eke/eap_eke.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "../drive.h"
#include "eap_eke/key_schedule.h"
#include "pake/crypto/rng.h"
#include "pake/proto/eap_eke/machine.h"
#include "pake/testing/fixed_rng.h"

namespace pake::eap_eke {
namespace {

constexpr Proposal kProposal = {.group = Group::eke_14, .prf = Hmac::sha2_256, .mac = Hmac::sha2_256};

Config server_config() {
  return {.proposals = {kProposal}, .identity = {.type = IdType::fqdn, .value = to_buffer(as_bytes("server"))}};
}
Config peer_config() {
  return {.proposals = {kProposal}, .identity = {.type = IdType::nai, .value = to_buffer(as_bytes("peer"))}};
}

struct Outcome {
  std::optional<Keys> server, peer;
  std::optional<Failed> failed;
  std::size_t server_guesses = 0, peer_guesses = 0;
};

/// A run in which one packet may be a lie: the number of the packet, and what becomes of it.
struct Login {
  Config server = server_config(), peer = peer_config();
  std::string password = "secret";  // the peer's
  std::function<void(int number, Buffer& packet)> on_packet = [](int, Buffer&) {};

  [[nodiscard]] Outcome run() const {
    crypto::SystemRng rng;
    GuessBudget of_server(1), of_peer(1);
    Outcome outcome;
    outcome.failed = [&]() -> std::optional<Failed> {
      auto server_permit = std::move(*of_server.take()), peer_permit = std::move(*of_peer.take());
      auto started = start(server, 254).value();
      on_packet(1, started.packet);
      auto answer = AwaitingIdRequest::make(peer, as_bytes(password)).value().receive(started.packet);
      if (!answer) return answer.error();
      on_packet(2, answer->packet);
      auto identified = std::move(started.next).receive(answer->packet);
      if (!identified) return identified.error();
      auto commit = std::move(identified->next).commit(as_bytes("secret"), std::move(server_permit), rng);
      if (!commit) return commit.error();
      on_packet(3, commit->packet);
      auto committed = std::move(answer->next).receive(commit->packet, std::move(peer_permit), rng);
      if (!committed) return committed.error();
      on_packet(4, committed->packet);
      auto confirm = std::move(commit->next).receive(committed->packet, rng);
      if (!confirm) return confirm.error();
      on_packet(5, confirm->packet);
      auto finished = std::move(committed->next).receive(confirm->packet, rng);
      if (!finished) return finished.error();
      outcome.peer = std::move(finished->keys);
      on_packet(6, finished->packet);
      auto keys = std::move(confirm->next).receive(finished->packet);
      if (!keys) return keys.error();
      outcome.server = std::move(*keys);
      return std::nullopt;
    }();
    outcome.server_guesses = of_server.available();
    outcome.peer_guesses = of_peer.available();
    return outcome;
  }
};

/// The code of the Failure packet of a run that failed with this error.
FailureCode code_of(const Outcome& outcome, Errc error) {
  EXPECT_TRUE(outcome.failed);
  if (!outcome.failed) return FailureCode::no_error;
  EXPECT_EQ(outcome.failed->error, error);
  const auto failure = decode_failure(outcome.failed->packet);
  EXPECT_TRUE(failure);
  return failure ? failure->failure_code : FailureCode::no_error;
}

TEST(EapEke, GivesBothSidesTheKeysAndTheGuessesBack) {
  for (const auto prf : {Hmac::sha1, Hmac::sha2_256})
    for (const auto mac : {Hmac::sha1, Hmac::sha2_256}) {
      Login run;
      run.server.proposals = run.peer.proposals = {{.group = Group::eke_2_weak, .prf = prf, .mac = mac}};
      const auto outcome = run.run();
      ASSERT_TRUE(outcome.server && outcome.peer);
      EXPECT_TRUE(ct_equal(outcome.server->MSK.reveal(), outcome.peer->MSK.reveal()));
      EXPECT_TRUE(ct_equal(outcome.server->EMSK.reveal(), outcome.peer->EMSK.reveal()));
      EXPECT_FALSE(ct_equal(outcome.server->MSK.reveal(), outcome.server->EMSK.reveal()));
      EXPECT_EQ(outcome.server_guesses, 1U);
      EXPECT_EQ(outcome.peer_guesses, 1U);
    }
}

TEST(EapEke, AWrongPasswordShowsAtTheServerAndCostsBothAGuess) {
  const auto outcome = Login{.password = "Secret"}.run();
  EXPECT_FALSE(outcome.server || outcome.peer);
  EXPECT_EQ(code_of(outcome, Errc::auth_failed), FailureCode::authentication_failure);
  EXPECT_EQ(outcome.server_guesses, 0U);
  EXPECT_EQ(outcome.peer_guesses, 0U);
}

TEST(EapEke, ThePeerTakesTheFirstOfItsOwnProposalsThatIsOffered) {
  const Proposal sha1 = {.group = Group::eke_14, .prf = Hmac::sha1, .mac = Hmac::sha1};
  const Proposal large = {.group = Group::eke_16, .prf = Hmac::sha2_256, .mac = Hmac::sha2_256};
  Login run;
  run.server.proposals = {sha1, kProposal};
  run.peer.proposals = {large, kProposal, sha1};
  std::optional<Proposal> chosen;
  run.on_packet = [&](int number, Buffer& packet) {
    if (number == 2) chosen = decode_id(decode_packet(packet)->data)->proposals.at(0);
  };
  EXPECT_TRUE(run.run().server);
  EXPECT_EQ(chosen, kProposal);

  run.peer.proposals = {large};
  EXPECT_EQ(code_of(run.run(), Errc::auth_failed), FailureCode::no_proposal_chosen);
}

TEST(EapEke, AChangedOfferIsFoundOut) {
  // The network takes the better one out: the peer goes along, and Auth_S fails.
  const Proposal sha1 = {.group = Group::eke_14, .prf = Hmac::sha1, .mac = Hmac::sha1};
  Login run;
  run.server.proposals = {kProposal, sha1};
  run.peer.proposals = {kProposal, sha1};
  run.on_packet = [&](int number, Buffer& packet) {
    if (number == 1)
      packet = encode_packet(Code::request, 254, Exchange::id, encode_id({sha1}, server_config().identity));
  };
  const auto outcome = run.run();
  EXPECT_FALSE(outcome.peer || outcome.server);
  EXPECT_EQ(code_of(outcome, Errc::auth_failed), FailureCode::authentication_failure);
}

TEST(EapEke, EveryPartOfEveryPacketMatters) {
  for (int number = 1; number <= 6; ++number)
    for (const auto place : {0, 1, 2, 4, 5, 6, 8, 10, 30, 70, -33, -1}) {
      Login run;
      run.on_packet = [&](int at, Buffer& packet) {
        if (at != number) return;
        const auto index =
            place >= 0 ? static_cast<std::size_t>(place) : packet.size() - static_cast<std::size_t>(-place);
        if (index < packet.size()) packet[index] ^= 0x41U;
        if (index >= packet.size()) packet.push_back(0);
      };
      EXPECT_FALSE(run.run().server) << "packet " << number << ", octet " << place;
    }
}

TEST(EapEke, TruncatedAndExtendedPacketsAreProtocolErrors) {
  for (int number = 1; number <= 6; ++number)
    for (const bool longer : {true, false}) {
      Login run;
      run.on_packet = [&](int at, Buffer& packet) {
        if (at != number) return;
        if (longer)
          packet.push_back(0);
        else
          packet.pop_back();
      };
      EXPECT_EQ(code_of(run.run(), Errc::malformed), FailureCode::protocol_error) << number << longer;
    }
}

/// Another component in a commitment, encrypted under the right password.
void replace_component(Buffer& packet, const crypto::Residue& y) {
  crypto::SystemRng rng;
  const auto key =
      compute_key(kProposal.prf, compute_temp(kProposal.prf, as_bytes("secret")), as_bytes("server"), as_bytes("peer"));
  std::ranges::copy(encrypt_component(key, y.reveal(), rng), packet.begin() + kHeaderSize);
}

TEST(EapEke, DegenerateComponentsFailAsAWrongPasswordDoes) {
  const auto& p = modular(kProposal.group);
  const Buffer one = {1}, zero = {0};
  const auto minus_one = p.subtract(p.reduce(zero), p.reduce(one));
  for (const auto number : {3, 4})
    for (const auto* const what : {"0", "1", "p - 1"}) {
      Login run;
      run.on_packet = [&](int at, Buffer& packet) {
        if (at != number) return;
        if (what == std::string_view("0")) replace_component(packet, p.reduce(zero));
        if (what == std::string_view("1")) replace_component(packet, p.reduce(one));
        if (what == std::string_view("p - 1")) replace_component(packet, minus_one);
      };
      const auto outcome = run.run();
      EXPECT_FALSE(outcome.server || outcome.peer) << what;
      EXPECT_EQ(code_of(outcome, Errc::auth_failed), FailureCode::authentication_failure) << number << what;
    }
}

TEST(EapEke, ChannelBindingIsCarriedAndAuthenticated) {
  Login run;
  run.server.channel_binding = {0xff, 0, 0, 6, 1, 2};
  run.peer.channel_binding = {0xff, 1, 0, 4};
  const auto outcome = run.run();
  ASSERT_TRUE(outcome.server && outcome.peer);
  EXPECT_EQ(outcome.server->received_channel_binding, run.peer.channel_binding);
  EXPECT_EQ(outcome.peer->received_channel_binding, run.server.channel_binding);
  for (const auto number : {3, 4}) {
    run.on_packet = [&](int at, Buffer& packet) {
      if (at == number) packet[packet.size() - (number == 3 ? 1 : 3)] ^= 1U;
    };
    EXPECT_FALSE(run.run().server) << number;
  }
}

TEST(EapEke, AFailurePacketEndsTheRunAndThePeerAcknowledges) {
  Login run;
  run.on_packet = [](int at, Buffer& packet) {
    if (at == 5)
      packet =
          encode_failure({.code = Code::request, .identifier = 9, .failure_code = FailureCode::authentication_failure});
  };
  const auto at_peer = run.run();
  EXPECT_EQ(code_of(at_peer, Errc::auth_failed), FailureCode::no_error);
  EXPECT_EQ(decode_failure(at_peer.failed->packet)->identifier, 9);

  run.on_packet = [](int at, Buffer& packet) {
    if (at == 4)
      packet = encode_failure(
          {.code = Code::response, .identifier = packet[1], .failure_code = FailureCode::protocol_error});
  };
  const auto at_server = run.run();
  ASSERT_TRUE(at_server.failed);
  EXPECT_EQ(at_server.failed->error, Errc::auth_failed);
  EXPECT_TRUE(at_server.failed->packet.empty()) << "EAP's own Failure is next";
}

TEST(EapEke, HostapdsSwitchChangesTheExportedKeysAlone) {
  Login run;
  run.server.exported_keys = ExportedKeys::hostapd;
  auto outcome = run.run();
  ASSERT_TRUE(outcome.server && outcome.peer);
  EXPECT_FALSE(ct_equal(outcome.server->MSK.reveal(), outcome.peer->MSK.reveal()));
  run.peer.exported_keys = ExportedKeys::hostapd;
  outcome = run.run();
  EXPECT_TRUE(ct_equal(outcome.server->MSK.reveal(), outcome.peer->MSK.reveal()));
}

TEST(EapEke, RefusesWhatACallerGotWrong) {
  const auto refuse = [](auto change) {
    auto config = server_config();
    change(config);
    EXPECT_EQ(start(config, 0).error(), Errc::misuse);
    EXPECT_EQ(AwaitingIdRequest::make(config, as_bytes("p")).error(), Errc::misuse);
  };
  refuse([](Config& config) { config.proposals.clear(); });
  refuse([](Config& config) { config.proposals[0].group = static_cast<Group>(6); });
  refuse([](Config& config) { config.proposals[0].prf = static_cast<Hmac>(0); });
  refuse([](Config& config) { config.identity.value.resize(256); });
  refuse([](Config& config) { config.identity.type = static_cast<IdType>(7); });
  refuse([](Config& config) { config.channel_binding = {1, 2, 0, 3}; });
  refuse([](Config& config) { config.proposals.resize(61); });
}

TEST(EapEke, RefusesAnEmptyPassword) {
  crypto::SystemRng rng;
  EXPECT_EQ(AwaitingIdRequest::make(peer_config(), {}).error(), Errc::misuse);
  auto server = start(server_config(), 1).value();
  auto answer = AwaitingIdRequest::make(peer_config(), as_bytes("p")).value().receive(server.packet).value();
  auto identified = std::move(server.next).receive(answer.packet).value();
  auto commit = std::move(identified.next).commit({}, GuessPermit::uncounted_for_study(), rng);
  ASSERT_FALSE(commit);
  EXPECT_EQ(commit.error().error, Errc::misuse);
}

TEST(EapEkePackets, UnknownProposalsArePassedOverAndLengthsAreExact) {
  const Buffer data = {2, 0, 200, 1, 2, 2, 3, 1, 2, 2, 2, 'a'};
  const auto message = decode_id(data).value();
  EXPECT_EQ(message.number_of_proposals, 2U);
  ASSERT_EQ(message.proposals.size(), 1U);
  EXPECT_EQ(message.proposals[0], kProposal);
  EXPECT_EQ(as_text(message.identity.value), "a");
  for (std::size_t size = 0; size < 11; ++size) EXPECT_FALSE(decode_id(Bytes(data).first(size))) << size;
  EXPECT_FALSE(decode_id(Buffer{0, 0, 2, 'a'})) << "no proposal";
  EXPECT_FALSE(decode_failure(encode_packet(Code::request, 1, Exchange::failure, Buffer{0, 0, 0, 7})));
  EXPECT_FALSE(decode_failure(encode_packet(Code::request, 1, Exchange::failure, Buffer{0, 0, 0, 4, 0})));
}

TEST(EapEkePackets, AnEmptyOrShortPacketIsNone) {
  const auto packet = encode_packet(Code::request, 1, Exchange::commit, {});
  EXPECT_TRUE(decode_packet(packet));
  for (std::size_t size = 0; size < packet.size(); ++size)
    EXPECT_FALSE(decode_packet(Bytes(packet).first(size))) << size;
  EXPECT_FALSE(decode_packet({}));
}

// --- Machines

class EapEkeMachines : public ::testing::Test {
 protected:
  crypto::SystemRng rng_;
  GuessBudget of_server_{1}, of_peer_{1};

  std::unique_ptr<EapEkeMachine> server() {
    return server_machine(server_config(), 7, SecretBuffer::copy_of(Buffer(32)), std::move(*of_server_.take()), rng_);
  }
  std::unique_ptr<EapEkeMachine> peer(std::string_view password) {
    return peer_machine(peer_config(), SecretBuffer::copy_of(as_bytes(password)), std::move(*of_peer_.take()), rng_);
  }
};

TEST_F(EapEkeMachines, AgreeHoweverTheBytesArrive) {
  for (const auto step : {1U, 100U, 10000U}) {
    const auto a = server(), b = peer("secret");
    testing::drive(*a, *b, step, [&] {
      EXPECT_EQ(as_text(a->other_identity()), "peer");
      return to_buffer(as_bytes("secret"));
    });
    testing::expect_agreement(*a, *b, 64);
    const auto emsk_a = a->take_emsk(), emsk_b = b->take_emsk();
    ASSERT_TRUE(emsk_a && emsk_b);
    EXPECT_TRUE(ct_equal(emsk_a->reveal(), emsk_b->reveal()));
    EXPECT_EQ(a->take_emsk().error(), Errc::misuse) << "once";
    EXPECT_EQ(as_text(b->other_identity()), "server");
    EXPECT_EQ(of_server_.available() + of_peer_.available(), 2U);
  }
}

TEST_F(EapEkeMachines, AWrongPasswordAndAnUnknownNameLookAlike) {
  for (const bool known : {true, false}) {
    of_server_ = GuessBudget(1);  // not one for both
    of_peer_ = GuessBudget(1);
    {
      const auto a = server(), b = peer("guess");
      testing::drive(*a, *b, 1000, [&]() -> std::optional<Buffer> {
        if (!known) return std::nullopt;
        return to_buffer(as_bytes("secret"));
      });
      EXPECT_EQ(a->error(), Errc::auth_failed);
      EXPECT_EQ(decode_failure(a->failure_packet())->failure_code, FailureCode::authentication_failure);
      EXPECT_EQ(b->want(), Want::receive);
    }
    EXPECT_EQ(of_server_.available() + of_peer_.available(), 0U);
  }
}

}  // namespace
}  // namespace pake::eap_eke
