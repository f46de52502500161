// pake: the command line.
#include <tuple>

#include "options/command.h"
#include "pake/crypto/openssl_memory.h"
#include "process/process.h"
#include "program.h"

int main(int argc, char** argv) {
  pake::cli::harden_process();
  std::ignore = pake::crypto::wipe_memory_that_openssl_frees();  // nothing has used OpenSSL yet
  const auto program = pake::cli::program();
  return pake::cli::end_as_told(pake::cli::run_program(program, "pake " PAKE_VERSION, argc, argv));
}
