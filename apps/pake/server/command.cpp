#include "server/command.h"

#include "server/keys.h"
#include "server/serve.h"
#include "server/sessions.h"
#include "server/user.h"

namespace pake::cli::server {

std::vector<Command> commands() { return {serve_command(), user_command(), keys_command(), sessions_command()}; }

}  // namespace pake::cli::server
