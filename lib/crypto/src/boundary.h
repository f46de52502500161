// Private to the room: where constant-time testing stops. A library that computes in variable time is called through
// here and nowhere else; each call site is a line of tests/ct/boundaries.md.
#pragma once

#include <initializer_list>

#include "pake/base/ct.h"

#ifdef PAKE_CT
#include <valgrind/memcheck.h>

#include <algorithm>
#endif

namespace pake::crypto {

#ifdef PAKE_CT
/// Whether any bit is marked secret.
[[nodiscard]] inline bool is_marked_secret(Bytes bytes) {
  Buffer marks(bytes.size());
  VALGRIND_GET_VBITS(bytes.data(), marks.data(), marks.size());
  return std::ranges::any_of(marks, [](auto byte) { return byte != 0; });
}

/// Runs `call` with valgrind's reports switched off, and has valgrind note the crossing by `name`. The taint is kept:
/// `output` is secret if any of `inputs` was.
template <class Call>
void cross_boundary(const char* name, std::initializer_list<Bytes> inputs, Bytes output, Call&& call) {
  const bool secret = std::ranges::any_of(inputs, is_marked_secret);
  if (secret) VALGRIND_PRINTF("crossed: %s\n", name);
  VALGRIND_DISABLE_ERROR_REPORTING;
  call();
  VALGRIND_ENABLE_ERROR_REPORTING;
  if (secret) mark_secret(output);
}
#else
template <class Call>
void cross_boundary(const char*, std::initializer_list<Bytes>, Bytes, Call&& call) {
  call();
}
#endif

}  // namespace pake::crypto
