// Whole OPAQUE runs, registration and login, client and server, in every suite: password, blinds, seeds and long-term
// keys, and everything that follows from them, are secret until a message is sent.
#include <array>
#include <cstdio>
#include <cstdlib>

#include "backends.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "secrets.h"

namespace {

using namespace pake;
using namespace pake::opaque;

constexpr std::array kSuites = {SuiteId::ristretto255, SuiteId::ristretto255_curve25519, SuiteId::p256, SuiteId::p384,
                                SuiteId::p521};
const crypto::KsfParameters kIdentity = crypto::IdentityWithoutAnyProtection{};

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "error: %s\n", what);
  std::exit(EXIT_FAILURE);
}

template <class T>
T must(Result<T> result) {
  require(result.has_value(), "a step failed that cannot fail here");
  return std::move(*result);
}

SecretBuffer password(std::string_view text) { return SecretBuffer::copy_of(ct::secret(as_bytes(text))); }

class Run {
 public:
  Run(SuiteId suite, Rng& rng) : suite_(suite), rng_(rng), keys_(must(ServerKeys::generate(suite, rng))) {}

  /// The record as the server stores it: masking_key is still secret.
  Buffer enroll() {
    auto started = must(ClientRegistration(suite_, password("correct horse")).create_registration_request(rng_));
    const auto response = must(create_registration_response(started.registration_request, keys_, as_bytes("1234"),
                                                            GuessPermit::uncounted_for_study()));
    require(!ct::is_secret(started.registration_request) && !ct::is_secret(response), "what is sent is public");
    auto finished = must(std::move(started.next)
                             .finalize_registration_request(
                                 response, {.identities = {.client = as_bytes("alice")}, .ksf = kIdentity}, rng_));
    require(ct::is_secret(finished.export_key.reveal()), "the export key is secret");
    return std::move(finished.record);
  }

  void log_in(const RegistrationRecord& record, std::string_view guess, bool accepted) {
    auto started = must(ClientLogin(suite_, password(guess)).generate_ke1(rng_));
    auto answered = must(ServerLogin(suite_, GuessPermit::uncounted_for_study())
                             .generate_ke2(started.ke1,
                                           {.record = record,
                                            .credential_identifier = as_bytes("1234"),
                                            .context = as_bytes("context"),
                                            .identities = {.client = as_bytes("alice")}},
                                           keys_, rng_));
    require(!ct::is_secret(started.ke1) && !ct::is_secret(answered.ke2), "what is sent is public");
    auto finished = std::move(started.next)
                        .generate_ke3(answered.ke2, {.context = as_bytes("context"),
                                                     .identities = {.client = as_bytes("alice")},
                                                     .ksf = kIdentity});
    require(finished.has_value() == accepted, "the right password was refused, or a wrong one was not");
    if (!finished) {
      require(!std::move(answered.next).server_finish(Buffer(sizes(suite_).KE3())), "zeros were taken for KE3");
      return;
    }
    require(!ct::is_secret(finished->ke3), "what is sent is public");
    const auto at_server = must(std::move(answered.next).server_finish(finished->ke3));
    require(ct_equal(finished->session_key.reveal(), at_server.reveal()), "the sides have different keys");
    require(ct::is_secret(at_server.reveal()) && ct::is_secret(finished->session_key.reveal()), "the key is secret");
    require(ct::is_secret(finished->export_key.reveal()), "the export key is secret");
  }

 private:
  SuiteId suite_;
  Rng& rng_;
  ServerKeys keys_;
};

}  // namespace

int main() {
  ct::SecretRng rng(1);
  const auto run_suite = [&](SuiteId suite) {
    Run run(suite, rng);
    const auto record = must(RegistrationRecord::decode(suite, run.enroll()));
    run.log_in(record, "correct horse", true);
    run.log_in(record, "a guess", false);
    run.log_in(must(fake_record(suite, rng)), "correct horse", false);
  };
  for (const auto suite : kSuites) {
    if (suite == SuiteId::ristretto255)
      ct::for_each_ristretto255_backend([&] { run_suite(suite); });
    else
      run_suite(suite);
  }
}
