// One login as a server of two epochs answers it: opaque_login_cost CASE, of kCases. opaque_login_cost.py counts the
// instructions of `answer`.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "pake/proto/opaque/stored.h"
#include "pake/testing/fixed_rng.h"

using namespace pake;
using namespace pake::opaque;

namespace {

constexpr auto kSuite = SuiteId::ristretto255;
constexpr std::string_view kCases[] = {"real-1", "real-2", "fake-1", "fake-2", "lost"};

constexpr RecordParameters parameters(EpochNumber epoch) {
  return {.epoch = epoch, .suite = kSuite, .ksf = crypto::kDefaultKsfProfile};
}

/// A name whose fake is of this epoch; all have one length.
std::string name_in(const KeyRing& ring, EpochNumber epoch) {
  for (int i = 1000;; ++i) {
    auto name = "user " + std::to_string(i);
    if (ring.credential(as_bytes(name), std::nullopt)->record.epoch == epoch) return name;
  }
}

Buffer enroll(const KeyRing& ring, EpochNumber epoch, std::string_view name, Rng& rng) {
  const auto& keys = *ring.find(kSuite, epoch)->keys;
  auto started =
      ClientRegistration(kSuite, SecretBuffer::copy_of(as_bytes("x"))).create_registration_request(rng).value();
  const auto response = create_registration_response(started.registration_request, keys, as_bytes(name),
                                                     GuessPermit::uncounted_for_study())
                            .value();
  const auto finished =
      std::move(started.next)
          .finalize_registration_request(response, {.ksf = crypto::IdentityWithoutAnyProtection{}}, rng)
          .value();
  return StoredRecord{.suite = kSuite,
                      .ksf = crypto::kDefaultKsfProfile,
                      .epoch = epoch,
                      .record = RegistrationRecord::decode(kSuite, finished.record).value()}
      .encode();
}

}  // namespace

/// From the store's answer and KE1 to the end of a login whose KE3 is wrong.
[[gnu::noinline]] bool answer(const KeyRing& ring, Bytes name, std::optional<Bytes> stored, Bytes ke1, Rng& rng);
bool answer(const KeyRing& ring, Bytes name, std::optional<Bytes> stored, Bytes ke1, Rng& rng) {
  const auto user = ring.credential(name, stored).value();
  auto answered = ServerLogin(kSuite, GuessPermit::uncounted_for_study())
                      .generate_ke2(ke1, {.record = user.record.record, .credential_identifier = name},
                                    *user.keys->in_memory(), rng)
                      .value();
  return std::move(answered.next).server_finish(Buffer(sizes(kSuite).KE3())).has_value();
}

int main(int argc, char** argv) {
  if (argc != 2) return EXIT_FAILURE;
  const auto at = std::ranges::find(kCases, std::string_view(argv[1]));
  if (at == std::end(kCases)) return EXIT_FAILURE;
  testing::SeededRng rng(1);
  KeyRing ring(FakeKey::make([&](MutableBytes out) { rng.fill(out); }));
  for (const EpochNumber epoch : {1U, 2U}) {
    if (!ring.add(StoredKeys::generate(kSuite, crypto::kDefaultKsfProfile, epoch, rng).value())) return EXIT_FAILURE;
    if (!ring.activate(parameters(epoch))) return EXIT_FAILURE;
  }
  if (!ring.set_shares(crypto::with_share(ring.shares(), parameters(2), crypto::kWholeShare / 2))) return EXIT_FAILURE;

  // Whatever the case, the same work before: `answer` finds caches and heap alike.
  const auto first = name_in(ring, 1), second = name_in(ring, 2);
  const auto of_first = enroll(ring, 1, first, rng), of_second = enroll(ring, 2, first, rng);
  auto lost = StoredRecord::decode(of_first).value();
  lost.epoch = 9;
  const auto of_lost = lost.encode();
  const std::optional<Bytes> found[] = {of_first, of_second, std::nullopt, std::nullopt, of_lost};
  const auto number = at - std::begin(kCases);
  const auto ke1 = ClientLogin(kSuite, SecretBuffer::copy_of(as_bytes("y"))).generate_ke1(rng)->ke1;
  const auto& name = number == 3 ? second : first;
  return answer(ring, as_bytes(name), found[number], ke1, rng) ? EXIT_FAILURE : EXIT_SUCCESS;
}
