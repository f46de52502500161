// Whole runs of SPAKE2+, SPAKE2, magic-wormhole's, SRP-6a and EAP-EKE: passwords, stored records, exponents and
// everything that follows from them are secret until they are sent.
#include <array>
#include <cstdio>
#include <cstdlib>

#include "pake/proto/eap_eke/eap_eke.h"
#include "pake/proto/spake2/spake2.h"
#include "pake/proto/spake2/wormhole.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/verifier.h"
#include "pake/proto/srp/srp.h"
#include "secrets.h"

namespace {

using namespace pake;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "error: %s\n", what);
  std::exit(EXIT_FAILURE);
}

template <class T, class E>
T must(std::expected<T, E> result) {
  require(result.has_value(), "a step failed that cannot fail here");
  return std::move(*result);
}

GuessPermit permit() { return GuessPermit::uncounted_for_study(); }

void run_spake2plus(spake2plus::Suite suite, Rng& rng) {
  using namespace spake2plus;
  const auto secret = must(
      ProverSecret::from_pbkdf_output(suite, ct::secret(Buffer(2 * parameters(suite).half_size, std::uint8_t{7}))));
  const auto record = secret.verifier_record();
  const Inputs inputs = {.Context = as_bytes("Context"), .identities = {.prover = as_bytes("client")}};
  auto prover = must(start(inputs, secret, rng));
  auto verifier = must(respond(inputs, record, permit(), prover.shareP, rng));
  require(!ct::is_secret(prover.shareP) && !ct::is_secret(verifier.shareV) && !ct::is_secret(verifier.confirmV),
          "what is sent is public");
  const auto at_prover = must(std::move(prover.next).finish(verifier.shareV, verifier.confirmV));
  const auto K_shared = must(std::move(verifier.next).finish(at_prover.confirmP));
  require(ct_equal(K_shared.reveal(), at_prover.K_shared.reveal()), "the sides have different keys");
  require(ct::is_secret(K_shared.reveal()), "the key of secrets is secret");
  static_cast<void>(VerifierRecord::fake(suite, ct::secret(Buffer(32)), as_bytes("name")));
}

void run_spake2(spake2::Suite suite, Rng& rng) {
  using namespace spake2;
  const auto w = must(PasswordScalar::from_mhf_output(suite, ct::secret(Buffer(74, std::uint8_t{7}))));
  auto a = must(initiate({}, w, rng));
  auto b = must(respond({}, w, permit(), a.pA, rng));
  require(!ct::is_secret(a.pA) && !ct::is_secret(b.pB) && !ct::is_secret(b.cB), "what is sent is public");
  const auto at_a = must(std::move(a.next).finish(b.pB, b.cB));
  const auto Ke = must(std::move(b.next).finish(at_a.cA));
  require(ct_equal(Ke.reveal(), at_a.Ke.reveal()), "the sides have different keys");
  require(ct::is_secret(Ke.reveal()), "the key of secrets is secret");
}

void run_wormhole(Rng& rng) {
  using namespace spake2::wormhole;
  const auto code = ct::secret(as_bytes("4-purple-sausages"));
  auto one = must(start(Side::symmetric, code, {}, permit(), rng));
  auto two = must(start(Side::symmetric, code, {}, permit(), rng));
  const auto key = must(std::move(one.next).finish_without_confirmation_peer_unproven(two.message));
  require(ct::is_secret(key.key.reveal()), "the key of secrets is secret");
}

void run_srp(const srp::Parameters& parameters, Rng& rng) {
  using namespace srp;
  const auto P = ct::secret(as_bytes("password123"));
  const auto verifier = must(Verifier::make(parameters, as_bytes("alice"), P, as_bytes("a public salt")));
  auto client = must(start(parameters, as_bytes("alice"), P, rng));
  auto server = must(respond(verifier, as_bytes("alice"), permit(), client.A, rng));
  auto proof = must(std::move(client.next).prove(server.s, server.B));
  require(!ct::is_secret(client.A) && !ct::is_secret(server.B) && !ct::is_secret(proof.M1), "what is sent is public");
  auto finished = must(std::move(server.next).finish(proof.M1));
  const auto keys = must(std::move(proof.next).finish(finished.M2));
  require(ct_equal(keys.K.reveal(), finished.keys.K.reveal()), "the sides have different keys");
  require(ct::is_secret(keys.K.reveal()), "the key of secrets is secret");
}

