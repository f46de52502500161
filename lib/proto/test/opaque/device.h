// A key holder that is not this process, as far as the protocol can see.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <variant>

#include "pake/proto/opaque/server.h"

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

/// A device that holds what `keys` holds.
[[nodiscard]] inline std::shared_ptr<const Device> device_with(const ServerKeys& keys) {
  const ServerKeys::Encoded secrets{.oprf_seed = keys.oprf_seed().reveal(), .private_key = keys.private_key().reveal()};
  return std::make_shared<const Device>(ServerKeys::decode(keys.suite(), secrets).value());
}

/// The holder is to be asked; throws std::bad_variant_access otherwise.
[[nodiscard]] inline AwaitingKeyOperation must_ask(Result<KE1Answer> answer) {
  return std::get<AwaitingKeyOperation>(std::move(answer).value());
}

}  // namespace pake::opaque
