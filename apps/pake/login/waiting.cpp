#include "login/waiting.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "process/output.h"

namespace pake::cli::login {
namespace {

constexpr std::chrono::milliseconds kHalfASecond{500};

bool is_seen() {
  const char* const type = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return says_notes() && ::isatty(STDERR_FILENO) == 1 && type != nullptr && *type != '\0' &&
         std::string_view(type) != "dumb";
}

void write_now(std::string_view text) { static_cast<void>(::write(STDERR_FILENO, text.data(), text.size())); }

}  // namespace

Waiting::Waiting(net::Loop& loop, std::string text) : state_(std::make_shared<State>()) {
  if (!is_seen()) return;
  state_->text = std::move(text);
  loop.spawn(show_later(loop, state_));
}

Waiting::~Waiting() {
  state_->is_over = true;
  if (state_->is_shown) write_now("\r\x1b[K");
}

net::Awaitable<void> Waiting::show_later(net::Loop& loop, std::shared_ptr<State> state) {
  if (!co_await loop.sleep_until(net::after(kHalfASecond)) || state->is_over) co_return;
  state->is_shown = true;
  write_now("\r" + state->text);
}

}  // namespace pake::cli::login
