// Any text is a line of an export, or none.
#include "export_line.h"

#include "pake/store/export.h"
#include "require.h"

using namespace pake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto line = as_text({data, size});
  static_cast<void>(store::decode_export_header(line));
  const auto row = store::decode_export_line(line);
  if (!row) return 0;
  const auto again = store::decode_export_line(store::encode_export_line(*row));
  fuzz::require(again && *again == *row);
  return 0;
}
