// A transfer's messages over a stream of the channel.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/files/messages.h"
#include "pake/net/awaitable.h"
#include "pake/net/stream.h"
#include "process/problem.h"

namespace pake::cli::files {

/// A message that the other side had no right to send, or that is invalid.
[[nodiscard]] Problem broken_rules();
/// The other side takes or sends no files as this program does.
[[nodiscard]] Problem another_version();

/// One coroutine may read while another one writes. Problems: kExitCutShort if the channel has ended, or the other
/// side has broken the stream off; kExitProtocol.
class MessageStream {
 public:
  explicit MessageStream(std::unique_ptr<net::Stream> stream);

  /// The next message, or nothing when the other side has ended. What it views lives until the next call, or as long
  /// as somebody holds `buffer()`.
  [[nodiscard]] net::Awaitable<Expected<std::optional<pake::files::Message>>> read();
  /// The same if an end is not due yet.
  [[nodiscard]] net::Awaitable<Expected<pake::files::Message>> read_message();

  /// What the last message views.
  [[nodiscard]] std::shared_ptr<const Buffer> buffer() const noexcept { return buffer_; }

  [[nodiscard]] net::Awaitable<Expected<void>> write(Bytes encoded);
  [[nodiscard]] net::Awaitable<Expected<void>> write(const pake::files::Message& message);
  /// Nothing more will be written.
  void end();
  /// Reads to the other side's end, whatever comes.
  [[nodiscard]] net::Awaitable<Expected<void>> drain();

 private:
  [[nodiscard]] net::Awaitable<Expected<std::size_t>> fill();

  void make_room();

  std::unique_ptr<net::Stream> stream_;
  std::vector<std::shared_ptr<Buffer>> buffers_;  // that have been made, as many as were held at once, and one
  std::shared_ptr<Buffer> buffer_;                // the one that is filled
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace pake::cli::files
