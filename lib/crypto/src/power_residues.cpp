#include "pake/crypto/power_residues.h"

#include <openssl/bn.h>

#include <array>
#include <utility>

#include "openssl.h"

namespace pake::crypto {
namespace {

using ScratchPtr = std::unique_ptr<BN_CTX, Deleter<&BN_CTX_free>>;

BnPtr new_bn() {
  BnPtr number(BN_new());
  must(number != nullptr);
  return number;
}

BnPtr word(unsigned value) {
  auto number = new_bn();
  must(BN_set_word(number.get(), value) == 1);
  return number;
}

}  // namespace

struct CubeModulus::State {
  Buffer modulus;
  std::array<BnPtr, kPrimes> primes;
  std::array<BnPtr, kPrimes> thirds;  // (p - 1) / 3
};

CubeModulus::CubeModulus(std::unique_ptr<const State> state) noexcept : state_(std::move(state)) {}
CubeModulus::CubeModulus(CubeModulus&&) noexcept = default;
CubeModulus& CubeModulus::operator=(CubeModulus&&) noexcept = default;
CubeModulus::~CubeModulus() = default;

Bytes CubeModulus::modulus() const noexcept { return state_->modulus; }

CubeModulus CubeModulus::generate() {
  const ScratchPtr scratch(BN_CTX_new());
  const auto six = word(6), one = word(1), three = word(3);
  auto state = std::make_unique<State>();
  auto product = word(1);
  constexpr int kPrimeBits = 8 * kSize / kPrimes;
  for (std::size_t i = 0; i + 1 < kPrimes; ++i) {  // random, and 1 modulo 6
    state->primes[i] = new_bn();
    must(BN_generate_prime_ex2(state->primes[i].get(), kPrimeBits, 0, six.get(), one.get(), nullptr, scratch.get()) ==
             1 &&
         BN_mul(product.get(), product.get(), state->primes[i].get(), scratch.get()) == 1);
  }
  // The last is the greatest prime that leaves n below 2^1024 and is 1 modulo 6: a few hundred numbers below the
  // quotient, so that n lacks less than 2^910 of 2^1024.
  auto n = new_bn(), last = new_bn();
  must(BN_set_bit(n.get(), 8 * kSize) == 1 && BN_div(last.get(), nullptr, n.get(), product.get(), scratch.get()) == 1 &&
       BN_sub_word(last.get(), BN_mod_word(last.get(), 6)) == 1 && BN_add_word(last.get(), 1) == 1 &&
       BN_sub_word(last.get(), 6) == 1);
  while (BN_check_prime(last.get(), scratch.get(), nullptr) != 1) must(BN_sub_word(last.get(), 6) == 1);
  must(BN_mul(n.get(), product.get(), last.get(), scratch.get()) == 1);
  state->primes.back() = std::move(last);
  for (std::size_t i = 0; i < kPrimes; ++i) {
    state->thirds[i] = new_bn();
    must(BN_sub(state->thirds[i].get(), state->primes[i].get(), one.get()) == 1 &&
         BN_div(state->thirds[i].get(), nullptr, state->thirds[i].get(), three.get(), scratch.get()) == 1);
  }
  state->modulus.resize(kSize);
  must(BN_bn2binpad(n.get(), state->modulus.data(), kSize) == kSize);
  return CubeModulus(std::move(state));
}

bool CubeModulus::is_cube_vartime(Bytes number) const {
  const ScratchPtr scratch(BN_CTX_new());
  const BnPtr value(BN_bin2bn(number.data(), static_cast<int>(number.size()), nullptr));
  must(scratch != nullptr && value != nullptr);
  auto power = new_bn();
  for (std::size_t i = 0; i < kPrimes; ++i) {
    const auto* const p = state_->primes[i].get();
    must(BN_nnmod(power.get(), value.get(), p, scratch.get()) == 1 &&
         BN_mod_exp(power.get(), power.get(), state_->thirds[i].get(), p, scratch.get()) == 1);
    if (BN_is_one(power.get()) == 0 && BN_is_zero(power.get()) == 0) return false;
  }
  return true;
}

}  // namespace pake::crypto
