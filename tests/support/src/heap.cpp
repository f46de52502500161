#include "pake/testing/heap.h"

#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__)
#define PAKE_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAKE_ADDRESS_SANITIZER
#endif
#endif
#ifdef PAKE_ADDRESS_SANITIZER
#include <sanitizer/allocator_interface.h>
#endif

namespace pake::testing {

#ifdef PAKE_ADDRESS_SANITIZER
std::size_t heap_in_use() noexcept { return __sanitizer_get_current_allocated_bytes(); }
#else
std::size_t heap_in_use() noexcept { return ::mallinfo2().uordblks; }
#endif

}  // namespace pake::testing
