// The channel: an encrypted connection by a password or a code, over any transport. docs/wire.md, docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/channel/channel.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/event.h"
#include "pake/channel/key_cache.h"
#include "pake/channel/server_handshake.h"
#include "pake/channel/ticket.h"
#include "pake/crypto/rng.h"
#include "pake/proto/guess.h"
// IWYU pragma: end_exports
