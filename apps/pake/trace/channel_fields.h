// The frames of docs/wire.md, field by field, as an observer takes them apart.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "pake/base/bytes.h"
#include "trace/frame.h"

namespace pake::cli::trace {

[[nodiscard]] std::string_view name_of_frame(Bytes frame) noexcept;

/// Of one connection: what a frame holds depends on what came before it.
class ChannelFields {
 public:
  /// Any bytes are a frame: what makes no sense is a field called "rest". The fields lie side by side and cover it.
  [[nodiscard]] std::vector<Field> of(Bytes frame);

 private:
  std::optional<std::uint8_t> suite_;  // the server's choice
};

}  // namespace pake::cli::trace
