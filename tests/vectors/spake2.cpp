// spake2.json: RFC 9382, and the SPAKE2 of python-spake2 that magic-wormhole uses. Of edwards448 it is checked that no
// field is missing, and the entry is skipped.
#include <algorithm>
#include <array>

#include "pake/proto/spake2/spake2.h"
#include "pake/proto/spake2/wormhole.h"
#include "pake/testing/fixed_rng.h"
#include "pake/testing/hex.h"
#include "sheet.h"
#include "spake2/key_schedule.h"
#include "spake2/wormhole.h"
#include "spake_group.h"

namespace pake::vectors {
namespace {

using namespace spake2;
using crypto::GroupId;

constexpr std::array kSuites = {Suite::p256_sha256_hmac, Suite::p256_sha512_hmac, Suite::p384_sha256_hmac,
                                Suite::p384_sha512_hmac, Suite::p521_sha512_hmac, Suite::edwards25519_sha256_hmac,
                                Suite::p256_sha256_cmac};

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

// --- RFC 9382

Suite suite_over(const Fields& entry, std::string_view group) {
  for (const auto suite : kSuites)
    if (parameters(suite).name.starts_with("SPAKE2-" + std::string(group) + "-")) return suite;
  entry.not_offered("group", group);
}

PasswordScalar scalar(const Fields& entry, Suite suite, Bytes w) {
  return must(entry, PasswordScalar::decode(suite, w), "w does not decode");
}

void check_rfc9382(Fields& entry) {
  read_labels(entry);
  const auto name = entry.text("ciphersuite");
  auto& inputs = entry.object("inputs");
  auto& messages = entry.object("messages");
  auto& intermediate = entry.object("intermediate");
  auto& outputs = entry.object("outputs");
  const auto A = inputs.bytes("A"), B = inputs.bytes("B"), AAD = inputs.bytes("AAD");
  const auto w_bytes = inputs.bytes("w"), x_bytes = inputs.bytes("x"), y_bytes = inputs.bytes("y");
  const auto* const found = std::ranges::find_if(kSuites, [&](Suite each) { return parameters(each).name == name; });
  if (found == kSuites.end()) {
    for (const auto* field : {"pA", "pB", "cA", "cB"}) static_cast<void>(messages.bytes(field));
    for (const auto* field : {"K", "TT", "hash_TT", "Ka", "KcA", "KcB"}) static_cast<void>(intermediate.bytes(field));
    static_cast<void>(outputs.bytes("Ke"));
    entry.finish();
    entry.not_offered("suite", name);
  }
  const auto suite = *found;
  const auto group = parameters(suite).group;
  const auto w = scalar(entry, suite, w_bytes);
  const auto x = must(entry, spake::decode_scalar(group, x_bytes), "x does not decode");
  const auto y = must(entry, spake::decode_scalar(group, y_bytes), "y does not decode");
  const Inputs in = {.A = A, .B = B, .AAD = AAD};

  testing::FixedRng rng_a(to_buffer(x.reveal())), rng_b(to_buffer(y.reveal()));
  auto a = must(entry, initiate(in, w, rng_a), "initiate");
  auto b = must(entry, respond(in, w, permit(), a.pA, rng_b), "respond");
  const auto at_a = must(entry, std::move(a.next).finish(b.pB, b.cB), "A's finish");
  const auto at_b = must(entry, std::move(b.next).finish(at_a.cA), "B's finish");
  messages.expect("pA", a.pA);
  messages.expect("pB", b.pB);
  messages.expect("cA", at_a.cA);
  messages.expect("cB", b.cB);
  outputs.expect("Ke", at_a.Ke.reveal());
  outputs.expect("Ke", at_b.reveal());

  // In the document's own order.
  testing::FixedRng again_a(to_buffer(x.reveal())), again_b(to_buffer(y.reveal()));
  auto first = must(entry, initiate(in, w, again_a), "initiate");
  auto second = must(entry, respond(in, w, permit(), first.pA, again_b), "respond");
  auto confirmed = must(entry, std::move(first.next).confirm(second.pB, permit()), "A's confirm");
  messages.expect("cA", confirmed.cA);
  outputs.expect("Ke", must(entry, std::move(second.next).finish(confirmed.cA), "B's finish").reveal());
  outputs.expect("Ke", must(entry, std::move(confirmed.next).finish(second.cB), "A's finish").reveal());

  const auto K_of = [&](const crypto::Scalar& own, Bytes peer, const crypto::Element& blinding) {
    const auto element = must(entry, spake::decode(group, peer), "a share");
    const auto opened = must(entry, spake::unblind(group, element, Access::w(w), blinding), "an unblinded share");
    const auto product =
        must(entry, crypto::Group::get(group).multiply(spake::times_cofactor(group, own), opened), "K");
    return spake::encode(group, product);
  };
  intermediate.expect("K", K_of(x, b.pB, spake::N(group).point).reveal());
  intermediate.expect("K", K_of(y, a.pA, spake::M(group).point).reveal());
  const auto K = intermediate.bytes("K");
  const auto TT = Transcript{.A = A, .B = B, .pA = a.pA, .pB = b.pB, .K = K, .w = w_bytes}.TT();
  intermediate.expect("TT", TT.reveal());
  intermediate.expect("hash_TT", crypto::hash(parameters(suite).hash, {TT.reveal()}).reveal());
  const auto keys = derive_keys(suite, TT.reveal(), AAD);
  intermediate.expect("Ka", keys.Ka.reveal());
  intermediate.expect("KcA", keys.KcA.reveal());
  intermediate.expect("KcB", keys.KcB.reveal());
}

/// Whether a side that holds w takes this for the other's share.
bool A_takes(const Fields& entry, const PasswordScalar& w, Bytes pB) {
  testing::SeededRng rng(1);
  auto a = must(entry, initiate({}, w, rng), "initiate");
  return std::move(a.next).finish_without_confirmation_peer_unproven(pB).has_value();
}
bool B_takes(const PasswordScalar& w, Bytes pA) {
  testing::SeededRng rng(1);
  return respond_without_confirmation_peer_unproven({}, w, permit(), pA, rng).has_value() ||
         respond({}, w, permit(), pA, rng).has_value();
}

void check_rfc9382_reject(Fields& entry) {
  read_labels(entry);
  expect_reject(entry);
  const auto group = entry.text("group");
  const bool is_run = entry.has("role");
  const auto role = is_run ? entry.text("role") : std::string();
  const auto w_bytes = is_run ? entry.bytes("w") : Buffer();
  entry.require(role.empty() || role == "A" || role == "B", "role is neither A nor B");
  const auto received = entry.bytes(!is_run ? "element" : role == "A" ? "received_pB" : "received_pA");
  if (group == "edwards448") {
    entry.finish();
    entry.not_offered("group", group);
  }
  const auto suite = suite_over(entry, group);
  if (is_run) {
    const auto w = scalar(entry, suite, w_bytes);
    entry.require(spake::decode(parameters(suite).group, received).has_value(), "it is no element at all");
    return entry.require(role == "A" ? !A_takes(entry, w, received) : !B_takes(w, received), "it is taken");
  }
  const auto w = must(entry, PasswordScalar::from_mhf_output(suite, Buffer(74, std::uint8_t{7})), "w");
  entry.require(!A_takes(entry, w, received), "A takes it");
  entry.require(!B_takes(w, received), "B takes it");
}

// --- Constants. Those of edwards448 only repeat the sheet.

struct Curve {
  const char* name;
  GroupId group;
};

void check_constants(Fields& entry) {
  for (const auto& [name, group] : {Curve{"P-256", GroupId::p256}, Curve{"P-384", GroupId::p384},
                                    Curve{"P-521", GroupId::p521}, Curve{"edwards25519", GroupId::edwards25519}}) {
    if (!entry.has(name)) continue;
    auto& curve = entry.object(name);
    const auto& G = crypto::Group::get(group);
    curve.expect("M", G.encode(spake::M(group).point).reveal());
    curve.expect("N", G.encode(spake::N(group).point).reveal());
    curve.expect("M_uncompressed", spake::M(group).encoded);
    curve.expect("N_uncompressed", spake::N(group).encoded);
  }
  if (!entry.has("edwards448")) return;
  auto& curve = entry.object("edwards448");
  const auto M = testing::unhex(
      "b6221038a775ecd007a4e4dde39fd76ae91d3cf0cc92be8f0c2fa6d6b66f9a12942f5a92646109152292464f3e63d354701c7848d9fc3b88"
      "80");
  const auto N = testing::unhex(
      "6034c65b66e4cd7a49b0edec3e3c9ccc4588afd8cf324e29f0a84a072531c4dbf97ff9af195ed714a689251f08f8e06e2d1f24a0ffc01466"
      "00");
  curve.expect("M", M);
  curve.expect("M_uncompressed", M);
  curve.expect("N", N);
  curve.expect("N_uncompressed", N);
}

void check_wormhole_constants(Fields& entry) {
  const auto& G = crypto::Group::get(GroupId::edwards25519);
  const auto expect = [&](const char* name, wormhole::Side side) {
    if (entry.has(name)) entry.expect(name, G.encode(wormhole::blinding_point(side)).reveal());
  };
  expect("M", wormhole::Side::A);
  expect("N", wormhole::Side::B);
  expect("S", wormhole::Side::symmetric);
}

// --- magic-wormhole

using wormhole::Side;

/// The reduction of 64 octets, of which the first 32 are zero, is the scalar.
Buffer randomness(const Buffer& scalar_be) {
  Buffer wide(64 - scalar_be.size());
  wide.insert(wide.end(), scalar_be.begin(), scalar_be.end());
  return wide;
}

void check_wormhole_bad(Fields& entry, bool is_symmetric) {
  expect_reject(entry);
  const auto received = entry.bytes("received");
  // The side that waits for such a message.
  const auto side = is_symmetric ? Side::symmetric : !received.empty() && received[0] == 'A' ? Side::B : Side::A;
  testing::SeededRng rng(1);
  auto started = must(entry, wormhole::start(side, as_bytes("password"), {}, permit(), rng), "start");
  if (!entry.has("own"))
    return entry.require(!std::move(started.next).finish_without_confirmation_peer_unproven(received), "it is taken");
  // Who sent `own` is not ours to choose; that our own message comes back is the same.
  const auto own = entry.bytes("own");
  entry.require(own == received, "no reflection");
  entry.require(crypto::Group::get(GroupId::edwards25519).decode(Bytes(own).subspan(1)).has_value(), "no element");
  entry.require(!std::move(started.next).finish_without_confirmation_peer_unproven(started.message), "it is taken");
}

void check_application(Fields& application, const Buffer& password, const Buffer& identity, const Buffer& msg1,
                       const wormhole::Key& key) {
  application.require(application.text("code") == as_text(password), "the code is another password");
  application.require(application.text("appid") == as_text(identity), "the appid is another identity");
  application.require(Json::parse(application.text("pake_body_side1")) == Json::parse(wormhole::pake_body(msg1)),
                      "another body");
  application.expect("verifier", wormhole::verifier(key).reveal());
  const auto side = application.text("phase_side"), phase = application.text("phase");
  application.expect("phase_purpose", wormhole::phase_purpose(side, phase));
  application.expect("phase_key", wormhole::phase_key(key, side, phase).reveal());
}

void check_wormhole(Fields& entry) {
  read_labels(entry);
  const auto mode = entry.text("mode");
  entry.require(mode == "symmetric" || mode == "asymmetric", "mode is neither symmetric nor asymmetric");
  const bool is_symmetric = mode == "symmetric";
  if (entry.has("expect")) return check_wormhole_bad(entry, is_symmetric);

  auto& inputs = entry.object("inputs");
  auto& intermediate = entry.object("intermediate");
  auto& messages = entry.object("messages");
  const auto password = inputs.bytes("password");
  const auto idSymmetric = is_symmetric ? inputs.bytes("idSymmetric") : Buffer();
  const auto idA = is_symmetric ? Buffer() : inputs.bytes("idA"), idB = is_symmetric ? Buffer() : inputs.bytes("idB");
  const wormhole::Identities identities = {.A = idA, .B = idB, .symmetric = idSymmetric};
  const auto w = must(entry, wormhole::password_to_scalar(password), "no scalar");
  intermediate.expect("pw_scalar_be", spake::encode_scalar(w, GroupId::edwards25519).reveal());

  const auto first_side = is_symmetric ? Side::symmetric : Side::A,
             second_side = is_symmetric ? Side::symmetric : Side::B;
  const auto xy1 = intermediate.bytes("xy1_be"), xy2 = intermediate.bytes("xy2_be");
  entry.require(xy1.size() == 32 && xy2.size() == 32, "a scalar has not 32 octets");
  testing::FixedRng rng1(randomness(xy1)), rng2(randomness(xy2));
  auto one = must(entry, wormhole::start(first_side, password, identities, permit(), rng1), "start");
  auto two = must(entry, wormhole::start(second_side, password, identities, permit(), rng2), "start");
  messages.expect("msg1", one.message);
  messages.expect("msg2", two.message);
  const auto key =
      must(entry, std::move(one.next).finish_without_confirmation_peer_unproven(two.message), "1's finish");
  const auto key2 =
      must(entry, std::move(two.next).finish_without_confirmation_peer_unproven(one.message), "2's finish");
  entry.object("outputs").expect("key", key.key.reveal());
  entry.require(ct_equal(key.key.reveal(), key2.key.reveal()), "the sides have different keys");

  const auto K = intermediate.bytes("K");
  const auto hash = [](Bytes bytes) { return to_buffer(crypto::hash(crypto::HashId::sha256, {bytes}).reveal()); };
  auto identities_hash = hash(is_symmetric ? idSymmetric : idA);
  if (!is_symmetric) {
    const auto of_B = hash(idB);
    identities_hash.insert(identities_hash.end(), of_B.begin(), of_B.end());
  }
  const auto password_hash = hash(password);
  const auto transcript = wormhole::Transcript{.side = first_side,
                                               .password_hash = password_hash,
                                               .identities_hash = identities_hash,
                                               .own = Bytes(one.message).subspan(1),
                                               .peer = Bytes(two.message).subspan(1),
                                               .K = K}
                              .encode();
  intermediate.expect("transcript", transcript.reveal());
  entry.require(hash(transcript.reveal()) == to_buffer(key.key.reveal()), "K is another one");
  if (entry.has("application"))
    check_application(entry.object("application"), password, idSymmetric, one.message, key.key);
}

}  // namespace

void check_spake2(Sections& file) {
  ignore_labels(file);
  file.each("rfc9382", check_rfc9382);
  file.each("rfc9382_reject", check_rfc9382_reject);
  file.each("wormhole", check_wormhole);
  file.one("constants", check_constants);
  file.one("wormhole_constants", check_wormhole_constants);
}

}  // namespace pake::vectors
