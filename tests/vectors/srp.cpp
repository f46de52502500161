// srp.json: SRP-6a by the conventions of its peers, SRP-3, and RFC 2945's interleaved hash. srp_deployed.json has the
// same layout and the modes of single deployments.
#include "pake/proto/srp/srp.h"

#include <algorithm>
#include <array>
#include <vector>

#include "pake/testing/fixed_rng.h"
#include "sheet.h"
#include "srp/key_schedule.h"

namespace pake::vectors {
namespace {

using namespace srp;
using crypto::HashId;

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

struct GroupName {
  const char* bits;
  Group group;
  std::uint64_t generator;
};
constexpr std::array<GroupName, 7> kGroups = {{{"1024", Group::bits_1024_weak, 2},
                                               {"1536", Group::bits_1536_weak, 2},
                                               {"2048", Group::bits_2048, 2},
                                               {"3072", Group::bits_3072, 5},
                                               {"4096", Group::bits_4096, 5},
                                               {"6144", Group::bits_6144, 5},
                                               {"8192", Group::bits_8192, 19}}};

Group group_of(Fields& entry) {
  const auto bits = std::to_string(entry.number("group_bits"));
  for (const auto& [name, group, generator] : kGroups)
    if (bits == name) return group;
  entry.not_offered("group", bits);
}

HashId hash_of(Fields& entry) {
  const auto name = entry.text("hash");
  if (name == "sha1") return HashId::sha1;
  if (name == "sha256") return HashId::sha256;
  if (name == "sha384") return HashId::sha384;
  if (name == "sha512") return HashId::sha512;
  entry.not_offered("hash", name);
}

Mode mode_of(Fields& entry) {
  const auto name = entry.text("mode");
  if (name == "rfc5054") return Mode::rfc5054;
  if (name == "pysrp") return Mode::pysrp;
  if (name == "pysrp-rfc5054") return Mode::pysrp_rfc5054;
  if (name == "homekit") return Mode::homekit;
  if (name == "no-username") return Mode::no_username;
  if (name == "rfc2945-srp3") return Mode::rfc2945_insecure;
  if (name == "cognito") return Mode::cognito;
  if (name == "proton") return Mode::proton;
  if (name == "fast-srp-hap") return Mode::fast_srp_hap;
  if (name == "secure-remote-password") return Mode::secure_remote_password;
  entry.not_offered("mode", name);
}

/// A number in the form that the file shows.
void expect_padded(Fields& fields, const std::string& name, Bytes number, std::size_t size) {
  fields.expect(name, PAD(number, size).reveal());
}
/// The same of what is sent and stored, which has the mode's order.
void expect_sent(Fields& fields, const std::string& name, const Parameters& parameters, Bytes number) {
  fields.expect(name, number_of(parameters, number).reveal());
}

void check_vector(Fields& entry) {
  read_labels(entry);
  const Parameters parameters = {.mode = mode_of(entry), .group = group_of(entry), .hash = hash_of(entry)};
  entry.require(is_valid(parameters), "mode, group and hash do not go together");
  const auto scheme = convention(parameters.mode).scheme;
  const bool is_srp3 = scheme == Scheme::srp3, is_cognito = scheme == Scheme::cognito;
  auto& inputs = entry.object("inputs");
  auto& intermediate = entry.object("intermediate");
  auto& messages = entry.object("messages");
  auto& outputs = entry.object("outputs");
  const auto I = inputs.bytes("I"), P = inputs.bytes("P"), s = inputs.bytes("s");
  const auto a = inputs.bytes("a"), b = inputs.bytes("b");
  const auto wanted_S = outputs.bytes("S");
  const auto size = group_size(parameters.group);

  if (!is_srp3) intermediate.expect("k", MIN(compute_k(parameters).reveal()));
  const auto x = compute_x(parameters, I, P, s);
  intermediate.expect("x", MIN(x.reveal()));
  const auto verifier = must(entry, Verifier::make(parameters, I, P, s), "no verifier");
  expect_sent(intermediate, "v", parameters, verifier.v());

  auto client = must(entry, start_with(parameters, I, P, SecretBuffer::copy_of(a)), "the client's start");
  expect_sent(messages, "A", parameters, client.A);
  auto server = must(entry, respond_with(verifier, I, permit(), client.A, SecretBuffer::copy_of(b)), "the server");
  expect_sent(messages, "B", parameters, server.B);
  const auto u =
      compute_u(parameters, number_of(parameters, client.A).reveal(), number_of(parameters, server.B).reveal());
  intermediate.expect("u", MIN(u.reveal()));
  const auto block = is_cognito ? inputs.bytes("SECRET_BLOCK") : Buffer();
  const auto time = is_cognito ? inputs.bytes("TIMESTAMP") : Buffer();
  const Claim claim = {.SECRET_BLOCK = block, .TIMESTAMP = time};
  auto proof = must(entry,
                    is_cognito ? std::move(client.next).prove(server.s, server.B, claim)
                               : std::move(client.next).prove(server.s, server.B),
                    "the client's proof");
  messages.expect("M1", proof.M1);
  const auto at_server =
      must(entry, is_cognito ? std::move(server.next).finish(proof.M1, claim) : std::move(server.next).finish(proof.M1),
           "the server's finish");
  if (!is_cognito) messages.expect("M2", at_server.M2);
  const auto at_client = must(entry,
                              is_cognito ? std::move(proof.next).finish_without_confirmation_peer_unproven()
                                         : std::move(proof.next).finish(at_server.M2),
                              "the client's finish");
  for (const auto* keys : {&at_server.keys, &at_client}) {
    outputs.expect("K", keys->K.reveal());
    const auto form = scheme == Scheme::proton ? Form::reversed : Form::MIN;
    expect_padded(outputs, "S", number_of(parameters, keys->premaster.reveal()).reveal(), size);
    entry.require(std::ranges::equal(octets(form, wanted_S, size).reveal(), keys->premaster.reveal()),
                  "the premaster secret has another form");
  }

  // Where A comes with M1, all is the same.
  auto early = challenge_with(verifier, I, permit(), SecretBuffer::copy_of(b));
  entry.require(early.has_value() != (is_srp3 || is_cognito), "B before A");
  if (!early) return;
  const auto finished = must(entry, std::move(early->next).finish(client.A, proof.M1), "the server's finish");
  entry.require(finished.M2 == at_server.M2, "another M2");
}

void check_interleave(Fields& entry) {
  read_labels(entry);
  entry.require(hash_of(entry) == HashId::sha1, "another hash than SHA-1");
  entry.expect("K", sha_interleave(entry.bytes("S")).reveal());
}

constexpr std::array kModes = {Mode::rfc5054, Mode::pysrp, Mode::pysrp_rfc5054, Mode::homekit, Mode::no_username};

void check_bad_share(Fields& entry, const std::string& role, Group group) {
  const auto share = entry.bytes(role == "server" ? "A" : "B");
  const auto hash = entry.has("hash") ? hash_of(entry) : HashId::sha256;
  auto modes = std::vector(kModes.begin(), kModes.end());
  if (entry.has("mode")) modes = {mode_of(entry)};
  for (const auto mode : modes) {
    testing::SeededRng rng(1);
    const Parameters parameters = {.mode = mode, .group = group, .hash = hash};
    if (role == "client") {
      auto client = must(entry, start(parameters, as_bytes("I"), as_bytes("P"), rng), "start");
      entry.require(!std::move(client.next).prove(as_bytes("salt"), share), "the client takes it");
      continue;
    }
    const auto verifier = must(entry, Verifier::make(parameters, as_bytes("I"), as_bytes("P"), rng), "no verifier");
    entry.require(!respond(verifier, as_bytes("I"), permit(), share, rng), "the server takes it");
    auto early = must(entry, challenge(verifier, as_bytes("I"), permit(), rng), "challenge");
    // The M1 of S = 0, which whoever sends 0 knows.
    const auto K = compute_K(parameters, {}, {});
    const auto M1 = compute_M1(parameters, as_bytes("I"), verifier.s(), share, early.B, K.reveal());
    entry.require(!std::move(early.next).finish(share, M1.reveal()), "the server takes it behind B");
  }
}

/// Another M1 at the server, or another M2 at the client, than the base has.
void check_bad_proof(const Sections& file, Fields& entry, const std::string& role) {
  const auto proof = entry.bytes(role == "server" ? "M1" : "M2");
  const auto& base = file.entry("vectors", entry.text("base"));
  Fields vector(base, "the base");
  auto& inputs = vector.object("inputs");
  const Parameters parameters = {.mode = mode_of(vector), .group = group_of(vector), .hash = hash_of(vector)};
  const auto I = inputs.bytes("I");
  auto& messages = vector.object("messages");
  if (role == "client") {
    auto client = must(entry, start_with(parameters, I, inputs.bytes("P"), SecretBuffer::copy_of(inputs.bytes("a"))),
                       "the client");
    auto proven =
        must(entry, std::move(client.next).prove(inputs.bytes("s"), messages.bytes("B")), "the client's proof");
    return entry.require(!std::move(proven.next).finish(proof), "the client takes it");
  }
  const auto verifier = must(entry, Verifier::make(parameters, I, inputs.bytes("P"), inputs.bytes("s")), "no verifier");
  auto server =
      must(entry, respond_with(verifier, I, permit(), messages.bytes("A"), SecretBuffer::copy_of(inputs.bytes("b"))),
           "the server");
  entry.require(!std::move(server.next).finish(proof), "the server takes it");
}

void check_reject(const Sections& file, Fields& entry) {
  read_labels(entry);
  expect_reject(entry);
  const auto role = entry.text("role");
  entry.require(role == "server" || role == "client", "role is neither server nor client");
  if (entry.has("base")) return check_bad_proof(file, entry, role);
  check_bad_share(entry, role, group_of(entry));
}

void check_groups(Fields& entry) {
  for (const auto& [bits, group, generator] : kGroups) {
    if (!entry.has(bits)) continue;
    auto& fields = entry.object(bits);
    fields.expect("N", modular(group).modulus());
    fields.require(fields.number("g") == generator && srp::generator({.group = group}).reveal().back() == generator,
                   "another g");
  }
}

}  // namespace

void check_srp(Sections& file) {
  ignore_labels(file);
  file.one("groups", check_groups);
  file.each("vectors", check_vector);
  file.each("sha_interleave", check_interleave);
  file.each("reject", [&](Fields& entry) { check_reject(file, entry); });
}

}  // namespace pake::vectors
