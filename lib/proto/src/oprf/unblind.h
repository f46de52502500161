// Private to the room: the step inside Finalize that the vectors name.
#pragma once

#include "pake/base/result.h"
#include "pake/crypto/group.h"

namespace pake::oprf {

[[nodiscard]] Result<crypto::Element> unblind(crypto::GroupId suite, const crypto::Scalar& blind,
                                              const crypto::Element& evaluated_element);

}  // namespace pake::oprf
