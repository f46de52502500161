#include "pake/net/stream.h"

#include "pake/internal/try.h"
#include "pake/net/coroutine.h"

namespace pake::net {

Awaitable<Outcome<std::size_t>> Stream::write_some(Bytes bytes, Deadline deadline) {
  PAKE_CO_TRYV(co_await write_all(bytes, deadline));
  co_return bytes.size();
}

}  // namespace pake::net
