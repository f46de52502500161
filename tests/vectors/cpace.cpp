// cpace.json: draft-irtf-cfrg-cpace-21. Of the suites over the 448-bit curves the strings are checked, and that no
// field is missing, and the entry is skipped.
#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "cpace/group_environment.h"
#include "cpace/key_schedule.h"
#include "cpace/secret_strings.h"
#include "nist_curve.h"
#include "pake/base/writer.h"
#include "pake/proto/cpace/cpace.h"
#include "pake/proto/cpace/strings.h"
#include "pake/testing/fixed_rng.h"
#include "vectors.h"

namespace pake::vectors {
namespace {

using namespace cpace;

template <class T>
T must(const Fields& entry, Result<T> result, std::string_view what) {
  if (!result) entry.fail(what);
  return std::move(*result);
}

// --- Suites

constexpr std::array kOffered = {Suite::ristretto255_sha512, Suite::x25519_sha512, Suite::p256_sha256,
                                 Suite::p384_sha384, Suite::p521_sha512};

/// What the strings of a suite depend on.
struct Strings {
  std::string name;
  std::string DSI;
  std::size_t s_in_bytes;
  std::optional<Suite> suite;  // nothing for what is not offered
};

Strings strings_of_suite(Fields& entry) {
  const auto name = entry.text("suite");
  for (const auto suite : kOffered)
    if (parameters(suite).name == name)
      return {name, std::string(parameters(suite).DSI), crypto::block_size(parameters(suite).hash), suite};
  if (name == "CPACE-X448-SHAKE256") return {name, "CPace448", 136, {}};
  if (name == "CPACE-DECAF448-SHAKE256") return {name, "CPaceDecaf448", 136, {}};
  entry.not_offered("suite", name);
}

Suite offered_suite(Fields& entry) {
  const auto strings = strings_of_suite(entry);
  if (!strings.suite) entry.not_offered("suite", strings.name);
  return *strings.suite;
}

/// The NIST curves' group, and ristretto255; nothing for Curve25519.
std::optional<crypto::GroupId> group_id(Suite suite) {
  switch (suite) {
    case Suite::ristretto255_sha512:
      return crypto::GroupId::ristretto255;
    case Suite::x25519_sha512:
      return std::nullopt;
    case Suite::p256_sha256:
      return crypto::GroupId::p256;
    case Suite::p384_sha384:
      return crypto::GroupId::p384;
    case Suite::p521_sha512:
      return crypto::GroupId::p521;
  }
  return std::nullopt;
}
bool is_nist(Suite suite) { return suite != Suite::ristretto255_sha512 && suite != Suite::x25519_sha512; }

Scalar scalar(Fields& entry, const std::string& name, Suite suite) {
  const auto bytes = entry.bytes(name);
  if (const auto id = group_id(suite)) {
    auto decoded = must(entry, crypto::Group::get(*id).decode_scalar(bytes), name + " does not decode");
    entry.require(!crypto::Group::is_zero(decoded), name + " is zero");
    return decoded;
  }
  entry.require(bytes.size() == 32, name + " has not 32 bytes");
  return Scalar::copy_of(bytes);
}

// --- Strings

void check_string_function(Fields& entry) {
  static_cast<void>(entry.text("source"));
  const auto function = entry.text("function");
  const auto arguments = entry.list_of_bytes("arguments");
  const auto takes = [&](std::size_t count) {
    entry.require(arguments.size() == count, function + " has another number of arguments");
  };
  if (function == "prepend_len") {
    takes(1);
    return entry.expect("result", prepend_len(arguments[0]));
  }
  if (function == "lv_cat") {  // one argument at a time: how many there are is not known here
    Writer result;
    for (const auto& argument : arguments) result.put(lv_cat({argument}));
    if (arguments.size() == 4) entry.expect("result", lv_cat({arguments[0], arguments[1], arguments[2], arguments[3]}));
    return entry.expect("result", result.take());
  }
  if (function == "o_cat") {
    takes(2);
    entry.expect("result", o_cat(arguments[1], arguments[0]));
    return entry.expect("result", o_cat(arguments[0], arguments[1]));
  }
  takes(4);
  const Share A = {.Y = arguments[0], .AD = arguments[1]}, B = {.Y = arguments[2], .AD = arguments[3]};
  if (function == "transcript_ir") return entry.expect("result", transcript_ir(A, B));
  if (function == "transcript_oc") return entry.expect("result", transcript_oc(A, B));
  entry.fail("unknown function " + function);
}

// --- Runs

struct Given {
  Buffer PRS, CI, sid, ADa, ADb;

