// Arbitrary bytes, and genuine records that were tampered with, where a record is opened.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>

#include "pake/channel/record.h"
#include "pake/crypto/hash.h"
#include "require.h"

using namespace pake;
using namespace pake::channel;

namespace {

/// Another one for every input: libFuzzer sees what is compared, and would learn to make the records of one key.
TrafficKey key_of(Bytes input) {
  const auto digest = crypto::hash(crypto::HashId::sha512, {input});
  return TrafficKey::copy_of(digest.reveal().first<kTrafficKeySize>());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  const auto aead = input.ConsumeBool() ? AeadId::aes_256_gcm : AeadId::chacha20_poly1305;
  KeyCache cache(2);
  RecordSealer sealer(cache, aead, key_of({data, size}));
  RecordOpener opener(cache, aead, key_of({data, size}));
  bool over = false;
  while (input.remaining_bytes() != 0) {
    auto record = input.ConsumeBytes<std::uint8_t>(input.ConsumeIntegralInRange<std::size_t>(0, 200));
    const auto plaintext = record;
    const auto type = input.ConsumeBool() ? FrameType::close : FrameType::data;
    const bool is_sealed = input.ConsumeBool() && sealer.seal(type, record).has_value();
    const auto sealed = record;
    for (auto flips = input.ConsumeIntegralInRange<int>(0, 2); flips > 0 && !record.empty(); --flips)
      record[input.ConsumeIntegralInRange<std::size_t>(0, record.size() - 1)] ^= input.ConsumeIntegral<std::uint8_t>();

    const bool is_genuine = is_sealed && record == sealed;
    const auto opened = opener.open(record);
    fuzz::require(opened.has_value() == (is_genuine && !over));
    if (opened) {
      fuzz::require(opened->type == type);
      fuzz::require(
          std::ranges::equal(opened->plaintext, Bytes(plaintext).subspan(4, plaintext.size() - kRecordOverhead)));
    }
    over = over || !opened || type == FrameType::close;
  }
  return 0;
}
