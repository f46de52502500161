// What CPace's tests share.
#pragma once

#include <array>
#include <ostream>
#include <string>

#include "pake/proto/cpace/suite.h"

namespace pake::cpace {

inline constexpr std::array kSuites = {Suite::ristretto255_sha512, Suite::x25519_sha512, Suite::p256_sha256,
                                       Suite::p384_sha384, Suite::p521_sha512};

// GoogleTest prints a suite by its short name.
inline void PrintTo(Suite suite, std::ostream* out) { *out << parameters(suite).name.substr(6, 4); }

}  // namespace pake::cpace
