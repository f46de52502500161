// eke.json: EAP-EKE (RFC 6124) and what hostapd derives, and the partition attack on toys of the classic protocol.
#include <algorithm>
#include <array>

#include "eap_eke/key_schedule.h"
#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/crypto/aes.h"
#include "pake/proto/eap_eke/eap_eke.h"
#include "pake/testing/fixed_rng.h"
#include "sheet.h"

namespace pake::vectors {
namespace {

using namespace eap_eke;

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

template <class T>
T must_step(const Fields& entry, Step<T> step, std::string_view what) {
  if (!step) entry.fail(what);
  return std::move(*step);
}

// --- EAP-EKE

struct GroupName {
  const char* name;
  Group group;
  std::uint64_t generator;
};
constexpr std::array<GroupName, 5> kGroups = {{{"DHGROUP_EKE_2", Group::eke_2_weak, 5},
                                               {"DHGROUP_EKE_5", Group::eke_5_weak, 31},
                                               {"DHGROUP_EKE_14", Group::eke_14, 11},
                                               {"DHGROUP_EKE_15", Group::eke_15, 5},
                                               {"DHGROUP_EKE_16", Group::eke_16, 5}}};

std::string name_of(const Proposal& proposal) {
  const auto hmac = [](Hmac of) { return std::string(of == Hmac::sha1 ? "HMAC_SHA1" : "HMAC_SHA2_256"); };
  const auto* const group = std::ranges::find(kGroups, proposal.group, &GroupName::group);
  return std::string(group->name) + "/ENCR_AES128_CBC/PRF_" + hmac(proposal.prf) + "/MAC_" + hmac(proposal.mac);
}

constexpr std::array kMessages = {"id_request",      "id_response",     "commit_request",
                                  "commit_response", "confirm_request", "confirm_response"};

/// What both sides need for a run of the file.
struct Given {
  Buffer password, ID_S, ID_P;
  Buffer server_randomness, peer_randomness;  // in the order in which they are drawn
  std::array<Buffer, 6> messages;
  Proposal proposal;
  Config server, peer;
};

Given given(const Fields& entry, Fields& inputs, Fields& messages, Fields* channel_binding) {
  Given in;
  in.password = inputs.bytes("password");
  in.ID_S = inputs.bytes("ID_S");
  in.ID_P = inputs.bytes("ID_P");
  const auto join = [&](std::initializer_list<const char*> names) {
    Writer writer;
    for (const auto* name : names) writer.put(inputs.bytes(name));
    return writer.take();
  };
  in.server_randomness = join({"x_s", "iv_DHComponent_S", "Nonce_S", "iv_PNonce_PS"});
  in.peer_randomness = join({"x_p", "iv_DHComponent_P", "Nonce_P", "iv_PNonce_P", "iv_PNonce_S"});
  for (std::size_t i = 0; i < kMessages.size(); ++i) in.messages.at(i) = messages.bytes(kMessages.at(i));

  const auto request = must(entry, decode_packet(in.messages[0]), "ID/Request does not decode");
  const auto response = must(entry, decode_packet(in.messages[1]), "ID/Response does not decode");
  auto offered = must(entry, decode_id(request.data), "the data of ID/Request do not decode");
  auto chosen = must(entry, decode_id(response.data), "the data of ID/Response do not decode");
  entry.require(chosen.proposals.size() == 1, "another number of choices than one");
  in.proposal = chosen.proposals[0];
  in.server.proposals = std::move(offered.proposals);
  in.server.identity = std::move(offered.identity);
  in.peer.proposals = std::move(chosen.proposals);
  in.peer.identity = std::move(chosen.identity);
  if (channel_binding != nullptr) {
    in.server.channel_binding = channel_binding->bytes("server");
    in.peer.channel_binding = channel_binding->bytes("peer");
  }
  return in;
}

struct Outcome {
  std::array<Buffer, 6> messages;
  Keys of_server, of_peer;
};

Outcome run(const Fields& entry, const Given& in) {
  testing::FixedRng rng_s(in.server_randomness), rng_p(in.peer_randomness);
  auto server = must(entry, start(in.server, in.messages[0].at(1)), "the server's start");
  auto peer = must(entry, AwaitingIdRequest::make(in.peer, in.password), "the peer's start");
  auto answer = must_step(entry, std::move(peer).receive(server.packet), "the peer at ID/Request");
  auto identified = must_step(entry, std::move(server.next).receive(answer.packet), "the server at ID/Response");
  auto commit =
      must_step(entry, std::move(identified.next).commit(in.password, permit(), rng_s), "the server's commit");
  auto committed =
      must_step(entry, std::move(answer.next).receive(commit.packet, permit(), rng_p), "the peer's commit");
  auto confirm =
      must_step(entry, std::move(commit.next).receive(committed.packet, rng_s), "the server at Commit/Response");
  auto finished =
      must_step(entry, std::move(committed.next).receive(confirm.packet, rng_p), "the peer at Confirm/Request");
  auto keys = must_step(entry, std::move(confirm.next).receive(finished.packet), "the server at Confirm/Response");
  entry.require(keys.received_channel_binding == in.peer.channel_binding,
                "the server received another channel binding");
  entry.require(finished.keys.received_channel_binding == in.server.channel_binding,
                "the peer received another channel binding");
  return {.messages = {server.packet, answer.packet, commit.packet, committed.packet, confirm.packet, finished.packet},
          .of_server = std::move(keys),
          .of_peer = std::move(finished.keys)};
}

void check_intermediate(const Fields& entry, Fields& intermediate, Fields& inputs, const Given& in) {
  const auto& proposal = in.proposal;
  const auto temp = compute_temp(proposal.prf, in.password);
  intermediate.expect("temp", temp.reveal());
  intermediate.expect("key", compute_key(proposal.prf, temp, in.ID_S, in.ID_P).reveal());
  const auto x_s = inputs.bytes("x_s"), x_p = inputs.bytes("x_p");
  const auto y_s = compute_y(proposal.group, x_s), y_p = compute_y(proposal.group, x_p);
  intermediate.expect("y_s", y_s.reveal());
  intermediate.expect("y_p", y_p.reveal());
  const auto dh_shared = modular(proposal.group).power(y_s, x_p);
  intermediate.expect("dh_shared", dh_shared.reveal());
  const auto SharedSecret = compute_shared_secret(proposal, dh_shared.reveal());
  intermediate.expect("SharedSecret", SharedSecret.reveal());
  const auto keys = derive_protection_keys(proposal, SharedSecret, in.ID_S, in.ID_P);
  intermediate.expect("Ke", keys.Ke.reveal());
  intermediate.expect("Ki", keys.Ki.reveal());
  const auto nonce = [&](const std::string& name) {
    const auto bytes = inputs.bytes(name);
    entry.require(bytes.size() == kNonceSize, name + " has another size");
    return Nonce::copy_of(Bytes(bytes).first<kNonceSize>());
  };
  intermediate.expect("Ka",
                      derive_Ka(proposal, SharedSecret, in.ID_S, in.ID_P, nonce("Nonce_P"), nonce("Nonce_S")).reveal());
}

/// The fields within the packets.
void check_fields(const Fields& entry, Fields& fields, const Outcome& outcome, const Given& in) {
  const auto data = [&](std::size_t i) {
    return must(entry, decode_packet(outcome.messages.at(i)), "a packet of ours does not decode").data;
  };
  const auto component = kIvSize + modular(in.proposal.group).size();
  const auto nonce = protected_size(in.proposal, kNonceSize), nonces = protected_size(in.proposal, 2 * kNonceSize);
  fields.expect("DHComponent_S", data(2).first(component));
  fields.expect("DHComponent_P", data(3).first(component));
  fields.expect("PNonce_P", data(3).subspan(component, nonce));
  fields.expect("PNonce_PS", data(4).first(nonces));
  fields.expect("Auth_S", data(4).subspan(nonces));
  fields.expect("PNonce_S", data(5).first(nonce));
  fields.expect("Auth_P", data(5).subspan(nonce));
}

void check_eap_eke(Fields& entry) {
  read_labels(entry);
  const auto ciphersuite = entry.text("ciphersuite");
  const auto numbers = entry.list_of_numbers("proposal");
  auto& inputs = entry.object("inputs");
  auto& intermediate = entry.object("intermediate");
  auto& fields = entry.object("fields");
  auto& messages = entry.object("messages");
  auto& outputs = entry.object("outputs");
  auto& outputs_hostap = entry.object("outputs_hostap");
  auto* const channel_binding = entry.has("channel_binding") ? &entry.object("channel_binding") : nullptr;
  const auto wanted_MSK = outputs.bytes("MSK"), wanted_EMSK = outputs.bytes("EMSK");
  const auto hostap_MSK = outputs_hostap.bytes("MSK"), hostap_EMSK = outputs_hostap.bytes("EMSK");
  auto in = given(entry, inputs, messages, channel_binding);
  entry.require(ciphersuite == name_of(in.proposal), "another ciphersuite was chosen");
  const std::vector<std::uint64_t> chosen = {static_cast<std::uint64_t>(in.proposal.group), 1,
                                             static_cast<std::uint64_t>(in.proposal.prf),
                                             static_cast<std::uint64_t>(in.proposal.mac)};
  entry.require(numbers == chosen, "another proposal was chosen");
  entry.require(in.server.identity.value == in.ID_S && in.peer.identity.value == in.ID_P, "another identity is sent");

  check_intermediate(entry, intermediate, inputs, in);
  const auto outcome = run(entry, in);
  for (std::size_t i = 0; i < kMessages.size(); ++i) messages.expect(kMessages.at(i), outcome.messages.at(i));
  check_fields(entry, fields, outcome, in);
  for (const auto* keys : {&outcome.of_server, &outcome.of_peer}) {
    outputs.expect("MSK", keys->MSK.reveal());
    outputs.expect("EMSK", keys->EMSK.reveal());
  }
  in.server.exported_keys = in.peer.exported_keys = ExportedKeys::hostapd;
  const auto as_hostapd = run(entry, in);
  for (const auto* keys : {&as_hostapd.of_server, &as_hostapd.of_peer}) {
    outputs_hostap.expect("MSK", keys->MSK.reveal());
    outputs_hostap.expect("EMSK", keys->EMSK.reveal());
  }
}

void check_failure_message(Fields& entry) {
  read_labels(entry);
  const auto message = entry.bytes("message");
  const auto failure = must(entry, decode_failure(message), "it does not decode");
  entry.require(entry.number("code") == static_cast<std::uint64_t>(failure.code), "another code");
  entry.require(entry.number("failure_code") == static_cast<std::uint64_t>(failure.failure_code),
                "another failure code");
  entry.require(encode_failure(failure) == message, "it is encoded in another way");
}

/// The receiver's answers to the packets of the other side, one of which is replaced: how it fails.
Failed failure_of(const Fields& entry, const Given& in, const std::array<Buffer, 6>& messages, bool is_server) {
  const auto what = "it is taken";
  if (is_server) {
    testing::FixedRng rng(in.server_randomness);
    auto server = must(entry, start(in.server, in.messages[0].at(1)), "the server's start");
    auto identified = std::move(server.next).receive(messages[1]);
    if (!identified) return identified.error();
    auto commit = must_step(entry, std::move(identified->next).commit(in.password, permit(), rng), "commit");
    auto confirm = std::move(commit.next).receive(messages[3], rng);
    if (!confirm) return confirm.error();
    auto keys = std::move(confirm->next).receive(messages[5]);
    if (!keys) return keys.error();
    entry.fail(what);
  }
  testing::FixedRng rng(in.peer_randomness);
  auto peer = must(entry, AwaitingIdRequest::make(in.peer, in.password), "the peer's start");
  auto answer = std::move(peer).receive(messages[0]);
  if (!answer) return answer.error();
  auto committed = std::move(answer->next).receive(messages[2], permit(), rng);
  if (!committed) return committed.error();
  auto finished = std::move(committed->next).receive(messages[4], rng);
  if (!finished) return finished.error();
  entry.fail(what);
}

void check_reject(const Sections& file, Fields& entry) {
  read_labels(entry);
  const auto receiver = entry.text("receiver"), message = entry.text("message"), expect = entry.text("expect");
  const auto value = entry.bytes("value");
  entry.require(receiver == "server" || receiver == "peer", "receiver is neither server nor peer");
  const auto* const which = std::ranges::find(kMessages, message);
  entry.require(which != kMessages.end(), "no such message");
  const auto index = static_cast<std::size_t>(which - kMessages.begin());
  entry.require((index % 2 == 1) == (receiver == "server"), "that message goes the other way");

  const auto& base = file.entry("eap_eke", entry.text("base"));
  Fields inputs(base.at("inputs"), "inputs of the base"), messages(base.at("messages"), "messages of the base");
  std::unique_ptr<Fields> binding;
  if (base.contains("channel_binding")) binding = std::make_unique<Fields>(base.at("channel_binding"), "the base's");
  const auto in = given(entry, inputs, messages, binding.get());
  auto received = in.messages;
  received.at(index) = value;
  const auto failed = failure_of(entry, in, received, receiver == "server");
  const auto failure = must(entry, decode_failure(failed.packet), "no Failure is sent");
  entry.require(failure.code == (receiver == "server" ? Code::request : Code::response),
                "the Failure goes the wrong way");
  entry.require(
      expect == "Failure code " + std::to_string(static_cast<unsigned>(failure.failure_code)) ||
          expect.starts_with("Failure code " + std::to_string(static_cast<unsigned>(failure.failure_code)) + " "),
      "another Failure is sent: code " + std::to_string(static_cast<unsigned>(failure.failure_code)));
}

void check_groups(Fields& entry) {
  for (const auto& [name, group, generator] : kGroups) {
    if (!entry.has(name)) continue;
    auto& fields = entry.object(name);
    fields.require(fields.number("value") == static_cast<std::uint64_t>(group), "another value");
    fields.expect("p", modular(group).modulus());
    fields.require(fields.number("g") == generator && eap_eke::generator(group).reveal().back() == generator,
                   "another g");
    if (fields.has("bits")) fields.require(fields.number("bits") == 8 * modular(group).size(), "another size");
  }
}

// --- The partition attack, on moduli of 128 bits

__extension__ using Number = unsigned __int128;

Number number(const Fields& entry, Bytes bytes) {
  entry.require(bytes.size() <= 16, "more than 128 bits");
  Number value = 0;
  for (const auto byte : bytes) value = value << 8U | byte;
  return value;
}
Number add(Number a, Number b, Number p) { return a >= p - b ? a - (p - b) : a + b; }
Number multiply(Number a, Number b, Number p) {
  Number product = 0;
  for (unsigned bit = 128; bit-- > 0;) {
    product = add(product, product, p);
    if ((b >> bit & 1U) != 0) product = add(product, a, p);
  }
  return product;
}
/// Euler's criterion.
bool is_square(Number a, Number p) {
  Number power = 1;
  for (unsigned bit = 128; bit-- > 0;) {
    power = multiply(power, power, p);
    if (((p - 1) / 2 >> bit & 1U) != 0) power = multiply(power, a, p);
  }
  return power == 1;
}

/// What the ciphertext is under the key of a password.
Number trial_decryption(const Fields& entry, const std::string& password, Buffer block) {
  const auto key = crypto::hash(crypto::HashId::sha256, {as_bytes("toy DH-EKE "), as_bytes(password)});
  entry.require(block.size() == crypto::kAesBlockSize, "not one block");
  const std::array<std::uint8_t, 16> no_iv{};  // CBC of one block with it is the cipher alone
  crypto::aes128_cbc_decrypt_unpadded(key.reveal().first<16>(), no_iv, block);
  return number(entry, block);
}

void check_partition(Fields& entry) {
  read_labels(entry);
  for (const auto* text : {"cipher", "key"}) static_cast<void>(entry.text(text));
  const auto p = number(entry, entry.bytes("p"));
  entry.require(p > 2, "p is no odd prime");
  const auto g = entry.number("g");
  entry.require(g > 1 && g < p, "g generates nothing");
  const auto tests = entry.list_of_texts("tests");
  entry.require(!tests.empty(), "nothing is tested");
  auto candidates = entry.list_of_texts("candidates");
  std::vector<std::uint64_t> counts;
  for (const auto& block : entry.list_of_bytes("observed")) {
    std::erase_if(candidates, [&](const std::string& password) {
      const auto y = trial_decryption(entry, password, block);
      return !std::ranges::all_of(tests, [&](const std::string& test) {
        if (test == "range") return y >= 1 && y < p;
        if (test == "residue") return is_square(y % p, p);
        entry.fail("unknown test " + test);
      });
    });
    counts.push_back(candidates.size());
  }
  entry.require(counts == entry.list_of_numbers("survivors_after_each_message"), "another number survives");
  entry.require(candidates == entry.list_of_texts("survivors"), "others survive");
}

}  // namespace

void check_eke(Sections& file) {
  ignore_labels(file);
  file.one("groups", check_groups);
  file.each("eap_eke", check_eap_eke);
  file.each("failure_messages", check_failure_message);
  file.each("reject", [&](Fields& entry) { check_reject(file, entry); });
  file.each("classic_partition", check_partition);
}

}  // namespace pake::vectors
