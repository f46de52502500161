#include "pake/base/secret.h"

namespace pake {

SecretBuffer& SecretBuffer::operator=(SecretBuffer&& other) noexcept {
  if (this != &other) {
    clear();
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

SecretBuffer SecretBuffer::copy_of(Bytes bytes) {
  return make(bytes.size(), [&](MutableBytes out) { std::ranges::copy(bytes, out.begin()); });
}

}  // namespace pake
