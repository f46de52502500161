// Many numbered pieces of work on all cores, with a line of progress at a terminal, until one of them finds what is
// sought or a signal comes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace pake::cli::lab {

struct Pieces {
  std::uint64_t from = 0;   // those before are done
  std::uint64_t count = 0;  // pieces are numbered from 0 to count - 1
  std::uint64_t units = 1;  // in each: words, keys
  std::uint64_t total = 0;  // units in all of them
  std::string name;         // of a unit, in the plural
  std::size_t threads = 1;
};

struct SearchEnd {
  bool is_found = false;
  int signal = 0;                 // that ended it, or 0
  std::uint64_t done_before = 0;  // all pieces before this one are done
  std::uint64_t units_tried = 0;  // in this run
  std::chrono::duration<double> took{};
};

/// @param work  is called on any thread, for one piece each; true: this is it, no other is begun
/// @param keep  is called at the beginning, every few seconds and at the end, on the caller's thread, with
///              SearchEnd::done_before; false ends the search
[[nodiscard]] SearchEnd search(const Pieces& pieces, const std::function<bool(std::uint64_t piece)>& work,
                               const std::function<bool(std::uint64_t)>& keep = {});

/// As many threads as there are cores, within bounds.
[[nodiscard]] std::size_t all_cores() noexcept;

/// "12,345,678"
[[nodiscard]] std::string grouped(std::uint64_t number);
/// "3.2 million": three figures at most below a thousand of a unit.
[[nodiscard]] std::string about(double number);
/// "4 minutes", "2 hours", "below a second".
[[nodiscard]] std::string about_time(std::chrono::duration<double> time);

}  // namespace pake::cli::lab
