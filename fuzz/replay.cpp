// A main for a fuzz target without libFuzzer: on the objects of any build it runs the target over the given files and
// directories of files, and over a few thousand inputs made from a fixed seed. What crashed once stays in
// fuzz/crashes/NAME and is run by every ./check.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

void run_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  static_cast<void>(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()));
}

std::size_t run_path(const fs::path& path) {
  if (!fs::is_directory(path)) return run_file(path), 1;
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) {
      run_file(entry.path());
      ++count;
    }
  return count;
}

// Short and long ones, of few values and of many: decoders mind small numbers.
std::size_t run_made(std::size_t count) {
  std::mt19937_64 random(20260101);  // NOLINT(cert-msc51-cpp): the same inputs in every run
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint8_t> bytes(random() % (i % 8 == 0 ? 1024 : 80));
    const auto values = i % 2 == 0 ? 256U : 8U;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() % values);
    static_cast<void>(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()));
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) try {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i)
    if (fs::exists(argv[i])) files += run_path(argv[i]);
  const auto made = run_made(500);
  std::printf("%zu files and %zu made inputs: no crash\n", files, made);
} catch (const std::exception& error) {
  static_cast<void>(std::fprintf(stderr, "error: %s\n", error.what()));
  return 1;
}
