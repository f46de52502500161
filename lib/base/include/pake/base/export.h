// What a shared library shows: declarations between PAKE_EXPORT_BEGIN and PAKE_EXPORT_END, which every installed header
// has around its own. Everything else is hidden; and in static libraries these are too, so that a user's shared library
// does not pass them on as its own. PAKE_HIDDEN takes the inside of an exported class out again.
#pragma once

#ifdef PAKE_SHARED  // while libpake and libpake-net are compiled as shared libraries
#define PAKE_EXPORT_BEGIN _Pragma("GCC visibility push(default)")
#define PAKE_EXPORT_END _Pragma("GCC visibility pop")
#define PAKE_HIDDEN __attribute__((visibility("hidden")))
#else
#define PAKE_EXPORT_BEGIN
#define PAKE_EXPORT_END
#define PAKE_HIDDEN
#endif
