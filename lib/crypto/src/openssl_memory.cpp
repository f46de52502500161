#include "pake/crypto/openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "pake/base/ct.h"

namespace pake::crypto {
namespace {

void wipe_and_free(void* block, const char* /*file*/, int /*line*/) noexcept {
  if (block == nullptr) return;
  wipe({static_cast<std::uint8_t*>(block), malloc_usable_size(block)});
  std::free(block);  // NOLINT(cppcoreguidelines-no-malloc)
}

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) noexcept {
  return std::malloc(size);  // NOLINT(cppcoreguidelines-no-malloc)
}

/// Not realloc: it may move the block and free the old one as it is.
void* reallocate(void* block, std::size_t size, const char* file, int line) noexcept {
  if (block == nullptr) return allocate(size, file, line);
  if (size == 0) {
    wipe_and_free(block, file, line);
    return nullptr;
  }
  auto* const larger = allocate(size, file, line);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, std::min(size, malloc_usable_size(block)));
  wipe_and_free(block, file, line);
  return larger;
}

}  // namespace

bool wipe_memory_that_openssl_frees() noexcept {
  return CRYPTO_set_mem_functions(allocate, reallocate, wipe_and_free) == 1;
}

}  // namespace pake::crypto
