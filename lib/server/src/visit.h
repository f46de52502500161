// One handshake as the server decides it: who is meant, whether a guess is left, what is answered, what is charged.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "observed_guess.h"
#include "pake/channel/server_handshake.h"
#include "pake/net/acceptor.h"
#include "pake/net/awaitable.h"
#include "pake/net/handshake.h"
#include "state.h"

namespace pake::server {

/// Belongs to the coroutine of its connection.
class Visit {
 public:
  Visit(std::shared_ptr<State> state, net::Loop& loop, net::Caller& caller, net::Address source);

  /// The answer to a hello; again after a Retry.
  [[nodiscard]] net::Awaitable<channel::Decision> decide(const channel::ClientRequest& request);

  /// After the handshake: charges a guess that was spent and not given back, and frees its slot once that is committed.
  /// `failure` is null if there is a channel now.
  [[nodiscard]] net::Awaitable<void> conclude(const net::HandshakeError* failure);

  // What a channel is for.
  [[nodiscard]] EnteredBy entered_by() const noexcept { return by_; }
  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  [[nodiscard]] const Buffer& server_name() const noexcept { return server_name_; }
  [[nodiscard]] const std::string& selector() const noexcept { return selector_; }
  /// Of a login by password: what the record that answered was made under.
  [[nodiscard]] const std::optional<store::CredentialParameters>& record() const noexcept { return record_; }
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// The known device whose guess was counted, if it was one.
  [[nodiscard]] const std::optional<channel::DeviceId>& device() const noexcept { return device_; }
  /// Whether a login by password makes its device a known one.
  [[nodiscard]] channel::DevicePlace device_place() const noexcept { return device_place_; }
  [[nodiscard]] const net::Address& source() const noexcept { return source_; }
  [[nodiscard]] const std::shared_ptr<const Config>& config() const noexcept { return config_; }

 private:
  using Decided = net::Awaitable<channel::Decision>;
  Decided decide_login(const channel::ClientRequest& request);
  /// Nothing if the device is to be taken as not shown.
  net::Awaitable<std::optional<channel::Decision>> decide_known_device(const channel::ClientRequest& request);
  /// Nothing if the store is not there.
  net::Awaitable<std::optional<LoginRead>> read_login(const channel::ClientRequest& request,
                                                      const std::optional<store::BucketKey>& device);
  channel::Decision answer_login(const channel::ClientRequest& request, OpenGuess guess, LoginRead found,
                                 const store::BucketRule& rule);
  Decided decide_code(const channel::ClientRequest& request);
  Decided decide_ticket(const channel::ClientRequest& request);

  channel::Alert refuse(channel::AlertCode code, std::uint32_t retry_after = 0);
  channel::Alert throttle(const Throttled& throttled);
  [[nodiscard]] GuessKeys keys_of(store::BucketKind kind, Bytes target) const;
  /// Takes the place among those who are waited for, and the permit of the guess.
  std::optional<GuessPermit> permit(OpenGuess guess, store::BucketRule rule, bool of_an_account);
  std::string name_for_log() const;

  std::shared_ptr<State> state_;
  std::shared_ptr<const Config> config_;
  net::Loop& loop_;
  net::Caller& caller_;
  net::Address source_;

  Entrance entrance_ = Entrance::none;
  EnteredBy by_{};
  Buffer server_name_;    // as the client typed it
  std::string user_;      // as it was asked for, until it is known to be one
  std::string selector_;  // of a code
  bool is_known_ = false;
  std::uint64_t generation_ = 0;
  std::optional<channel::DeviceId> device_;
  channel::DevicePlace device_place_{};
  std::optional<store::CredentialParameters> record_;

  std::optional<channel::AlertCode> refused_with_;
  std::optional<OpenGuess> guess_;
  store::BucketRule rule_;
  bool of_an_account_ = false;
  std::shared_ptr<ObservedGuess> outcome_;
};

}  // namespace pake::server
