// pake-vectors DIR [--each-backend]: runs the vector files of a directory; with --each-backend once by every way to
// compute ristretto255 and P-256 that this processor has, a line each.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "pake/crypto/backend.h"
#include "vectors.h"

namespace {

std::string last_line(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

int run_by_each_backend(const char* directory) {
  using namespace pake::crypto;
  int worst = 0;
  for (const auto backend : kRistrettoBackends) {
    if (!choose_ristretto255_backend(backend)) {
      std::cout << "ristretto255 by " << to_string(backend) << ": left out, this processor has not the instructions\n";
      continue;
    }
    // One that has IFMA has it for both.
    choose_p256_backend(backend == RistrettoBackend::avx512_ifma ? P256Backend::avx512_ifma : P256Backend::openssl);
    std::ostringstream out;
    worst = std::max(worst, pake::vectors::run_directory(directory, out, std::cerr));
    std::cout << "ristretto255 by " << to_string(backend) << ", P-256 by " << to_string(p256_backend()) << ": "
              << last_line(out.str()) << '\n';
  }
  return worst;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 2) return pake::vectors::run_directory(argv[1], std::cout, std::cerr);
  if (argc == 3 && std::string_view(argv[2]) == "--each-backend") return run_by_each_backend(argv[1]);
  std::cerr << "error: one directory of vector files is wanted\nhint: pake-vectors tests/vectors [--each-backend]\n";
  return 2;
} catch (const std::exception& error) {
  static_cast<void>(std::fprintf(stderr, "error: %s\n", error.what()));
  return 2;
}
