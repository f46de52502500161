// SPAKE2+ (RFC 9383): a prover with a password, a verifier with a record. docs/spake2plus.md, docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/crypto/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/spake2plus/machine.h"
#include "pake/proto/spake2plus/matter.h"
#include "pake/proto/spake2plus/prover.h"
#include "pake/proto/spake2plus/registration.h"
#include "pake/proto/spake2plus/suite.h"
#include "pake/proto/spake2plus/verifier.h"
// IWYU pragma: end_exports
