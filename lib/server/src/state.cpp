#include "state.h"

namespace pake::server {

void State::report(const store::StoreError& error) {
  constexpr std::chrono::seconds kPause{10};
  ++counters.store_errors;
  {
    const std::scoped_lock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (reported_at_ != std::chrono::steady_clock::time_point::min() && now - reported_at_ < kPause) return;
    reported_at_ = now;
  }
  log()->write(LogLevel::error, "store-failed",
               {{.key = "class", .value = store::to_string(error.code)},
                {.key = "error", .value = error.message},
                {.key = "hint", .value = error.hint}});
}

}  // namespace pake::server
