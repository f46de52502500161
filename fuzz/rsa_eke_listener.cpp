#include "rsa_eke_wire.h"

using namespace pake;

namespace {

eke::UserTable make_users() {
  eke::UserTable users;
  for (const auto* name : {"server", "server2", "a", "ab"})
    fuzz::require(users.add(name, SecretBuffer::copy_of(as_bytes(fuzz::kPassword))).has_value());
  return users;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto users = make_users();
  static const auto pem = fuzz::fixed_pem();
  FuzzedDataProvider input(data, size);
  const auto mode = input.ConsumeBool() ? eke::CipherMode::gcm : eke::CipherMode::cbc;
  testing::SeededRng rng(size);
  fuzz::Told told;
  eke::RsaListener L({.users = users, .mode = mode, .observer = &told}, GuessPermit::uncounted_for_study(), rng);
  fuzz::talk(L, input, mode, told, [&](const Buffer& last) {
    if (as_text(last) == "") return to_buffer(as_bytes("server2"));
    if (as_text(last) == "yes") return eke::encrypt(mode, as_bytes(fuzz::kPassword), as_bytes(pem));
    if (told.NC.empty()) return eke::encrypt(mode, as_bytes(told.Ks), as_bytes("0123456789"));
    return eke::encrypt(mode, as_bytes(told.Ks), eke::decrypt(mode, as_bytes(told.Ks), last)->reveal().last(10));
  });
  return 0;
}