  [[nodiscard]] Inputs inputs(Suite suite) const { return {.suite = suite, .PRS = PRS, .CI = CI, .sid = sid}; }
};

Given given(Fields& inputs) {
  return {.PRS = inputs.bytes("PRS"),
          .CI = inputs.bytes("CI"),
          .sid = inputs.bytes("sid"),
          .ADa = inputs.bytes("ADa"),
          .ADb = inputs.bytes("ADb")};
}

void expect_number(Fields& intermediates, const std::string& name, std::size_t computed) {
  intermediates.require(intermediates.number(name) == computed, name + ": another one was computed");
}

/// Everything that is concatenation: of any suite, given its shares and K.
void check_strings(Fields& intermediates, const Strings& suite, const Given& given, const Share& A, const Share& B,
                   Bytes K) {
  const auto DSI_ISK = suite.DSI + "_ISK";
  intermediates.expect("DSI", as_bytes(suite.DSI));
  intermediates.expect("DSI_ISK", as_bytes(DSI_ISK));
  expect_number(intermediates, "s_in_bytes", suite.s_in_bytes);
  expect_number(intermediates, "len_zpad", padding_size(as_bytes(suite.DSI), given.PRS, suite.s_in_bytes));
  intermediates.expect("generator_string",
                       generator_string(suite.DSI, given.PRS, given.CI, given.sid, suite.s_in_bytes).reveal());
  const auto prefix = lv_cat({as_bytes(DSI_ISK), given.sid, K});
  intermediates.expect("transcript_ir", transcript_ir(A, B));
  intermediates.expect("transcript_oc", transcript_oc(B, A));
  intermediates.expect("isk_input_ir", Writer().put(prefix).put(transcript_ir(A, B)).take());
  intermediates.expect("isk_input_oc", Writer().put(prefix).put(transcript_oc(A, B)).take());
}

template <class Curve>
Buffer map_input(Bytes string, Bytes DST) {
  Buffer u(crypto::Coordinate<Curve>::kSize);
  crypto::hash_to_field<Curve, 1>({string}, {DST})[0].encode(
      std::span<std::uint8_t, crypto::Coordinate<Curve>::kSize>(u), std::endian::big);
  return u;
}

/// From the generator string to g, with what the suite has between them.
Generator check_generator(Fields& intermediates, Suite suite, Bytes string) {
  const auto& [name, DSI, hash, share_size, secret_size] = parameters(suite);
  auto g = must(intermediates, GroupEnvironment::get(suite).calculate_generator(string), "no generator");
  if (is_nist(suite)) {
    const auto curve = *group_id(suite);
    const auto DST = std::string(DSI) + "_DST";
    intermediates.expect("DST", as_bytes(DST));
    intermediates.expect("u", curve == crypto::GroupId::p256   ? map_input<crypto::P256>(string, as_bytes(DST))
                              : curve == crypto::GroupId::p384 ? map_input<crypto::P384>(string, as_bytes(DST))
                                                               : map_input<crypto::P521>(string, as_bytes(DST)));
    intermediates.expect("g", crypto::nist_encode_uncompressed(curve, std::get<crypto::Element>(g)).reveal());
    return g;
  }
  auto gen_str_hash = to_buffer(crypto::hash(hash, {string}).reveal());
  if (suite == Suite::x25519_sha512) gen_str_hash.resize(32);
  intermediates.expect("gen_str_hash", gen_str_hash);
  if (suite == Suite::x25519_sha512) {
    gen_str_hash.back() &= 0x7fU;
    intermediates.expect("decoded_field_element", gen_str_hash);
  }
  if (const auto* const u = std::get_if<crypto::X25519Point>(&g)) {
    intermediates.expect("g", u->reveal());
  } else {
    const auto& group = crypto::Group::get(crypto::GroupId::ristretto255);
    intermediates.expect("g", group.encode(std::get<crypto::Element>(g)).reveal());
  }
  return g;
}

/// What a mode of a run gives, by the public functions with the scalars as their randomness.
struct Outcome {
  Buffer Ta, Tb, isk, sid_output;
};

Outcome outcome(const Fields& entry, const SharedKey& a, const SharedKey& b, const Given& given, Bytes Ta, Bytes Tb) {
  entry.require(ct_equal(a.isk().reveal(), b.isk().reveal()), "the sides have different keys");
  entry.require(std::ranges::equal(a.sid_output(), b.sid_output()), "the sides have different sid_outputs");
  entry.require(std::ranges::equal(a.received_AD(), given.ADb), "A received another AD");
  entry.require(std::ranges::equal(b.received_AD(), given.ADa), "B received another AD");
  return {.Ta = to_buffer(Ta),
          .Tb = to_buffer(Tb),
          .isk = to_buffer(a.isk().reveal()),
          .sid_output = to_buffer(a.sid_output())};
}

Outcome run_initiator_responder(const Fields& entry, Suite suite, const Given& given, const Scalar& ya,
                                const Scalar& yb) {
  testing::FixedRng rng_a(to_buffer(ya.reveal())), rng_b(to_buffer(yb.reveal()));
  auto A = must(entry, initiate(given.inputs(suite), given.ADa, rng_a), "initiate");
  auto B = must(
      entry,
      respond(given.inputs(suite), GuessPermit::uncounted_for_study(), {.Y = A.Ya, .AD = given.ADa}, given.ADb, rng_b),
      "respond");
  const auto at_a = must(entry, std::move(A.next).finish({.Y = B.Yb, .AD = given.ADb}, B.Tb), "A's finish");
  const auto at_b = must(entry, std::move(B.next).finish(at_a.Ta), "B's finish");
  return outcome(entry, at_a.key, at_b, given, at_a.Ta, B.Tb);
}

Outcome run_symmetric(const Fields& entry, Suite suite, const Given& given, const Scalar& ya, const Scalar& yb) {
  testing::FixedRng rng_a(to_buffer(ya.reveal())), rng_b(to_buffer(yb.reveal()));
  const auto start = [&](Bytes AD, Rng& rng) {
    return must(entry, start_symmetric(given.inputs(suite), GuessPermit::uncounted_for_study(), AD, rng), "start");
  };
  auto a = start(given.ADa, rng_a), b = start(given.ADb, rng_b);
  auto from_a = must(entry, std::move(a.next).confirm({.Y = b.Y, .AD = given.ADb}), "A's confirm");
  auto from_b = must(entry, std::move(b.next).confirm({.Y = a.Y, .AD = given.ADa}), "B's confirm");
  const auto at_a = must(entry, std::move(from_a.next).finish(from_b.tag), "A's finish");
  const auto at_b = must(entry, std::move(from_b.next).finish(from_a.tag), "B's finish");
  return outcome(entry, at_a, at_b, given, from_a.tag, from_b.tag);
}

void check_tags(Fields& tags, Suite suite, const Given& given, const Outcome& outcome) {
  tags.expect("mac_key", compute_mac_key(suite, given.sid, ISK::copy_of(outcome.isk)).reveal());
  tags.expect("Ta", outcome.Ta);
  tags.expect("Tb", outcome.Tb);
}

/// A peer may send -y*g: another share, the same K.
void check_alternatives(Fields& alternatives, Suite suite, const Scalar& ya, const Scalar& yb, const Buffer& Ya,
                        const Buffer& Yb, Bytes K) {
  static_cast<void>(alternatives.text("note"));
  const auto check = [&](const std::string& name, const Buffer& Y, const Scalar& y) {
    const auto negative = alternatives.bytes(name);
    alternatives.require(negative != Y, name + " is the share itself");
    const auto& G = GroupEnvironment::get(suite);
    const auto secret = must(alternatives, G.scalar_mult_vfy(y, negative), name + " is refused");
    alternatives.require(ct_equal(secret.reveal(), K), name + " leads to another K");
  };
  check("Ya", Ya, yb);
  check("Yb", Yb, ya);
}

void check_run(Fields& entry) {
  static_cast<void>(entry.text("id"));
  const auto source = entry.text("source");
  const auto strings = strings_of_suite(entry);
  auto& inputs = entry.object("inputs");
  auto& intermediates = entry.object("intermediates");
  auto& outputs = entry.object("outputs");
  const auto in = given(inputs);
  const auto Ya = outputs.bytes("Ya"), Yb = outputs.bytes("Yb"), K = outputs.bytes("K");
  check_strings(intermediates, strings, in, {.Y = Ya, .AD = in.ADa}, {.Y = Yb, .AD = in.ADb}, K);
  if (!strings.suite) {
    for (const auto* name : {"ya", "yb"}) static_cast<void>(inputs.bytes(name));
    for (const auto* name : {"gen_str_hash", "g"}) static_cast<void>(intermediates.bytes(name));
    if (strings.DSI == "CPace448") static_cast<void>(intermediates.bytes("decoded_field_element"));
    for (const auto* name : {"ISK_IR", "ISK_SY", "sid_output_ir", "sid_output_oc"})
      static_cast<void>(outputs.bytes(name));
    entry.finish();
    entry.not_offered("suite", strings.name);
  }

  const auto suite = *strings.suite;
  const auto& G = GroupEnvironment::get(suite);
  const auto ya = scalar(inputs, "ya", suite), yb = scalar(inputs, "yb", suite);
  const auto string = generator_string(strings.DSI, in.PRS, in.CI, in.sid, strings.s_in_bytes);
  const auto g = check_generator(intermediates, suite, string.reveal());
  outputs.expect("Ya", must(entry, G.scalar_mult(ya, g), "ya * g"));
  outputs.expect("Yb", must(entry, G.scalar_mult(yb, g), "yb * g"));
  outputs.expect("K", must(entry, G.scalar_mult_vfy(ya, Yb), "ya * Yb").reveal());
  outputs.expect("K", must(entry, G.scalar_mult_vfy(yb, Ya), "yb * Ya").reveal());

  const auto ir = run_initiator_responder(entry, suite, in, ya, yb);
  outputs.expect("ISK_IR", ir.isk);
  outputs.expect("sid_output_ir", ir.sid_output);
  const auto symmetric = run_symmetric(entry, suite, in, ya, yb);
  outputs.expect("ISK_SY", symmetric.isk);
  outputs.expect("sid_output_oc", symmetric.sid_output);

  // The draft's own vectors of these curves have them.
  if (entry.has("alternatives") || (is_nist(suite) && source != "derived"))
    check_alternatives(entry.object("alternatives"), suite, ya, yb, Ya, Yb, K);
  auto& confirmation = entry.object("key_confirmation");
  static_cast<void>(confirmation.text("source"));
  const auto bits = 8 * crypto::output_size(parameters(suite).hash);
  confirmation.require(confirmation.text("MAC") == "HMAC-SHA" + std::to_string(bits), "another MAC");
  check_tags(confirmation.object("initiator_responder"), suite, in, ir);
  check_tags(confirmation.object("symmetric"), suite, in, symmetric);
}

// --- What must be refused, and what must not.

void check_scalar_mult_vfy(Fields& entry) {
  const auto strings = strings_of_suite(entry);
  static_cast<void>(entry.text("id"));
  static_cast<void>(entry.text("source"));
  if (entry.has("what")) static_cast<void>(entry.text("what"));
  const auto X = entry.bytes("X");
  const auto kind = entry.text("kind");
  entry.require(kind == "valid" || kind == "invalid", "kind is neither valid nor invalid");
  if (!strings.suite) {
    static_cast<void>(entry.bytes("s"));
    if (kind == "valid") static_cast<void>(entry.bytes("result"));
    entry.expect("must_abort", kind == "invalid");
    entry.finish();
    entry.not_offered("suite", strings.name);
  }
  const auto suite = *strings.suite;
  const auto s = scalar(entry, "s", suite);

  const auto K = GroupEnvironment::get(suite).scalar_mult_vfy(s, X);
  entry.require(K.has_value() == (kind == "valid"), "scalar_mult_vfy says otherwise");
  const Buffer identity(32);
  if (K || entry.has("result")) entry.expect("result", K ? K->reveal() : Bytes(identity));

  testing::FixedRng rng(to_buffer(s.reveal()));
  const auto response = respond({.suite = suite, .PRS = as_bytes("any")}, GuessPermit::uncounted_for_study(),
                                {.Y = X, .AD = {}}, {}, rng);
  entry.expect("must_abort", !response.has_value());
}

void check_reflection(const Sections& file, Fields& entry) {
  const auto suite = offered_suite(entry);
  static_cast<void>(entry.text("what"));
  static_cast<void>(entry.text("rule"));
  const auto& base = file.entry("vectors", entry.text("base"));
  Fields inputs(base.at("inputs"), "inputs of the base");
  const auto in = given(inputs);
  const auto who = entry.text("who");
  entry.require(who == "A" || who == "B", "who is neither A nor B");
  const auto y = to_buffer(scalar(inputs, who == "A" ? "ya" : "yb", suite).reveal());
  const auto Y = entry.bytes("received_share"), AD = entry.bytes("received_AD");
  const Share received = {.Y = Y, .AD = AD};
  const auto& own_AD = who == "A" ? in.ADa : in.ADb;
  entry.require(AD == own_AD, "the AD is not its own");

  // Without confirmation, since no tag that the peer could know would verify anyway.
  testing::FixedRng rng(y), symmetric_rng(y);
  auto start = must(entry, start_symmetric(in.inputs(suite), GuessPermit::uncounted_for_study(), own_AD, symmetric_rng),
                    "start");
  entry.require(start.Y == Y, "the share is not its own");
  const auto symmetric = std::move(start.next).finish_without_confirmation_peer_unproven(received);
  entry.expect("must_abort", !symmetric.has_value());
  if (who == "A") {
    auto A = must(entry, initiate(in.inputs(suite), own_AD, rng), "initiate");
    entry.expect("must_abort", !std::move(A.next).finish_without_confirmation_peer_unproven(received).has_value());
  } else {
    const auto B = respond_without_confirmation_peer_unproven(in.inputs(suite), GuessPermit::uncounted_for_study(),
                                                              received, own_AD, rng);
    entry.expect("must_abort", !B.has_value());
  }
}

void check_wire(Fields& entry) {
  const auto suite = offered_suite(entry);
  static_cast<void>(entry.text("what"));
  const auto message = entry.bytes("message");
  const auto share = decode(suite, message);
  entry.expect("parses", share.has_value());
  if (!share) return;
  entry.expect("Y", share->Y);
  entry.expect("AD", share->AD);
  entry.require(encode(*share) == message, "it is encoded in another way");
}

}  // namespace

void check_cpace(Sections& file) {
  file.each("string_functions", check_string_function);
  file.each("vectors", check_run);
  file.each("scalar_mult_vfy", check_scalar_mult_vfy);
  file.each("reflection", [&](Fields& entry) { check_reflection(file, entry); });
  file.each("wire", check_wire);
}

}  // namespace pake::vectors
