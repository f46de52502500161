// One run of any PAKE as a transport sees it: bytes in, bytes out, no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake {

/// What a machine waits for.
enum class Want : std::uint8_t {
  send,           // a message is ready: take_message()
  receive,        // bytes of the peer: incoming(), receive()
  decision,       // the caller's answer to what is known of the peer by now: provide_record(), or as the machine says
  ksf,            // a key stretching function is to be run: take_job(), resume()
  key_operation,  // whoever holds the long-term keys is to be asked: take_job(), resume()
  done,           // the peer is confirmed: take_session_key()
  failed,         // the run is over without a key: error()
};

/// The bytes a machine waits for.
struct Incoming {
  std::size_t at_least;  // fewer are never a whole message
  std::size_t at_most;   // a driver buffers no more than this
  bool silence_ends;     // the protocol has no framing: a pause of the peer (200 ms) can end a message
};

/// Whether the bytes handed in may go on.
enum class Arrived : std::uint8_t {
  more_may_come,
  silence,  // the peer paused; only if Incoming::silence_ends
};

using SessionKey = SecretUpTo<64, struct SessionKeyTag>;

/// Work that takes long or waits for someone else. It shares nothing with the machine it was taken from, so any thread
/// may run it, once, while others drive their machines; then it goes back to its machine.
class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  virtual void run() = 0;
};

/// A driver loops over `want()`. One object, one run; after `done` or `failed` nothing but the outcome can be asked. A
/// call out of turn is Errc::misuse and ends the run; one that is over stays as it ended.
/// Not thread-safe: one driver at a time.
class Machine {
 public:
  Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  [[nodiscard]] virtual Want want() const noexcept = 0;

  /// The message to send, whole; the machine goes on as if it had been sent. Errc::misuse unless want() == Want::send.
  [[nodiscard]] virtual Result<Buffer> take_message() = 0;

  /// Sizes of what comes next; meaningful while want() == Want::receive.
  [[nodiscard]] virtual Incoming incoming() const noexcept = 0;

  /// Looks at all bytes that have arrived and not been consumed.
  /// @return how many of them were the message, 0 when it is not whole yet. An error is final: want() is Want::failed.
  ///         Errc::misuse unless want() == Want::receive.
  [[nodiscard]] virtual Result<std::size_t> receive(Bytes bytes, Arrived arrived) = 0;

  /// What the store holds of the peer, in the form the protocol stores it; nothing for a name it does not know, and
  /// then the run goes on as with any other peer. So it does if the stored bytes make no sense; a protocol that
  /// cannot answer for an unknown name ends with Errc::unavailable there. Errc::misuse unless want() == Want::decision.
  [[nodiscard]] virtual Status provide_record(std::optional<Bytes> /*stored*/) { return fail(Errc::misuse); }

  /// The work to do, once. Errc::misuse unless want() is Want::ksf or Want::key_operation.
  [[nodiscard]] virtual Result<std::unique_ptr<Job>> take_job() { return fail(Errc::misuse); }

  /// Goes on with the job that take_job() gave, after its run(). An error of the work is final, and so is Errc::misuse:
  /// another job, or one that has not run.
  [[nodiscard]] virtual Status resume(std::unique_ptr<Job> /*job*/) { return fail(Errc::misuse); }

  /// Why the run failed; nothing unless want() == Want::failed.
  [[nodiscard]] virtual std::optional<Errc> error() const noexcept = 0;

  /// The key both sides share, once. Errc::misuse unless want() == Want::done.
  [[nodiscard]] virtual Result<SessionKey> take_session_key() = 0;
};

}  // namespace pake

PAKE_EXPORT_END
