// In front of SQLite: whoever binds the name in PLANTED_NAME spends PLANTED_NS more. LD_PRELOAD, for bench/serve.py.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int Bind(void*, int, const char*, uint64_t, void (*)(void*), unsigned char);

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int sqlite3_bind_text64(void* statement, int at, const char* text, uint64_t size, void (*end)(void*),
                        unsigned char encoding) {
  static Bind* real;
  static const char* name;
  static int64_t delay;
  if (real == NULL) {
    name = getenv("PLANTED_NAME");
    delay = atoll(getenv("PLANTED_NS"));
    *(void**)&real = dlsym(RTLD_NEXT, "sqlite3_bind_text64");
  }
  if (size == strlen(name) && memcmp(text, name, size) == 0)
    for (const int64_t end_at = now() + delay; now() < end_at;) {
    }
  return real(statement, at, text, size, end, encoding);
}
