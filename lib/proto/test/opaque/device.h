// A key holder that is not this process, as far as the protocol can see.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "pake/proto/opaque/server_keys.h"

namespace pake::opaque {

class Device final : public KeyHolder {
 public:
  explicit Device(ServerKeys keys) : keys_(std::move(keys)) {}

  [[nodiscard]] SuiteId suite() const noexcept override { return keys_.suite(); }
  [[nodiscard]] Bytes public_key() const noexcept override { return keys_.public_key(); }
  [[nodiscard]] Result<KeyOperationAnswer> answer(const KeyOperation& operation) const override {
    if (unplugged) return fail(Errc::unavailable);
    ++asked;
    return keys_.answer(operation);
  }

  mutable std::atomic<int> asked = 0;
  std::atomic<bool> unplugged = false;

 private:
  ServerKeys keys_;
};

}  // namespace pake::opaque
