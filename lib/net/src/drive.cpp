#include "pake/net/drive.h"

#include <algorithm>

#include "pake/internal/try.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"

namespace pake::net {
namespace {

constexpr std::size_t kOneRead = 1024;

class Drive {
 public:
  Drive(Machine& machine, Stream& stream, const Timeouts& timeouts)
      : machine_(machine), stream_(stream), timeouts_(timeouts) {}

  Awaitable<std::expected<Buffer, DriveError>> run() {
    for (;;) {
      const auto step = co_await next_step();
      if (!step)
        co_return std::unexpected(
            DriveError{.error = step.error(), .messages_sent = sent_, .messages_received = received_});
      if (machine_.want() == Want::done) co_return std::move(arrived_);
    }
  }

 private:
  Awaitable<Outcome<void>> next_step() {
    switch (machine_.want()) {
      case Want::send:
        return send_message();
      case Want::receive:
        return receive_message();
      case Want::decision:  // nobody here looks up records or runs jobs
      case Want::ksf:
      case Want::key_operation:
      case Want::done:
      case Want::failed:
        break;
    }
    return settle();
  }

  Awaitable<Outcome<void>> settle() {
    if (machine_.want() != Want::done) co_return fail(Error::Kind::run_failed);
    co_return Outcome<void>();
  }

  Awaitable<Outcome<void>> send_message() {
    const auto message = machine_.take_message();
    if (!message) co_return fail(Error::Kind::run_failed);
    PAKE_CO_TRYV(co_await stream_.write_all(*message, after(timeouts_.step)));
    ++sent_;
    co_return Outcome<void>();
  }

  // Until the machine has consumed a message.
  Awaitable<Outcome<void>> receive_message() {
    const Deadline deadline = after(timeouts_.step);
    auto end = Arrived::more_may_come;
    for (;;) {
      const Incoming incoming = machine_.incoming();
      if (arrived_.size() >= std::max<std::size_t>(incoming.at_least, 1)) {
        const auto consumed = machine_.receive(arrived_, end);
        if (!consumed) co_return fail(Error::Kind::run_failed);
        if (*consumed > 0) {
          arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(*consumed));
          ++received_;
          co_return Outcome<void>();
        }
        if (arrived_.size() >= incoming.at_most) co_return fail(Error::Kind::too_long);
      }
      const bool silence_counts = incoming.silence_ends && !arrived_.empty() && end == Arrived::more_may_come;
      const Deadline silence = silence_counts ? after(timeouts_.silence) : kNever;
      const auto more = co_await read_more(std::min(silence, deadline));
      const bool paused = !more && ((more.error() == Error::Kind::timed_out && silence < deadline) ||
                                    (more.error() == Error::Kind::closed && silence_counts));
      if (!more && !paused) co_return more;
      end = paused ? Arrived::silence : Arrived::more_may_come;
    }
  }

  Awaitable<Outcome<void>> read_more(Deadline deadline) {
    const auto before = arrived_.size();
    arrived_.resize(before + kOneRead);
    const auto count = co_await stream_.read_some(MutableBytes(arrived_).subspan(before), deadline);
    arrived_.resize(before + count.value_or(0));
    if (!count) co_return std::unexpected(count.error());
    co_return Outcome<void>();
  }

  Machine& machine_;
  Stream& stream_;
  Timeouts timeouts_;
  Buffer arrived_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
};

}  // namespace

Awaitable<std::expected<Buffer, DriveError>> drive(Machine& machine, Stream& stream, Timeouts timeouts) {
  Drive drive(machine, stream, timeouts);
  co_return co_await drive.run();
}

}  // namespace pake::net
