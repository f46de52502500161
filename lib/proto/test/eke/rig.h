// Two machines with a wire between them that a test can bend.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "pake/proto/eke/rsa_eke.h"
#include "pake/testing/fixed_rng.h"

namespace pake::eke {

/// A section of tests/vectors/rsa_eke.json.
[[nodiscard]] const nlohmann::json& vectors(const std::string& section);
/// A key of it ("1024", "2048-e32", ...).
[[nodiscard]] crypto::RsaKeyPair fixed_key(const std::string& id);
[[nodiscard]] UserTable users_of(std::initializer_list<std::pair<std::string_view, std::string_view>> entries);

class Recorder final : public Observer {
 public:
  void learnt(Value value, std::string_view text) override { told.emplace_back(value, text); }
  std::vector<std::pair<Value, std::string>> told;
};

/// Hands a machine what arrived, as a driver does: all that is pending, while it wants to receive.
class Inbox {
 public:
  explicit Inbox(Machine& machine) : machine_(machine) {}
  void arrive(Bytes piece) {
    pending_.insert(pending_.end(), piece.begin(), piece.end());
    hand_in(Arrived::more_may_come);
  }
  void fall_silent() {
    if (machine_.want() == Want::receive && machine_.incoming().silence_ends && !pending_.empty())
      hand_in(Arrived::silence);
  }
  /// What nobody consumed.
  [[nodiscard]] const Buffer& pending() const { return pending_; }

 private:
  void hand_in(Arrived arrived);

  Machine& machine_;
  Buffer pending_;
};

/// What a test may choose about a run.
struct Setup {
  std::string user = "server";
  std::string C_password = "12345678";
  std::string L_password = "12345678";
  CipherMode C_mode = CipherMode::gcm;
  CipherMode L_mode = CipherMode::gcm;
  std::string key = "1024";
  std::uint64_t seed = 1;
  /// The pieces in which message `number` (1 to 7) arrives. An empty piece is a silence of the peer.
  std::function<std::vector<Buffer>(int number, const Buffer& message)> wire = [](int, const Buffer& message) {
    return std::vector<Buffer>{message};
  };
};

/// A run from the first message to where neither side can go on.
struct Duel {
  explicit Duel(const Setup& setup);

  testing::SeededRng rng;
  UserTable users;
  GuessBudget budget{1};
  Recorder L_told, C_told;
  RsaListener L;
  RsaConnector C;
  Inbox to_L{L}, to_C{C};
  std::vector<Buffer> messages;  // as they were sent
};

[[nodiscard]] inline std::vector<Buffer> byte_by_byte(const Buffer& message) {
  std::vector<Buffer> pieces;
  for (const auto byte : message) pieces.push_back({byte});
  return pieces;
}

}  // namespace pake::eke
