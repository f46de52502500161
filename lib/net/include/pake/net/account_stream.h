// The messages by which a record is made or replaced, on a stream of a channel: docs/wire.md, section 14.
#pragma once

#include <memory>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/channel/account.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/error.h"
#include "pake/net/stream.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// Either side's. It never holds more than one message and one read.
class AccountStream {
 public:
  explicit AccountStream(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  /// The next message: views that live until the next call.
  /// @return Error::run_failed if the bytes are no message; the errors of Stream::read_some
  [[nodiscard]] Awaitable<Outcome<channel::AccountMessage>> read(Deadline deadline);
  /// @param message  whole, as its `encode` gives it
  [[nodiscard]] Awaitable<Outcome<void>> write(Buffer message, Deadline deadline);

  [[nodiscard]] Stream& stream() noexcept { return *stream_; }

 private:
  std::unique_ptr<Stream> stream_;
  Buffer arrived_;
  std::size_t consumed_ = 0;
};

}  // namespace pake::net

PAKE_EXPORT_END
