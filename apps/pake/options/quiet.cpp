#include "options/quiet.h"

#include "process/output.h"

namespace pake::cli {

Setting quiet_setting(bool* details) {
  return {.flag = "--quiet",
          .value = {.type = Value::Type::flag,
                    .set = [details](std::string_view typed) -> Accepted {
                      if (typed != "true") return {};
                      leave_notes_out();
                      if (details != nullptr) *details = false;
                      return {};
                    }},
          .help = "Leave out notes and details: only results, errors and what must be known"};
}

}  // namespace pake::cli
