// A program behind a stream: argv, no shell, an environment that is not ours, a process group of its own.
#pragma once

#include <memory>

#include "pake/net/awaitable.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "services.h"

namespace pake::server {

/// Runs the program with the stream as its stdin and stdout; its stderr is the server's null. When the stream is cut
/// its process group is killed; when it ends it has a few seconds to end as well. A status other than 0 is told as
/// ResetCode::backend_failed behind all that it wrote.
[[nodiscard]] net::Awaitable<StreamEnd> run_program(net::Loop& loop, ExecService program, ServiceClient client,
                                                    std::unique_ptr<net::Stream> stream);

}  // namespace pake::server
