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

/// Bytes of the heap that are in use, as the system's allocator counts them: also what is taken by `malloc` or
/// `aligned_alloc`, as Asio's pending operations are, with what the allocator adds and the 16 bytes that counting costs
/// each `new`.
[[nodiscard]] std::size_t heap_in_use() noexcept;

}  // namespace pake::testing
