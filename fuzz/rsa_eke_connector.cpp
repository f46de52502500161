#include "rsa_eke_wire.h"

using namespace pake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto PK = crypto::RsaPublicKey::from_pem(as_bytes(fuzz::fixed_pem())).value();
  FuzzedDataProvider input(data, size);
  const auto mode = input.ConsumeBool() ? eke::CipherMode::gcm : eke::CipherMode::cbc;
  testing::SeededRng rng(size);
  fuzz::LastKs observer;
  eke::RsaConnector C({.user = "server",
                       .password = SecretBuffer::copy_of(as_bytes(fuzz::kPassword)),
                       .key = fuzz::fixed_key(),
                       .mode = mode,
                       .observer = &observer},
                      rng);
  bool said_yes = false;
  fuzz::talk(C, input, mode, observer, [&] {
    if (!std::exchange(said_yes, true)) return to_buffer(as_bytes("yes"));
    // Message 4 with a Ks of the fuzzer's; message 6 comes from its own text under that Ks.
    const auto ciphertext =
        PK.encrypt(as_bytes(input.ConsumeBool() ? "0123456789" : input.ConsumeRandomLengthString(20)), rng);
    return eke::encrypt(mode, as_bytes(fuzz::kPassword), crypto::base64_encode(ciphertext));
  });
  return 0;
}
