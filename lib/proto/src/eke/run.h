// Private to the room: what a run of either role keeps besides its secrets, behind the doors of RsaMachine.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>

#include "pake/proto/eke/rsa_eke.h"

namespace pake::eke {

class Run {
 public:
  explicit Run(Observer* observer) noexcept : observer_(observer) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  virtual ~Run() = default;

  // The doors, as machine.h describes them.
  [[nodiscard]] Want want() const noexcept;
  [[nodiscard]] virtual Result<Buffer> take_message();
  /// A call out of turn ends the run; one that is over stays as it ended.
  std::unexpected<Errc> misuse() noexcept;
  [[nodiscard]] virtual Incoming incoming() const noexcept = 0;
  [[nodiscard]] Result<std::size_t> receive(Bytes bytes, Arrived arrived);
  [[nodiscard]] std::optional<Errc> error() const noexcept;
  [[nodiscard]] Result<SessionKey> take_session_key();
  [[nodiscard]] std::optional<Failure> failure() const noexcept;

 protected:
  /// The awaited message, if `bytes` (at least incoming().at_least, at most at_most) hold the whole of it.
  /// @return its size, 0 when more must come, or why the run ends here
  [[nodiscard]] virtual std::expected<std::size_t, Failure> read(Bytes bytes, Arrived arrived) = 0;
  /// Wipes the role's secrets. Called once, at the run's end.
  virtual void forget() noexcept = 0;

  void send(Buffer message) noexcept { outbox_ = std::move(message); }
  /// Done, once what is still to be sent has been taken.
  void finish(Bytes Ks);
  /// Failed, once what is still to be sent has been taken. No failure: the caller's misuse.
  void end(std::optional<Failure> failure) noexcept;
  void learnt(Value value, Bytes text) const {
    if (observer_ != nullptr) observer_->learnt(value, as_text(text));
  }

 private:
  enum class Outcome : std::uint8_t { open, done, failed };

  Observer* observer_;
  Outcome outcome_ = Outcome::open;
  Buffer outbox_;
  std::optional<Failure> failure_;
  std::optional<SessionKey> key_;
};

}  // namespace pake::eke
