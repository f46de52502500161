// Any bytes are a stored record, a record of some suite, or a prover's secret in exactly one way, or none. The first
// byte picks the suite, and whether the bytes are given the header of a stored record.
#include <algorithm>

#include "pake/proto/spake2plus/registration.h"
#include "require.h"

using namespace pake;
using namespace pake::spake2plus;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto suite = decode_suite(static_cast<std::uint8_t>(data[0] % 16));
  if (!suite) return 0;
  Buffer input(data + 1, data + size);

  if (const auto record = VerifierRecord::decode(*suite, input))
    fuzz::require(std::ranges::equal(record->encode().reveal(), input));
  if (const auto secret = ProverSecret::decode(*suite, input)) {
    fuzz::require(std::ranges::equal(secret->encode().reveal(), input));
    fuzz::require(VerifierRecord::decode(*suite, secret->verifier_record().encode().reveal()).has_value());
  }
  if (data[0] >= 128) {
    const Buffer header = {'p', 'a', 'k', 'e', 3, 1, static_cast<std::uint8_t>(*suite), 0, 0, 0, 0, 1};
    input.insert(input.begin(), header.begin(), header.end());
  }
  if (const auto stored = StoredVerifierRecord::decode(input))
    fuzz::require(std::ranges::equal(stored->encode().reveal(), input));
  return 0;
}
