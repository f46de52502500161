// For files in which a coroutine is written: Awaitable, complete. It brings in the promise and no socket operation,
// which are compiled in net alone.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <cstddef>
#include <new>

#include "pake/base/export.h"
#include "pake/net/awaitable.h"

PAKE_EXPORT_BEGIN

namespace pake::net {

/// A pointer to the loop, as Asio's own. (asio::any_io_executor is seven times as large, and each waiting coroutine
/// holds several.)
class LoopExecutor : public asio::io_context::executor_type {
 public:
  explicit(false) LoopExecutor(const asio::io_context::executor_type& executor) noexcept
      : asio::io_context::executor_type(executor) {}
};

}  // namespace pake::net

PAKE_EXPORT_END

// Frames come from the heap, each as large as it is. Asio would keep a thread's last blocks and put a small frame into
// a block that a large one has left: thousands of connections that wait would hold what no one of them needs.
#ifndef ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING
template <>
inline void* asio::detail::awaitable_frame_base<pake::net::LoopExecutor>::operator new(std::size_t size) {
  return ::operator new(size);
}
template <>
inline void asio::detail::awaitable_frame_base<pake::net::LoopExecutor>::operator delete(void* frame,
                                                                                         std::size_t size) {
  ::operator delete(frame, size);
}
#endif
