// Files and unix sockets that nobody but their owner may open.
#pragma once

#include <sys/stat.h>

namespace pake::cli {

/// What the process makes while it lives is for its owner alone, whatever the umask was.
class OwnerOnly {
 public:
  OwnerOnly() : before_(::umask(S_IRWXG | S_IRWXO)) {}
  OwnerOnly(const OwnerOnly&) = delete;
  OwnerOnly& operator=(const OwnerOnly&) = delete;
  ~OwnerOnly() { ::umask(before_); }

 private:
  mode_t before_;
};

}  // namespace pake::cli
