// CPace's unambiguous concatenations (draft-irtf-cfrg-cpace-21, "Definitions and notation"). Applications build CI and
// AD with `lv_cat`, never by joining strings.
#pragma once

#include <initializer_list>

#include "pake/base/bytes.h"
#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake::cpace {

/// LEB128(len(string)) || string: seven bits of the length a byte, the least significant first, bit 7 set on all but
/// the last.
[[nodiscard]] Buffer prepend_len(Bytes string);

/// prepend_len(a0) || prepend_len(a1) || ...
[[nodiscard]] Buffer lv_cat(std::initializer_list<Bytes> strings);

/// "oc" || the lexicographically larger || the smaller; the same for (x, y) and (y, x).
[[nodiscard]] Buffer o_cat(Bytes x, Bytes y);

}  // namespace pake::cpace

PAKE_EXPORT_END
