// A program behind a stream: argv, no shell, an environment that is not ours, a process group of its own.
#pragma once

#include <memory>

#include "pake/net/awaitable.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "services.h"

namespace pake::server {

/// Runs the program with the stream as its stdin and stdout; its stderr is the server's null. When the stream is cut
/// its process group is killed; when it ends it has a few seconds to end as well. A client that asked for its status is
/// told, behind all that it wrote and before the end of that. What it does not read is dropped.
[[nodiscard]] net::Awaitable<StreamEnd> run_program(net::Loop& loop, ExecService program, ServiceClient client,
                                                    std::unique_ptr<net::Stream> stream);

}  // namespace pake::server
