// pake-vectors DIR: runs the vector files of a directory.
#include <cstdio>
#include <exception>
#include <iostream>

#include "vectors.h"

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "error: one directory of vector files is wanted\nhint: pake-vectors tests/vectors\n";
    return 2;
  }
  return pake::vectors::run_directory(argv[1], std::cout, std::cerr);
} catch (const std::exception& error) {
  static_cast<void>(std::fprintf(stderr, "error: %s\n", error.what()));
  return 2;
}
