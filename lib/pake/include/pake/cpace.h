// CPace (draft-irtf-cfrg-cpace): two sides and one code. docs/cpace.md, docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/crypto/rng.h"
#include "pake/proto/cpace/cpace.h"
#include "pake/proto/cpace/machine.h"
#include "pake/proto/cpace/messages.h"
#include "pake/proto/cpace/strings.h"
#include "pake/proto/cpace/suite.h"
#include "pake/proto/guess.h"
// IWYU pragma: end_exports
