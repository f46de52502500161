// spake2plus.json: RFC 9383, and the key schedule of draft-02 that Matter kept. Of edwards448 it is checked that no
// field is missing, and the entry is skipped.
#include <algorithm>
#include <array>

#include "pake/base/writer.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/spake2plus/matter.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/registration.h"
#include "pake/proto/spake2plus/verifier.h"
#include "pake/testing/fixed_rng.h"
#include "sheet.h"
#include "spake2plus/key_schedule.h"
#include "spake_group.h"

namespace pake::vectors {
namespace {

using namespace spake2plus;
using crypto::GroupId;

constexpr std::string_view kEdwards448 = "edwards448-SHA512-HKDF-SHA512-HMAC-SHA512";

constexpr std::array kSuites = {Suite::p256_sha256_hmac, Suite::p256_sha512_hmac, Suite::p384_sha256_hmac,
                                Suite::p384_sha512_hmac, Suite::p521_sha512_hmac, Suite::edwards25519_sha256_hmac,
                                Suite::p256_sha256_cmac, Suite::p256_sha512_cmac, Suite::p256_sha256_draft02};

Suite suite_of(const Fields& entry, std::string_view name) {
  for (const auto suite : kSuites)
    if (parameters(suite).name == name) return suite;
  entry.not_offered("suite", name);
}

/// A suite over the group of this name: what is checked with it does not depend on the rest.
Suite suite_over(const Fields& entry, std::string_view group) {
  for (const auto suite : kSuites) {
    const auto name = parameters(suite).name;
    if (name.substr(0, name.find('-')) == group) return suite;
  }
  entry.not_offered("group", group);
}

/// The names that the two documents have for the same things.
struct Names {
  const char *shareP, *shareV, *confirmP, *confirmV, *K_main, *K_confirmP, *K_confirmV, *K_shared;
};
constexpr Names kRfc9383 = {"shareP", "shareV",     "confirmP",   "confirmV",
                            "K_main", "K_confirmP", "K_confirmV", "K_shared"};
constexpr Names kDraft02 = {"pA", "pB", "cA", "cB", "Ka", "KcA", "KcB", "Ke"};

struct Given {
  Suite suite;
  Buffer Context, idProver, idVerifier;
  ProverSecret secret;
  VerifierRecord record;
  crypto::Scalar x, y;

