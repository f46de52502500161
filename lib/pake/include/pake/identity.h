// Names, passwords and codes in the one form in which both sides use them. docs/library.md.
#pragma once

// IWYU pragma: begin_exports
#include "pake/identity/code.h"
#include "pake/identity/invitation.h"
#include "pake/identity/name.h"
#include "pake/identity/password.h"
// IWYU pragma: end_exports
