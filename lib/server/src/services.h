// What runs behind a stream that a client has opened.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pake/base/secret.h"
#include "pake/channel/event.h"
#include "pake/channel/program_status.h"
#include "pake/net/awaitable.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "pake/server/config.h"

namespace pake::server {

/// Tells the client how the program has ended, in a ProgramStatus whose tag it fills in; false if it cannot.
using TellStatus = std::function<bool(channel::ProgramStatus status)>;

using ExportedKey = Secret<32, struct ExportedKeyTag>;

/// For whom a stream is served.
struct ServiceClient {
  std::string user;
  net::Address source;
  TellStatus tell_status = {};                   // not given: the client does not ask
  std::optional<ExportedKey> exported_key = {};  // of the channel, for a program that is to have it
};

/// How a stream ended, for the log and the counters.
struct StreamEnd {
  enum class How : std::uint8_t { complete, cut, unreachable, failed };
  How how = How::complete;
  std::uint64_t from_client = 0;
  std::uint64_t to_client = 0;
  std::string detail = {};  // what the system said; may be empty
};

/// Whether `user` may use it.
[[nodiscard]] bool may_use(const ServiceConfig& service, const std::string& user);

/// Serves one stream to its end. What is dialled, is dialled here: for an authenticated user.
[[nodiscard]] net::Awaitable<StreamEnd> serve_stream(net::Loop& loop, ServiceConfig service, ServiceClient client,
                                                     std::unique_ptr<net::Stream> stream,
                                                     std::chrono::seconds backend_connect);

}  // namespace pake::server
