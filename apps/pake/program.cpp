#include "program.h"

#include <iterator>
#include <utility>
#include <vector>

#include "bench/command.h"
#include "draw/command.h"
#include "eke/command.h"
#include "files/command.h"
#include "lab/command.h"
#include "login/command.h"
#include "pair/command.h"
#include "pipe/command.h"
#include "server/command.h"

namespace pake::cli {
Command program() {
  Command all = {
      .name = "pake",
      .summary = "Talk privately with somebody who knows the same password or code",
      .brief = "pake help COMMAND says how a command is used.",
      .text = {"pake lets two sides who share nothing but a password or a short code recognise each other over "
               "a network that they do not trust. What they say is encrypted, and nobody who listens learns "
               "enough to try passwords at home.",
               "stdout carries data alone. stderr has words: note:, error: and hint:, each a line.",
               "pake help COMMAND prints what pake COMMAND --help prints."},
      .examples = {"pake listen                  shows a code",
                   "pake dial HOST:PORT          on the other side, asks for it"}};
  for (auto commands : {login::commands(), server::commands(), pipe::commands(), files::commands(), pair::commands(),
                        eke::commands(), lab::commands(), draw::commands(), bench::commands()})
    all.commands.insert(all.commands.end(), std::make_move_iterator(commands.begin()),
                        std::make_move_iterator(commands.end()));
  return all;
}

}  // namespace pake::cli
