// For files in which a coroutine is written: Awaitable, complete. It brings in the promise and no socket operation,
// which are compiled in net alone.
#pragma once

#include <asio/awaitable.hpp>

#include "pake/net/awaitable.h"
