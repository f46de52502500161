// What programs that are processes to be measured read from their command line, and print for who measures them.
#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace pake::bench {

inline std::uint64_t to_number(std::string_view text) {
  std::uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ptr != text.data() + text.size()) std::abort();
  return value;
}

inline std::uint16_t to_port(std::string_view text) { return static_cast<std::uint16_t>(to_number(text)); }

inline void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

/// Prints the seconds of its life.
class StopWatch {
 public:
  StopWatch() = default;
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;
  ~StopWatch() { std::printf("%.6f\n", std::chrono::duration<double>(Clock::now() - start_).count()); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace pake::bench
