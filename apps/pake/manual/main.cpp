// pake-manual DIR: writes the manual pages and the shells' completions of `pake`, made from the tree that it parses.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "manual/completion.h"
#include "manual/man_page.h"
#include "program.h"

namespace {

using namespace pake::cli;
namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file;
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file.open(path);
  file << text;
  file.close();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: pake-manual DIR\n";
    return 2;
  }
  const fs::path directory = argv[1];
  const auto program = pake::cli::program();
  for (const auto& command : all_commands(program))
    write(directory / "man1" / (manual::joined_name(command.full_name, '-') + ".1"),
          manual::man_page(program, "pake " PAKE_VERSION, command));
  write(directory / "bash" / "pake", manual::bash_completion(program));
  write(directory / "zsh" / "_pake", manual::zsh_completion(program));
  write(directory / "fish" / "pake.fish", manual::fish_completion(program));
  for (const auto& command : all_commands(program))
    if (command.full_name == "pake serve")  // the last: asking for a table's members makes one
      write(directory / "man5" / "pake.toml.5", manual::configuration_page(program, "pake " PAKE_VERSION, command));
  return 0;
} catch (const std::exception& problem) {
  std::cerr << "error: " << problem.what() << '\n';
  return 1;
}
