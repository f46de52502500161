// Private to the room: how a step says that it is the run's last.
#pragma once

#include <expected>
#include <type_traits>
#include <utility>

#include "pake/base/result.h"
#include "pake/channel/handshake.h"

namespace pake::channel {

/// A Failure that PAKE_TRY makes of any error on its way: an Errc of the layers below, or the Alert that a decoder
/// asks for.
struct Stop : Failure {
  // NOLINTBEGIN(google-explicit-constructor): the conversions are what this type is for.
  Stop(Errc code) noexcept : Failure{.error = code, .to_send = Alert{.code = alert_for(code)}, .received = {}} {}
  Stop(AlertCode code) noexcept
      : Failure{.error = code == AlertCode::refused ? Errc::auth_failed : Errc::malformed,
                .to_send = Alert{.code = code},
                .received = {}} {}
  // NOLINTEND(google-explicit-constructor)

  /// The peer said so.
  [[nodiscard]] static Stop received_alert(const Alert& alert) noexcept;
  /// The caller wants the peer told.
  [[nodiscard]] static Stop sending_alert(const Alert& alert) noexcept;

 private:
  explicit Stop(const Failure& failure) noexcept : Failure(failure) {}
  [[nodiscard]] static AlertCode alert_for(Errc code) noexcept;
};

template <class T>
using HandshakeResult = std::expected<T, Stop>;

/// What the caller of a step sees of it.
template <class T>
[[nodiscard]] Result<T> outcome_of(HandshakeResult<T> step) {
  if (!step) return fail(step.error().error);
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return *std::move(step);
}

}  // namespace pake::channel
