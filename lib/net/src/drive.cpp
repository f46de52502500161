#include "pake/net/drive.h"

#include "exchange.h"
#include "pake/internal/try.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"

namespace pake::net {
namespace {

constexpr std::size_t kOneRead = 1024;

class Drive {
 public:
  Drive(Loop& loop, Machine& machine, Stream& stream, const Timeouts& timeouts, const ProvideRecord& provide)
      : machine_(machine), stream_(stream), timeouts_(timeouts), provide_(provide), exchange_(machine, loop, stream) {}

  Awaitable<std::expected<Buffer, DriveError>> run() {
    while (machine_.want() != Want::done) {
      const auto step = co_await next_step();
      if (!step)
        co_return std::unexpected(
            DriveError{.error = step.error(), .messages_sent = sent_, .messages_received = received_});
    }
    co_return exchange_.take_arrived();
  }

 private:
  Awaitable<Outcome<void>> next_step() {
    switch (machine_.want()) {
      case Want::send:
        return send_message();
      case Want::receive:
        return receive_message();
      case Want::decision:
        return provide_record();
      case Want::ksf:
      case Want::key_operation:
        return exchange_.run_job();
      case Want::done:
      case Want::failed:
        break;
    }
    return end();
  }

  static Awaitable<Outcome<void>> end() { co_return fail(Error::Kind::run_failed); }

  Awaitable<Outcome<void>> send_message() {
    const auto message = machine_.take_message();
    if (!message) co_return fail(Error::Kind::run_failed);
    PAKE_CO_TRYV(co_await stream_.write_all(*message, after(timeouts_.step)));
    ++sent_;
    co_return Outcome<void>();
  }

  Awaitable<Outcome<void>> receive_message() {
    PAKE_CO_TRYV(co_await exchange_.receive(
        {.deadline = after(timeouts_.step), .silence = timeouts_.silence, .piece = kOneRead}));
    ++received_;
    co_return Outcome<void>();
  }

  Awaitable<Outcome<void>> provide_record() {
    if (!provide_) co_return fail(Error::Kind::run_failed);
    const auto provided = co_await provide_(machine_);
    if (!provided || machine_.want() == Want::decision) co_return fail(Error::Kind::run_failed);
    co_return Outcome<void>();
  }

  Machine& machine_;
  Stream& stream_;
  const Timeouts timeouts_;
  const ProvideRecord& provide_;
  Exchange<Machine> exchange_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
};

}  // namespace

Awaitable<std::expected<Buffer, DriveError>> drive(Loop& loop, Machine& machine, Stream& stream, Timeouts timeouts,
                                                   ProvideRecord provide) {
  Drive drive(loop, machine, stream, timeouts, provide);
  co_return co_await drive.run();
}

}  // namespace pake::net
