// The 1024-bit key of the vectors, for inputs that start from something valid.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "pake/crypto/rsa.h"
#include "pake/testing/hex.h"

namespace pake::fuzz {

inline const nlohmann::json& first_key() {
  static const auto key = [] {
    std::ifstream file(PAKE_VECTORS "/rsa_eke.json");
    return nlohmann::json::parse(file).at("keys").at(0);
  }();
  return key;
}

inline std::string fixed_pem() { return first_key().at("pem").get<std::string>(); }

inline crypto::RsaKeyPair fixed_key() {
  static const auto pkcs8 = testing::unhex(first_key().at("pkcs8").get<std::string>());
  return crypto::RsaKeyPair::from_pkcs8(pkcs8).value();
}

}  // namespace pake::fuzz
