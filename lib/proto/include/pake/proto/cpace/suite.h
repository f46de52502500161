// CPace's suites (draft-irtf-cfrg-cpace-21, "CPace cipher suites").
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "pake/base/export.h"
#include "pake/crypto/hash.h"

PAKE_EXPORT_BEGIN

namespace pake::cpace {

enum class Suite : std::uint8_t { ristretto255_sha512, x25519_sha512, p256_sha256, p384_sha384, p521_sha512 };

struct SuiteParameters {
  std::string_view name;    // "CPACE-RISTR255-SHA512"
  std::string_view DSI;     // G.DSI, ASCII
  crypto::HashId hash;      // H, also of the tags and of the session keys
  std::size_t share_size;   // bytes of Ya and Yb: 32, 32, 65, 97, 133
  std::size_t secret_size;  // bytes of K as the ISK hash takes it: 32, 32, 32, 48, 66
};

[[nodiscard]] const SuiteParameters& parameters(Suite suite) noexcept;

/// Bytes of a confirmation tag and of the ISK, the whole hash: 64, 64, 32, 48, 64.
[[nodiscard]] inline std::size_t tag_size(Suite suite) noexcept { return crypto::output_size(parameters(suite).hash); }

}  // namespace pake::cpace

PAKE_EXPORT_END
