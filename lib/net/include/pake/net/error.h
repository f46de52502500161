// Why something on the network did not happen: finer than Errc, because a person wants to know what to mend.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "pake/base/export.h"
#include "pake/channel/event.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

struct Error {
  enum class Kind : std::uint8_t {
    timed_out,     // the deadline passed
    closed,        // the peer ended its side in order, and more was to come
    reset,         // the peer broke the connection off
    refused,       // nobody listens at that address
    unreachable,   // no route to that address
    unknown_host,  // the name has no address
    in_use,        // somebody else listens at that address
    occupied,      // a file that is no socket is at that path
    not_ours,      // the address belongs to no interface of this machine
    denied,        // the system does not let us
    exhausted,     // no file descriptor or memory is left
    too_long,      // the peer sent more than any message of this step has
    run_failed,    // the state machine refused what came: Machine::error() says why
    interrupted,   // Stream::interrupt
    cancelled,     // Loops::cancel
    other,         // `system` says what
  };

  Kind kind;
  int system = 0;  // the errno behind it (of getaddrinfo for unknown_host), or 0
  /// Of `reset`: why, as far as the peer has said so. Only streams of a channel tell.
  channel::ResetCode reset_code = channel::ResetCode::cancelled;

  /// A lower-case sentence for a person, without a full stop.
  [[nodiscard]] std::string explain() const;
  friend bool operator==(const Error& error, Kind expected) { return error.kind == expected; }
};

template <class T>
using Outcome = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Error::Kind kind, int system = 0) {
  return std::unexpected(Error{.kind = kind, .system = system});
}

/// The error that an errno stands for.
[[nodiscard]] Error from_errno(int system) noexcept;

}  // namespace pake::net

PAKE_EXPORT_END
