// What the programs that run under MemorySanitizer share: secrets are poisoned, and are to be so still where they come
// out.
#pragma once

#include <sanitizer/msan_interface.h>

#include <cstdio>
#include <cstdlib>

namespace {

void require(bool condition, const char* what) {
  if (condition) return;
  static_cast<void>(std::fprintf(stderr, "error: %s\n", what));
  std::exit(1);
}

template <class T>
bool is_secret(const T& value) {
  return __msan_test_shadow(&value, sizeof value) != -1;
}

}  // namespace
