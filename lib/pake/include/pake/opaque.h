// OPAQUE-3DH (RFC 9807): a server and its users. docs/opaque.md, docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/crypto/ksf.h"
#include "pake/crypto/rng.h"
#include "pake/proto/guess.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/context.h"
#include "pake/proto/opaque/identities.h"
#include "pake/proto/opaque/machine.h"
#include "pake/proto/opaque/server.h"
#include "pake/proto/opaque/server_keys.h"
#include "pake/proto/opaque/stored.h"
#include "pake/proto/opaque/suite.h"
// IWYU pragma: end_exports
