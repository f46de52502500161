// EAP-EKE (RFC 6124): a server and a peer with one password, in EAP packets. docs/eap-eke.md, docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/crypto/rng.h"
#include "pake/proto/eap_eke/eap_eke.h"
#include "pake/proto/eap_eke/machine.h"
#include "pake/proto/eap_eke/packets.h"
#include "pake/proto/guess.h"
// IWYU pragma: end_exports
