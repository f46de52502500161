// SRP-6a (RFC 5054, RFC 2945) by the conventions of its peers. docs/srp.md, docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/crypto/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/srp/machine.h"
#include "pake/proto/srp/srp.h"
// IWYU pragma: end_exports
