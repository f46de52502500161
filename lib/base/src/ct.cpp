#include "pake/base/ct.h"

#include <cstring>

#ifdef PAKE_CT
#include <valgrind/memcheck.h>
#endif

namespace pake {

void wipe(MutableBytes bytes) noexcept {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  asm volatile("" : : "r"(bytes.data()) : "memory");  // the stores are observed: they may not be removed
}

namespace {

/// 1 when `accumulated` (0 to 255) is zero, without a branch.
unsigned is_zero_byte(unsigned accumulated) noexcept { return ((accumulated - 1U) >> 8U) & 1U; }

unsigned opaque(unsigned value) noexcept {
  asm volatile("" : "+r"(value));  // hides the value, so that no loop below is turned into an early exit
  return value;
}

}  // namespace

bool ct_equal(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = opaque(difference | static_cast<unsigned>(a[i] ^ b[i]));
  return declassify_value(is_zero_byte(difference)) != 0;
}

bool ct_is_zero(Bytes bytes) noexcept {
  unsigned any = 0;
  for (const auto byte : bytes) any = opaque(any | byte);
  return declassify_value(is_zero_byte(any)) != 0;
}

#ifdef PAKE_CT
void declassify(Bytes bytes) noexcept { VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }
void mark_secret(Bytes bytes) noexcept { VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()); }
#else
void declassify(Bytes) noexcept {}
void mark_secret(Bytes) noexcept {}
#endif

}  // namespace pake
