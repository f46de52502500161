// What every asynchronous function here returns, in two declarations: a header that only passes it on includes no more.
#pragma once

#include "pake/base/export.h"

// NOLINTBEGIN(readability-identifier-naming): Asio's own names
namespace asio {
template <typename T, typename Executor>
class awaitable;
}  // namespace asio
// NOLINTEND(readability-identifier-naming)

PAKE_EXPORT_BEGIN

namespace pake::net {

/// On which a Loop's coroutines run; complete in pake/net/coroutine.h.
class LoopExecutor;

/// A coroutine's promise of a T: `co_await` it, or hand it to `Loop::spawn`. A file in which one is written or awaited
/// includes pake/net/coroutine.h.
template <class T>
using Awaitable = asio::awaitable<T, LoopExecutor>;

}  // namespace pake::net

PAKE_EXPORT_END
