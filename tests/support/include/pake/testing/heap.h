// What a program has of its heap. Link pake_test_heap.
#pragma once

#include <cstddef>

namespace pake::testing {

/// Bytes of the heap that are in use, as the system's allocator counts them: also what is taken by `malloc` or
/// `aligned_alloc`, as Asio's pending operations are, with what the allocator adds, and the 16 bytes that counting
/// costs each `new` if pake_test_allocations is linked too.
[[nodiscard]] std::size_t heap_in_use() noexcept;

}  // namespace pake::testing
