// One registration and one login in memory, with one lie told on the way.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/guess.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"
#include "pake/proto/opaque/stored.h"
#include "pake/testing/fixed_rng.h"

namespace pake::opaque {

inline constexpr SuiteId kAllSuites[] = {SuiteId::ristretto255, SuiteId::ristretto255_curve25519, SuiteId::p256,
                                         SuiteId::p384, SuiteId::p521};

/// What one side believes.
struct View {
  std::string context = "context";
  std::string client_identity = "alice";
  std::string server_identity = "server";

  [[nodiscard]] Identities identities() const {
    return {.client = as_bytes(client_identity), .server = as_bytes(server_identity)};
  }
};

using Lie = std::function<void(Buffer&)>;
[[nodiscard]] Lie flip_bit(std::size_t bit);

/// What came of it: what each side has when it ends, and the messages as they arrived.
struct Outcome {
  std::optional<Errc> error;  // the first one, of whichever side
  std::string failed_at;      // the function that gave it
  Buffer export_key_of_registration;
  Buffer export_key;
  Buffer client_key;  // session keys: empty if a side has none
  Buffer server_key;
  Buffer record;
  Buffer ke1;
  Buffer ke2;
  Buffer ke3;

  [[nodiscard]] bool agreed() const { return !client_key.empty() && client_key == server_key; }
  [[nodiscard]] bool no_key() const { return client_key.empty() && server_key.empty() && export_key.empty(); }
};

struct Rig {
  SuiteId suite = SuiteId::ristretto255;
  std::string password = "correct horse";
  std::string login_password = "correct horse";
  View registration = {};
  View client = {};
  View server = {};
  crypto::KsfParameters ksf = crypto::IdentityWithoutAnyProtection{};
  crypto::KsfParameters login_ksf = crypto::IdentityWithoutAnyProtection{};
  std::string credential_identifier = "1234";
  std::string login_credential_identifier = "1234";
  Lie lie_in_request = {};
  Lie lie_in_response = {};
  Lie lie_in_record = {};
  Lie lie_in_ke1 = {};
  Lie lie_in_ke2 = {};
  Lie lie_in_ke3 = {};
  bool other_server_keys_at_login = false;
  std::uint64_t seed = 1;

  [[nodiscard]] Outcome run() const;
};

[[nodiscard]] SecretBuffer secret(std::string_view text);

/// The same key every time.
[[nodiscard]] FakeKey fake_key();

}  // namespace pake::opaque
