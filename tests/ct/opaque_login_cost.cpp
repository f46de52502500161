// One login as a server answers it, of a user or of nobody: opaque_login_cost real|fake. opaque_login_cost.py counts
// the instructions of `answer`.
#include <cstdlib>
#include <optional>
#include <string_view>

#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "pake/proto/opaque/stored.h"
#include "pake/testing/fixed_rng.h"

using namespace pake;
using namespace pake::opaque;

namespace {

constexpr auto kSuite = SuiteId::ristretto255;
constexpr std::string_view kName = "user 4711";

Buffer enroll(const KeyHolder& keys, Rng& rng) {
  auto started =
      ClientRegistration(kSuite, SecretBuffer::copy_of(as_bytes("x"))).create_registration_request(rng).value();
  const auto response = create_registration_response(started.registration_request, keys, as_bytes(kName),
                                                     GuessPermit::uncounted_for_study())
                            .value();
  const auto finished =
      std::move(started.next)
          .finalize_registration_request(response, {.ksf = crypto::IdentityWithoutAnyProtection{}}, rng)
          .value();
  return StoredRecord{.suite = kSuite,
                      .ksf = crypto::kDefaultKsfProfile,
                      .epoch = 1,
                      .record = RegistrationRecord::decode(kSuite, finished.record).value()}
      .encode();
}

}  // namespace

/// From the store's answer and KE1 to the end of a login whose KE3 is wrong.
[[gnu::noinline]] bool answer(const KeyRing& ring, std::optional<Bytes> stored, Bytes ke1, Rng& rng);
bool answer(const KeyRing& ring, std::optional<Bytes> stored, Bytes ke1, Rng& rng) {
  const auto user = ring.credential(kSuite, stored).value();
  auto answered = ServerLogin(kSuite, GuessPermit::uncounted_for_study())
                      .generate_ke2(ke1, {.record = user.record.record, .credential_identifier = as_bytes(kName)},
                                    *user.keys->in_memory(), rng)
                      .value();
  return std::move(answered.next).server_finish(Buffer(sizes(kSuite).KE3())).has_value();
}

int main(int argc, char** argv) {
  if (argc != 2) return EXIT_FAILURE;
  testing::SeededRng rng(1);
  KeyRing ring;
  if (!ring.add(StoredKeys::generate(kSuite, crypto::kDefaultKsfProfile, 1, rng).value()) || !ring.activate(1))
    return EXIT_FAILURE;
  const auto record = enroll(*ring.current(kSuite)->keys, rng);
  const auto ke1 = ClientLogin(kSuite, SecretBuffer::copy_of(as_bytes("y"))).generate_ke1(rng)->ke1;
  const auto stored = std::string_view(argv[1]) == "real" ? std::optional<Bytes>(record) : std::nullopt;
  return answer(ring, stored, ke1, rng) ? EXIT_FAILURE : EXIT_SUCCESS;
}
