#include "pake/testing/allocations.h"

#include <openssl/crypto.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace pake::testing {
namespace {

std::size_t calls = 0;  // the programs that count have one thread
std::size_t bytes = 0;

// Before what is handed out stand its size and, right in front of it, the distance to where its block begins.
void* allocate(std::size_t size, std::size_t alignment) {
  const auto room = alignment < 2 * sizeof(std::size_t) ? 2 * sizeof(std::size_t) : alignment;
  auto* block = static_cast<char*>(std::aligned_alloc(room, (room + size + room - 1) / room * room));
  if (block == nullptr) return nullptr;
  const std::size_t note[] = {size, room};
  std::memcpy(block + room - sizeof note, note, sizeof note);
  ++calls;
  bytes += size;
  return block + room;
}

void release(void* pointer) noexcept {
  if (pointer == nullptr) return;
  std::size_t note[2];
  std::memcpy(note, static_cast<char*>(pointer) - sizeof note, sizeof note);
  bytes -= note[0];
  std::free(static_cast<char*>(pointer) - note[1]);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  if (auto* pointer = allocate(size, alignment)) return pointer;
  throw std::bad_alloc();
}

void* openssl_allocate(std::size_t size, const char* /*file*/, int /*line*/) { return allocate(size, 1); }
void openssl_release(void* pointer, const char* /*file*/, int /*line*/) { release(pointer); }
void* openssl_reallocate(void* pointer, std::size_t size, const char* /*file*/, int /*line*/) {
  auto* bigger = allocate(size, 1);
  if (bigger == nullptr || pointer == nullptr) return bigger;
  std::size_t old = 0;
  std::memcpy(&old, static_cast<char*>(pointer) - 2 * sizeof old, sizeof old);
  std::memcpy(bigger, pointer, old < size ? old : size);
  release(pointer);
  return bigger;
}

[[gnu::constructor]] void count_openssl() noexcept {
  if (CRYPTO_set_mem_functions(&openssl_allocate, &openssl_reallocate, &openssl_release) != 1) std::abort();
}

}  // namespace

Allocations allocations() noexcept { return {.calls = calls, .bytes = bytes}; }

}  // namespace pake::testing

void* operator new(std::size_t size) { return pake::testing::allocate_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return pake::testing::allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* pointer) noexcept { pake::testing::release(pointer); }
void operator delete(void* pointer, std::size_t /*size*/) noexcept { pake::testing::release(pointer); }
void operator delete(void* pointer, std::align_val_t /*alignment*/) noexcept { pake::testing::release(pointer); }
void operator delete(void* pointer, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  pake::testing::release(pointer);
}
