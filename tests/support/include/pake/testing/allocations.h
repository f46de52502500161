// What a program takes from the heap, counted. Link pake_test_allocations: it replaces operator new, and OpenSSL's
// allocator before OpenSSL first allocates.
#pragma once

#include <cstddef>

namespace pake::testing {

struct Allocations {
  std::size_t calls = 0;  // since the program began
  std::size_t bytes = 0;  // live now, as asked for
};

[[nodiscard]] Allocations allocations() noexcept;

}  // namespace pake::testing