  [[nodiscard]] Inputs inputs() const {
    return {.Context = Context, .identities = {.prover = idProver, .verifier = idVerifier}};
  }
};

Given given(const Fields& entry, Suite suite, Fields& inputs) {
  const auto group = parameters(suite).group;
  const auto scalar = [&](const std::string& name) {
    return must(entry, spake::decode_scalar(group, inputs.bytes(name)), name + " does not decode");
  };
  const auto w0 = inputs.bytes("w0"), w1 = inputs.bytes("w1"), L = inputs.bytes("L");
  return {.suite = suite,
          .Context = inputs.bytes("Context"),
          .idProver = inputs.bytes("idProver"),
          .idVerifier = inputs.bytes("idVerifier"),
          .secret = must(entry, ProverSecret::decode(suite, Writer().put(w0).put(w1).take()), "w0, w1"),
          .record = must(entry, VerifierRecord::decode(suite, Writer().put(w0).put(L).take()), "w0, L"),
          .x = scalar("x"),
          .y = scalar("y")};
}

/// What the public functions give, with the scalars as their randomness.
struct Run {
  Buffer shareP, shareV, confirmP, confirmV;
  Buffer K_shared;
};

Run run(const Fields& entry, const Given& given) {
  testing::FixedRng rng_p(to_buffer(given.x.reveal())), rng_v(to_buffer(given.y.reveal()));
  auto prover = must(entry, start(given.inputs(), given.secret, rng_p), "the prover's start");
  auto verifier =
      must(entry, respond(given.inputs(), given.record, GuessPermit::uncounted_for_study(), prover.shareP, rng_v),
           "the verifier's answer");
  const auto finished = must(entry, std::move(prover.next).finish(verifier.shareV, verifier.confirmV), "the prover");
  const auto K_shared = must(entry, std::move(verifier.next).finish(finished.confirmP), "the verifier");
  entry.require(ct_equal(K_shared.reveal(), finished.K_shared.reveal()), "the sides have different keys");
  return {.shareP = prover.shareP,
          .shareV = verifier.shareV,
          .confirmP = finished.confirmP,
          .confirmV = verifier.confirmV,
          .K_shared = to_buffer(K_shared.reveal())};
}

/// Z and V by both sides' formulas.
void check_products(const Fields& entry, Fields& intermediate, const Given& given, const Run& run) {
  const auto group = parameters(given.suite).group;
  const auto& G = crypto::Group::get(group);
  const auto expect = [&](const char* name, const crypto::Scalar& scalar, const crypto::Element& element) {
    const auto product = must(entry, G.multiply(spake::times_cofactor(group, scalar), element), name);
    intermediate.expect(name, spake::encode(group, product).reveal());
  };
  const auto& w0 = Access::w0(given.secret);
  const auto X = must(entry, spake::decode(group, run.shareP), "shareP");
  const auto Y = must(entry, spake::decode(group, run.shareV), "shareV");
  const auto of_prover = must(entry, spake::unblind(group, Y, w0, spake::N(group).point), "Y - w0*N");
  const auto of_verifier = must(entry, spake::unblind(group, X, w0, spake::M(group).point), "X - w0*M");
  expect("Z", given.x, of_prover);
  expect("V", Access::w1(given.secret), of_prover);
  expect("Z", given.y, of_verifier);
  expect("V", given.y, Access::L(given.record));
}

Run check_run(Fields& entry, const Names& names, const Given& given) {
  entry.require(ct_equal(given.secret.verifier_record().encode().reveal(), given.record.encode().reveal()),
                "L is not w1*P");
  auto& messages = entry.object("messages");
  auto& intermediate = entry.object("intermediate");
  auto& outputs = entry.object("outputs");
  auto done = run(entry, given);
  messages.expect(names.shareP, done.shareP);
  messages.expect(names.shareV, done.shareV);
  messages.expect(names.confirmP, done.confirmP);
  messages.expect(names.confirmV, done.confirmV);
  outputs.expect(names.K_shared, done.K_shared);

  check_products(entry, intermediate, given, done);
  const auto Z = intermediate.bytes("Z"), V = intermediate.bytes("V");
  const auto secret = given.secret.encode();
  const Transcript transcript = {.suite = given.suite,
                                 .Context = given.Context,
                                 .idProver = given.idProver,
                                 .idVerifier = given.idVerifier,
                                 .shareP = done.shareP,
                                 .shareV = done.shareV,
                                 .Z = Z,
                                 .V = V,
                                 .w0 = secret.reveal().first(parameters(given.suite).scalar_size)};
  const auto TT = transcript.TT();
  intermediate.expect("TT", TT.reveal());
  const auto keys = derive_keys(given.suite, TT.reveal());
  intermediate.expect(names.K_main, keys.K_main.reveal());
  intermediate.expect(names.K_confirmP, keys.K_confirmP.reveal());
  intermediate.expect(names.K_confirmV, keys.K_confirmV.reveal());
  if (parameters(given.suite).schedule == KeySchedule::draft02)
    intermediate.expect("hash_TT", crypto::hash(parameters(given.suite).hash, {TT.reveal()}).reveal());
  return done;
}

void check_rfc9383(Fields& entry) {
  read_labels(entry);
  const auto name = entry.text("ciphersuite");
  if (name == kEdwards448) {
    const auto read = [&](const std::string& object, std::initializer_list<const char*> fields) {
      auto& within = entry.object(object);
      for (const auto* field : fields) static_cast<void>(within.bytes(field));
    };
    read("inputs", {"Context", "idProver", "idVerifier", "w0", "w1", "L", "x", "y"});
    read("messages", {"shareP", "shareV", "confirmV", "confirmP"});
    read("intermediate", {"Z", "V", "TT", "K_main", "K_confirmP", "K_confirmV"});
    read("outputs", {"K_shared"});
    entry.finish();
    entry.not_offered("suite", name);
  }
  check_run(entry, kRfc9383, given(entry, suite_of(entry, name), entry.object("inputs")));
}

void check_registration(Fields& entry) {
  read_labels(entry);
  const auto suite = suite_over(entry, entry.text("group"));
  entry.require(entry.text("pbkdf") == "scrypt", "another PBKDF than scrypt");
  const crypto::Scrypt scrypt = {.salt = entry.bytes("salt"),
                                 .N = entry.number("N"),
                                 .r = static_cast<std::uint32_t>(entry.number("r")),
                                 .p = static_cast<std::uint32_t>(entry.number("p")),
                                 .output_length = 0};
  auto& inputs = entry.object("inputs");
  auto& intermediate = entry.object("intermediate");
  auto& outputs = entry.object("outputs");
  const auto pw = inputs.bytes("pw"), idProver = inputs.bytes("idProver"), idVerifier = inputs.bytes("idVerifier");
  const Identities identities = {.prover = idProver, .verifier = idVerifier};
  const auto input = pbkdf_input(pw, identities);
  intermediate.expect("pbkdf_input", input.reveal());
  const auto half = parameters(suite).half_size;
  const auto output = must(entry, crypto::stretch(scrypt, input.reveal(), 2 * half), "the PBKDF");
  intermediate.expect("w0s", output.reveal().first(half));
  intermediate.expect("w1s", output.reveal().last(half));
  const auto secret = must(entry, ProverSecret::from_password(suite, scrypt, pw, identities), "no secret");
  const auto encoded = secret.encode();
  const auto size = parameters(suite).scalar_size;
  outputs.expect("w0", encoded.reveal().first(size));
  outputs.expect("w1", encoded.reveal().last(size));
  outputs.expect("L", secret.verifier_record().encode().reveal().subspan(size));
}

void check_matter_core(Fields& entry) {
  read_labels(entry);
  const auto suite = suite_of(entry, entry.text("ciphersuite"));
  entry.require(parameters(suite).schedule == KeySchedule::draft02, "not the key schedule of draft-02");
  const auto in = given(entry, suite, entry.object("inputs"));
  const auto done = check_run(entry, kDraft02, in);
  if (!entry.has("pase")) return;
  auto& pase = entry.object("pase");
  const auto secret =
      must(entry,
           matter::prover_secret(static_cast<std::uint32_t>(pase.number("passcode")), pase.bytes("salt"),
                                 static_cast<std::uint32_t>(pase.number("iterations"))),
           "no secret");
  entry.require(ct_equal(secret.encode().reveal(), in.secret.encode().reveal()), "another passcode than w0, w1 are of");
  entry.require(std::ranges::equal(matter::context(pase.bytes("PBKDFParamRequest"), pase.bytes("PBKDFParamResponse")),
                                   in.Context),
                "the two messages make another Context");
  const auto keys = matter::session_keys(SharedKey::copy_of(done.K_shared));
  pase.expect("I2RKey", keys.I2RKey.reveal());
  pase.expect("R2IKey", keys.R2IKey.reveal());
  pase.expect("AttestationChallenge", keys.AttestationChallenge.reveal());
}

void check_matter_verifier(Fields& entry) {
  read_labels(entry);
  const auto passcode = entry.number("passcode");
  const auto salt = entry.bytes("salt");
  const auto iterations = static_cast<std::uint32_t>(entry.number("iterations"));
  entry.require(passcode <= 99999999, "no passcode");
  auto& intermediate = entry.object("intermediate");
  const Buffer passcode_le = {static_cast<std::uint8_t>(passcode), static_cast<std::uint8_t>(passcode >> 8U),
                              static_cast<std::uint8_t>(passcode >> 16U), static_cast<std::uint8_t>(passcode >> 24U)};
  intermediate.expect("passcode_le", passcode_le);
  const auto output =
      must(entry, crypto::pbkdf2(crypto::HashId::sha256, passcode_le, salt, iterations, 80), "no PBKDF2");
  intermediate.expect("w0s", output.reveal().first(40));
  intermediate.expect("w1s", output.reveal().last(40));
  const auto secret =
      must(entry, matter::prover_secret(static_cast<std::uint32_t>(passcode), salt, iterations), "no secret");
  intermediate.expect("w0", secret.encode().reveal().first(32));
  intermediate.expect("w1", secret.encode().reveal().last(32));
  entry.object("outputs").expect("verifier", secret.verifier_record().encode().reveal());
}

// --- What must be refused

void check_bad_share(Fields& entry, Suite suite, Bytes share) {
  testing::SeededRng rng(1);
  const auto secret =
      must(entry, ProverSecret::from_pbkdf_output(suite, Buffer(2 * parameters(suite).half_size, std::uint8_t{7})),
           "a secret");
  auto prover = must(entry, start({}, secret, rng), "start");
  entry.require(!std::move(prover.next).finish_without_confirmation_peer_unproven(share), "a prover takes it");
  entry.require(!respond({}, secret.verifier_record(), GuessPermit::uncounted_for_study(), share, rng),
                "a verifier takes it");
  const auto w0 = secret.encode();
  entry.require(
      !VerifierRecord::decode(suite, Writer().put(w0.reveal().first(parameters(suite).scalar_size)).put(share).take()),
      "it is taken as L");
}

/// A share that leads to the identity for whoever holds this w0, and is well-formed otherwise.
void check_degenerate(Fields& entry, Suite suite, Bytes w0, Bytes share) {
  const auto& of = parameters(suite);
  Buffer w1(of.scalar_size);
  w1.back() = 1;
  const auto secret = must(entry, ProverSecret::decode(suite, Writer().put(w0).put(w1).take()), "w0 does not decode");
  entry.require(spake::decode(of.group, share).has_value(), "it is no element at all");
  testing::SeededRng rng(1);
  const auto is = [&](const crypto::Element& blinding) {
    const auto value = must(entry, spake::decode_scalar(of.group, w0), "w0 does not decode");
    const auto product = must(entry, crypto::Group::get(of.group).multiply(value, blinding), "no product");
    return std::ranges::equal(spake::encode(of.group, product).reveal(), share);
  };
  if (is(spake::M(of.group).point)) {
    entry.require(!respond({}, secret.verifier_record(), GuessPermit::uncounted_for_study(), share, rng),
                  "a verifier takes it");
  } else if (is(spake::N(of.group).point)) {
    auto prover = must(entry, start({}, secret, rng), "start");
    entry.require(!std::move(prover.next).finish_without_confirmation_peer_unproven(share), "a prover takes it");
  } else {
    entry.fail("neither w0*M nor w0*N");
  }
}

void check_changed_run(const Sections& file, Fields& entry) {
  const auto field = entry.text("field");
  const auto value = entry.bytes("value");
  const auto& base = file.entry("rfc9383", entry.text("base"));
  const auto name = base.at("ciphersuite").get<std::string>();
  if (name == kEdwards448) entry.not_offered("suite", name);
  Fields inputs(base.at("inputs"), "inputs of the base"), messages(base.at("messages"), "messages of the base");
  const auto in = given(entry, suite_of(entry, name), inputs);
  entry.require(value != messages.bytes(field), "the value is the right one");
  testing::FixedRng rng_p(to_buffer(in.x.reveal())), rng_v(to_buffer(in.y.reveal()));
  auto prover = must(entry, start(in.inputs(), in.secret, rng_p), "start");
  const auto respond_to = [&](Bytes shareP) {
    return respond(in.inputs(), in.record, GuessPermit::uncounted_for_study(), shareP, rng_v);
  };
  // What the prover receives, the prover judges; what the verifier receives, the verifier, if need be by its tag.
  const auto shareV = field == "shareV" ? value : messages.bytes("shareV");
  const auto confirmV = field == "confirmV" ? value : messages.bytes("confirmV");
  const auto confirmP = field == "confirmP" ? value : messages.bytes("confirmP");
  if (field == "shareV" || field == "confirmV") {
    entry.require(!std::move(prover.next).finish(shareV, confirmV), "the prover takes it");
  } else if (field == "shareP" || field == "confirmP") {
    auto answer = respond_to(field == "shareP" ? Bytes(value) : Bytes(prover.shareP));
    entry.require(!answer || !std::move(answer->next).finish(confirmP), "the verifier takes it");
  } else {
    entry.fail("an unknown field " + field);
  }
}

void check_reject(const Sections& file, Fields& entry) {
  read_labels(entry);
  expect_reject(entry);
  if (entry.has("base")) return check_changed_run(file, entry);
  const auto group = entry.text("group");
  const auto share = entry.bytes("share");
  const auto w0 = entry.has("w0") ? entry.bytes("w0") : Buffer();
  if (group == "edwards448") {
    entry.finish();
    entry.not_offered("group", group);
  }
  const auto suite = suite_over(entry, group);
  return entry.has("w0") ? check_degenerate(entry, suite, w0, share) : check_bad_share(entry, suite, share);
}

}  // namespace

void check_spake2plus(Sections& file) {
  ignore_labels(file);
  file.each("rfc9383", check_rfc9383);
  file.each("registration", check_registration);
  file.each("matter_core", check_matter_core);
  file.each("matter_verifier", check_matter_verifier);
  file.each("reject", [&](Fields& entry) { check_reject(file, entry); });
}

}  // namespace pake::vectors
