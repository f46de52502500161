// A wait that somebody at a terminal should know of.
#pragma once

#include <memory>
#include <string>

#include "pake/net/awaitable.h"
#include "pake/net/loops.h"

namespace pake::cli::login {

/// While it lives: if that is longer than half a second and stderr is a terminal, `text` stands there. It goes again.
class Waiting {
 public:
  Waiting(net::Loop& loop, std::string text);
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting();

 private:
  struct State {
    std::string text;
    bool is_shown = false;
    bool is_over = false;
  };
  [[nodiscard]] static net::Awaitable<void> show_later(net::Loop& loop, std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace pake::cli::login
