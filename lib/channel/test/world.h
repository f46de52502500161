// A server with its keys and users, and runs of the handshake against it with a hand on every byte.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "pake/channel/client_handshake.h"
#include "pake/channel/messages.h"
#include "pake/channel/server_handshake.h"
#include "pake/proto/guess.h"
#include "pake/testing/fixed_rng.h"

namespace pake::channel::test {

enum class Side : std::uint8_t { client, server };

/// A frame on its way, as whoever sits between the two may change it.
struct Flight {
  Side from;
  std::size_t number;  // 0 is the first ClientHello
  Buffer bytes;
};

/// Made once: long-term keys of both login suites, alice's records under `small`, a fake record, ticket keys.
class World {
 public:
  static World& get();

  [[nodiscard]] const opaque::ServerKeys& keys(Suite suite) const { return *of(suite).keys; }
  /// Of alice, or of anybody else; stretched with `ksf`.
  [[nodiscard]] opaque::Credential credential(Suite suite, Bytes name, crypto::KsfProfile ksf) const;
  [[nodiscard]] const opaque::ExportKey& export_key(Suite suite) const { return of(suite).export_key; }
  [[nodiscard]] const std::shared_ptr<const TicketKeys>& ticket_keys() const { return ticket_keys_; }
  /// A ticket of alice's as a client keeps it.
  [[nodiscard]] StoredTicket ticket() const;

 private:
  struct Login {
    std::shared_ptr<const opaque::ServerKeys> keys;
    Buffer record;
    Buffer fake;
    opaque::ExportKey export_key;
  };
  World();
  [[nodiscard]] static Login make_login(Suite suite, Rng& rng);
  [[nodiscard]] const Login& of(Suite suite) const { return logins_.at(suite == Suite::opaque_ristretto255 ? 0 : 1); }

  std::vector<Login> logins_;
  std::shared_ptr<const TicketKeys> ticket_keys_;
};

[[nodiscard]] inline TicketFacts alices_ticket() {
  return {.name = to_buffer(as_bytes("alice")),
          .server_name = to_buffer(as_bytes("example.org")),
          .device = {7},
          .generation = 7,
          .login_time = 1'700'000'000,
          .expiry = 1'700'604'800};
}

/// What both sides are given, and what happens to the bytes between them.
struct Plan {
  HandshakeKind kind = HandshakeKind::login;
  Suite server_suite = Suite::opaque_ristretto255;  // login: what the server wants; another than the first is a Retry
  AeadId client_aead = AeadId::aes_256_gcm;
  AeadId server_aead = AeadId::aes_256_gcm;
  std::string password = "correct horse";
  std::string name = "alice";
  std::string code = "acid-zoom-42";
  std::string server_name = "example.org";
  std::vector<Suite> login_suites = {Suite::opaque_ristretto255, Suite::opaque_p256};
  crypto::KsfProfile record_profile = crypto::KsfProfile::small;
  crypto::KsfProfile ksf_ceiling = crypto::kDefaultKsfProfile;
  std::vector<Buffer> server_public_keys = {};
  std::shared_ptr<const StoredTicket> ticket = nullptr;  // resume: alice's unless given
  std::shared_ptr<const StoredTicket> device = nullptr;  // login: a ticket that is shown
  DevicePlace device_place = DevicePlace::taken;         // login
  std::optional<Alert> refusal = {};                     // what the server answers to everybody
  std::uint64_t seed = 1;

  std::function<void(Flight&)> tamper = [](Flight&) {};
};

/// One run to its end.
class Exchange {
 public:
  explicit Exchange(Plan plan);

  /// Drives both sides until neither can go on.
  Exchange& run();
  /// One side's next move. False when it waits for the other's bytes, or is over.
  bool step_client();
  bool step_server();

  Plan plan;
  pake::testing::SeededRng client_rng, server_rng;
  GuessBudget budget{1};
  ClientHandshake client;
  ServerHandshake server;
  std::vector<Flight> sent;  // as they were sent, before anyone changed them
  Buffer to_client, to_server;
  std::optional<ChannelKeys> client_keys, server_keys;
  std::optional<ClientOutcome> client_outcome;
  std::optional<ServerOutcome> server_outcome;
  std::size_t jobs = 0;   // KSF jobs handed out
  bool answered = false;  // the server asked its caller

 private:
  void deliver(Side from, Buffer bytes);
  bool alert_sent_by_client_ = false, alert_sent_by_server_ = false;
};

/// Both have a channel, and it is the same one.
[[nodiscard]] bool agree(const Exchange& run);
/// Neither has one.
[[nodiscard]] bool nobody_has_keys(const Exchange& run);

[[nodiscard]] ClientConfig client_config(const Plan& plan);
[[nodiscard]] Result<ClientHandshake> make_client(const Plan& plan, Rng& rng);
[[nodiscard]] ServerConfig server_config(const Plan& plan);
/// Answers a ClientRequest as the plan says.
[[nodiscard]] Decision decide(const ClientRequest& request, const Plan& plan, GuessBudget& budget);
[[nodiscard]] std::string name_of(const Plan& plan);
void PrintTo(const Plan& plan, std::ostream* out);  // NOLINT(readability-identifier-naming): GoogleTest's name

/// One honest plan of every kind and suite, with and without Retry.
[[nodiscard]] std::vector<Plan> all_plans();
[[nodiscard]] std::vector<Plan> all_plans(HandshakeKind kind);
/// The logins from a device that shows alice's ticket.
[[nodiscard]] std::vector<Plan> device_plans();
/// Both.
[[nodiscard]] std::vector<Plan> plans_with_devices();
inline constexpr std::uint64_t kDeviceTime = 1'700'000'500;

}  // namespace pake::channel::test
