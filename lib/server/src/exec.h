// A program behind a stream: argv, no shell, an environment that is not ours, a process group of its own.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/loops.h"
#include "pake/net/stream.h"
#include "services.h"

namespace pake::server {

/// Runs the program with the stream as its stdin and stdout; its stderr is the server's null. When the stream is cut
/// its process group is killed; when it ends it has a few seconds to end as well. A client that asked for its status is
/// told, behind all that it wrote and before the end of that. What it does not read is dropped.
[[nodiscard]] net::Awaitable<StreamEnd> run_program(net::Loop& loop, ExecService program, ServiceClient client,
                                                    std::unique_ptr<net::Stream> stream);

/// Collects a child that has been killed, after the loops were cancelled, when nothing can be waited for any more: it
/// looks, and lets the loop's other tasks go on between two looks.
/// @return its status of waitpid(2), or nothing if the system still keeps it at `deadline`
[[nodiscard]] net::Awaitable<std::optional<int>> collect_killed(net::Loop& loop, pid_t pid, net::Deadline deadline);

}  // namespace pake::server
