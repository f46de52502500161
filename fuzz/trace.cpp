// Any bytes as a trace: they are refused, or drawn; and a line that is read is written and read as the same.
#include <string_view>
#include <vector>

#include "draw/html.h"
#include "draw/run.h"
#include "draw/svg.h"
#include "require.h"
#include "trace/channel_fields.h"
#include "trace/frame.h"

using namespace pake;
using namespace pake::cli;
using pake::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  const auto text = as_text(bytes);
  if (const auto line = trace::parse_line(text)) {
    auto written = trace::to_line(*line);
    written.pop_back();
    require(trace::parse_line(written) == *line);
  }
  constexpr std::size_t kMessages = 8;
  if (const auto run = draw::parse_run(text, "fuzz", kMessages)) {
    const std::vector runs = {*run};
    require(draw::to_svg(runs, {.eavesdropper = true}).ends_with("</svg>\n"));
    require(draw::to_html(runs, {}).ends_with("</html>\n"));
  }
  std::size_t covered = 0;
  for (const auto& field : trace::ChannelFields().of(bytes)) {
    require(field.at == covered);
    covered += field.size;
  }
  require(covered == size);
  return 0;
}
