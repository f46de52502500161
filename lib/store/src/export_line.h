// The lines of an export.
#pragma once

#include <string>
#include <string_view>

#include "pake/store/error.h"
#include "pake/store/rows.h"

namespace pake::store {

[[nodiscard]] std::string encode_export_header(const KeyFileId& key_file);
[[nodiscard]] StoreResult<KeyFileId> decode_export_header(std::string_view line);
[[nodiscard]] std::string encode_export_line(const UserRow& row);
/// Total: any text gives a row with a normalised name, or an error.
[[nodiscard]] StoreResult<UserRow> decode_export_line(std::string_view line);

}  // namespace pake::store