void run_srp_of_cognito(Rng& rng) {
  using namespace srp;
  const Parameters parameters = {.mode = Mode::cognito, .group = Group::bits_3072, .hash = crypto::HashId::sha256};
  const Claim claim = {.SECRET_BLOCK = as_bytes("block"), .TIMESTAMP = as_bytes("now")};
  const auto P = ct::secret(as_bytes("password123"));
  const auto verifier = must(Verifier::make(parameters, as_bytes("alice"), P, as_bytes("a public salt")));
  auto client = must(start(parameters, as_bytes("alice"), P, rng));
  auto server = must(respond(verifier, as_bytes("alice"), permit(), client.A, rng));
  auto proof = must(std::move(client.next).prove(server.s, server.B, claim));
  require(!ct::is_secret(proof.M1), "what is sent is public");
  const auto finished = must(std::move(server.next).finish(proof.M1, claim));
  require(ct::is_secret(finished.keys.K.reveal()), "the key of secrets is secret");
}

void run_eap_eke(Rng& rng) {
  using namespace eap_eke;
  const Config config = {.proposals = {{.group = Group::eke_2_weak}}, .identity = {.value = {'x'}}};
  const auto password = ct::secret(as_bytes("secret"));
  auto server = must(start(config, 1));
  auto answer = must(must(AwaitingIdRequest::make(config, password)).receive(server.packet));
  auto named = must(std::move(server.next).receive(answer.packet));
  auto commit = must(std::move(named.next).commit(password, permit(), rng));
  auto committed = must(std::move(answer.next).receive(commit.packet, permit(), rng));
  auto confirm = must(std::move(commit.next).receive(committed.packet, rng));
  require(!ct::is_secret(commit.packet) && !ct::is_secret(committed.packet) && !ct::is_secret(confirm.packet),
          "what is sent is public");
  auto finished = must(std::move(committed.next).receive(confirm.packet, rng));
  const auto keys = must(std::move(confirm.next).receive(finished.packet));
  require(ct_equal(keys.MSK.reveal(), finished.keys.MSK.reveal()), "the sides have different keys");
  require(ct::is_secret(keys.MSK.reveal()), "the key of secrets is secret");
}

}  // namespace

int main() {
  ct::SecretRng rng(1);
  {
    using spake2plus::Suite;
    for (const auto suite : {Suite::p256_sha256_hmac, Suite::p384_sha256_hmac, Suite::p521_sha512_hmac,
                             Suite::edwards25519_sha256_hmac, Suite::p256_sha256_cmac, Suite::p256_sha256_draft02})
      run_spake2plus(suite, rng);
  }
  {
    using spake2::Suite;
    for (const auto suite : {Suite::p256_sha256_hmac, Suite::p384_sha256_hmac, Suite::p521_sha512_hmac,
                             Suite::edwards25519_sha256_hmac, Suite::p256_sha256_cmac})
      run_spake2(suite, rng);
  }
  run_wormhole(rng);
  for (const auto mode : {srp::Mode::rfc5054, srp::Mode::pysrp, srp::Mode::homekit, srp::Mode::no_username})
    run_srp({.mode = mode, .group = srp::Group::bits_1024_weak}, rng);
  run_srp({.mode = srp::Mode::fast_srp_hap, .group = srp::Group::bits_1024_weak, .hash = crypto::HashId::sha1}, rng);
  run_srp({.mode = srp::Mode::secure_remote_password, .group = srp::Group::bits_2048}, rng);
  run_srp({.mode = srp::Mode::proton, .group = srp::Group::bits_2048, .hash = crypto::HashId::sha512}, rng);
  run_srp_of_cognito(rng);
  run_srp({.mode = srp::Mode::rfc2945_insecure, .group = srp::Group::bits_1024_weak, .hash = crypto::HashId::sha1},
          rng);
  run_eap_eke(rng);
}
