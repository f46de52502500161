#include "rsa_eke_wire.h"

using namespace pake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto PK = crypto::RsaPublicKey::from_pem(as_bytes(fuzz::fixed_pem())).value();
  FuzzedDataProvider input(data, size);
  const auto mode = input.ConsumeBool() ? eke::CipherMode::gcm : eke::CipherMode::cbc;
  testing::SeededRng rng(size);
  fuzz::Told told;
  eke::RsaConnector C({.user = "server",
                       .password = SecretBuffer::copy_of(as_bytes(fuzz::kPassword)),
                       .key = fuzz::fixed_key(),
                       .mode = mode,
                       .observer = &told},
                      rng);
  fuzz::talk(C, input, mode, told, [&](const Buffer& last) {
    if (as_text(last) == "server") return to_buffer(as_bytes("yes"));
    if (!told.NC.empty()) return eke::encrypt(mode, as_bytes(told.Ks), as_bytes(told.NC + "0123456789"));
    const auto Ks = input.ConsumeBool() ? "0123456789" : input.ConsumeRandomLengthString(20);
    return eke::encrypt(mode, as_bytes(fuzz::kPassword), crypto::base64_encode(PK.encrypt(as_bytes(Ks), rng).value()));
  });
  return 0;
}
