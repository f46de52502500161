// The channel over sockets: connect, listen, and the loops that drive them. docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/channel.h"
#include "pake/net/address.h"
#include "pake/net/channel_link.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/drive.h"
#include "pake/net/endpoint.h"
#include "pake/net/error.h"
#include "pake/net/handshake.h"
#include "pake/net/loops.h"
#include "pake/net/signal.h"
#include "pake/net/stream.h"
// IWYU pragma: end_exports
