#include "rig.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "pake/testing/hex.h"

namespace pake::eke {

const nlohmann::json& vectors(const std::string& section) {
  static const auto file = [] {
    std::ifstream in(PAKE_VECTORS "/rsa_eke.json");
    return nlohmann::json::parse(in);
  }();
  return file.at(section);
}

crypto::RsaKeyPair fixed_key(const std::string& id) {
  for (const auto& key : vectors("keys"))
    if (key.at("id") == id)
      return crypto::RsaKeyPair::from_pkcs8(testing::unhex(key.at("pkcs8").get<std::string>())).value();
  throw std::out_of_range("no key " + id);
}

UserTable users_of(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  UserTable users;
  for (const auto& [name, password] : entries)
    if (!users.add(name, SecretBuffer::copy_of(as_bytes(password)))) throw std::invalid_argument("user name");
  return users;
}

void Inbox::hand_in(Arrived arrived) {
  while (machine_.want() == Want::receive) {
    const auto used = machine_.receive(pending_, arrived);
    if (!used || *used == 0) return;
    ASSERT_LE(*used, pending_.size());
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(*used));
  }
}

Duel::Duel(const Setup& setup)
    : rng(setup.seed),
      users(users_of({{"server", setup.L_password}})),
      L({.users = users, .mode = setup.L_mode, .observer = &L_told}, budget.take().value(), rng),
      C({.user = setup.user,
         .password = SecretBuffer::copy_of(as_bytes(setup.C_password)),
         .key = fixed_key(setup.key),
         .mode = setup.C_mode,
         .observer = &C_told},
        rng) {
  for (;;) {
    const bool from_C = C.want() == Want::send;
    Machine& sender = from_C ? static_cast<Machine&>(C) : L;
    Inbox& inbox = from_C ? to_L : to_C;
    if (sender.want() != Want::send) return;
    messages.push_back(sender.take_message().value());
    for (const auto& piece : setup.wire(static_cast<int>(messages.size()), messages.back()))
      piece.empty() ? inbox.fall_silent() : inbox.arrive(piece);
  }
}

}  // namespace pake::eke
