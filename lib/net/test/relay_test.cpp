#include "pake/net/relay.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "pake/internal/try.h"
#include "pake/net/signal.h"
#include "support.h"

namespace pake::net {
namespace {

using channel::ResetCode;

/// A side with some bytes to read, whose every write fails; it waits for more until it is reset, and notes with what.
class Side final : public Stream {
 public:
  Side(Loop& loop, Buffer arrived, Error of_write, std::optional<ResetCode>& told)
      : arrived_(std::move(arrived)), of_write_(of_write), told_(told), changed_(loop) {}

  Awaitable<Outcome<std::size_t>> read_some(MutableBytes into, Deadline deadline) override {
    const auto count = std::min(into.size(), std::exchange(arrived_, {}).size());
    if (count != 0) co_return count;
    while (!told_) PAKE_CO_TRYV(co_await changed_.wait(deadline));
    co_return fail(Error::Kind::reset);
  }
  Awaitable<Outcome<void>> write_all(Bytes, Deadline) override { co_return std::unexpected(of_write_); }
  Awaitable<Outcome<void>> wait_acknowledged(Deadline) override { co_return fail(Error::Kind::other); }
  void shutdown_write() noexcept override {}
  void reset(ResetCode code) override {
    told_ = told_.value_or(code);
    changed_.notify();
  }
  void interrupt() override {}
  [[nodiscard]] const Address& peer() const noexcept override { return peer_; }

 private:
  Buffer arrived_;
  Error of_write_;
  std::optional<ResetCode>& told_;
  Signal changed_;
  Address peer_ = UnixAddress{.path = "side"};
};

struct Told {
  std::optional<ResetCode> first, second;
};

// `first` has sent bytes already, and the write to `second` fails before anything is read from it.
Awaitable<void> relay_to_a_side_that_fails(Loop& loop, Error of_write, Told& told) {
  const Error unused{.kind = Error::Kind::other};
  const auto end = co_await relay(loop, std::make_unique<Side>(loop, Buffer(100), unused, told.first),
                                  std::make_unique<Side>(loop, Buffer(), of_write, told.second));
  EXPECT_FALSE(end.complete);
}

Told told_of(Error of_write) {
  Told told;
  Loops loops(1);
  loops.run(relay_to_a_side_that_fails(loops.main(), of_write, told));
  return told;
}

TEST(Relay, TellsWhoAskedWhyTheOtherSideWasResetWhileItWroteToo) {
  for (const auto code : {ResetCode::backend_unreachable, ResetCode::too_many, ResetCode::no_such_service}) {
    const auto told = told_of({.kind = Error::Kind::reset, .reset_code = code});
    EXPECT_EQ(told.first, code);
    EXPECT_EQ(told.second, ResetCode::cancelled);
  }
  for (const Error error : {Error{.kind = Error::Kind::reset}, Error{.kind = Error::Kind::closed}})
    EXPECT_EQ(told_of(error).first, ResetCode::backend_failed);
}

}  // namespace
}  // namespace pake::net
