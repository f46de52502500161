// Any bytes are a stored record or stored keys in exactly one way, or neither; what a key ring makes of them is usable.
// The first byte says whether what follows is given the header and the length of one.
#include "pake/proto/opaque/stored.h"

#include <algorithm>

#include "pake/testing/fixed_rng.h"
#include "require.h"

using namespace pake;
using namespace pake::opaque;

namespace {

const auto kName = as_bytes("1234");

void check_ring(StoredKeys keys) {
  const RecordParameters parameters{.epoch = keys.epoch, .suite = keys.keys.suite(), .ksf = keys.ksf};
  KeyRing ring{FakeKey()};
  fuzz::require(ring.add(std::move(keys)) && ring.activate(parameters));
  fuzz::require(ring.credential(kName, std::nullopt)->record.epoch == parameters.epoch);
}

const KeyRing& fixed_ring() {
  static const auto ring = [] {
    testing::SeededRng rng(1);
    KeyRing made{FakeKey()};
    for (const auto suite : {SuiteId::ristretto255, SuiteId::p256}) {
      fuzz::require(made.add(*StoredKeys::generate(suite, crypto::KsfProfile::small, 1, rng)).has_value());
      fuzz::require(made.activate({.epoch = 1, .suite = suite, .ksf = crypto::KsfProfile::small}).has_value());
    }
    return made;
  }();
  return ring;
}

/// The input as it came, or as the body of a record (1) or of keys (2), whose suite and profile it begins with.
Buffer shaped(const std::uint8_t* data, std::size_t size) {
  Buffer input(data + 1, data + size);
  const auto kind = static_cast<std::uint8_t>(data[0] % 3);
  if (kind == 0 || input.size() < 2) return input;
  input[0] = static_cast<std::uint8_t>(1 + input[0] % 5);
  input[1] = static_cast<std::uint8_t>(1 + input[1] % 4);
  const auto suite = *decode_suite_id(input[0]);
  const Buffer start = {'p', 'a', 'k', 'e', kind, 1};
  input.insert(input.begin(), start.begin(), start.end());
  input.resize(kind == 1 ? StoredRecord::size(suite) : StoredKeys::size(suite));
  return input;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto input = shaped(data, size);
  const auto record = StoredRecord::decode(input);
  if (record) {
    fuzz::require(input.size() == StoredRecord::size(record->suite));
    fuzz::require(std::ranges::equal(record->encode(), input));
  }
  // Whatever the store gives is answered, and what is no record of the ring's keys is answered as nothing is.
  const auto answered = fixed_ring().credential(kName, input);
  const bool has_keys = record && record->epoch == 1 && fixed_ring().find(record->suite, 1) != nullptr;
  fuzz::require(answered.has_value() && (answered->found == Found::record) == has_keys);
  const auto expected = has_keys ? record->encode() : fixed_ring().credential(kName, std::nullopt)->record.encode();
  fuzz::require(std::ranges::equal(answered->record.encode(), expected));
  auto keys = StoredKeys::decode(input);
  if (keys) {
    fuzz::require(!record && input.size() == StoredKeys::size(keys->keys.suite()));
    fuzz::require(std::ranges::equal(keys->encode().reveal(), input));
    check_ring(std::move(*keys));
  }
  return 0;
}
