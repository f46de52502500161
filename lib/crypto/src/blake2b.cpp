#include "pake/crypto/blake2b.h"

#include <sodium.h>

#include "sodium_init.h"

namespace pake::crypto {
namespace {

auto* as_state(std::byte* bytes) { return reinterpret_cast<crypto_generichash_blake2b_state*>(bytes); }

}  // namespace

Blake2b::Blake2b() noexcept : state_{} {
  static_assert(sizeof(crypto_generichash_blake2b_state) <= kStateSize);
  static_assert(alignof(crypto_generichash_blake2b_state) <= 64);
  ensure_sodium();
  crypto_generichash_blake2b_init(as_state(state_.data()), nullptr, 0, kBlake2bSize);
}

Blake2b& Blake2b::update(Bytes bytes) noexcept {
  crypto_generichash_blake2b_update(as_state(state_.data()), bytes.data(), bytes.size());
  return *this;
}

Blake2bHash Blake2b::hash() const noexcept {
  auto copy = *this;
  Blake2bHash out{};
  crypto_generichash_blake2b_final(as_state(copy.state_.data()), out.data(), out.size());
  return out;
}

}  // namespace pake::crypto
