// Private to the room: C of the paper's own form.
#pragma once

#include <memory>

#include "run.h"

namespace pake::eke {

[[nodiscard]] std::unique_ptr<Run> paper_connector(ConnectorConfig config, Rng& rng);

}  // namespace pake::eke
