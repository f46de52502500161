// SPAKE2 (RFC 9382), and magic-wormhole's: two sides and one password. docs/spake2.md, docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/crypto/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/spake2/machine.h"
#include "pake/proto/spake2/spake2.h"
#include "pake/proto/spake2/suite.h"
#include "pake/proto/spake2/wormhole.h"
// IWYU pragma: end_exports
