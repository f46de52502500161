#include "pake/crypto/modular.h"

#include <openssl/bn.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "boundary.h"
#include "openssl.h"

namespace pake::crypto {
namespace {

using MontgomeryPtr = std::unique_ptr<BN_MONT_CTX, Deleter<&BN_MONT_CTX_free>>;
using ScratchPtr = std::unique_ptr<BN_CTX, Deleter<&BN_CTX_free>>;

BnPtr to_bn(Bytes bytes) {
  BnPtr number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  must(number != nullptr);
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

BnPtr new_bn() {
  BnPtr number(BN_new());
  must(number != nullptr);
  return number;
}

}  // namespace

struct ModularGroup::State {
  SecretBuffer bytes;
  BnPtr N;
  MontgomeryPtr montgomery;

  [[nodiscard]] Bytes checked(const Residue& residue) const {
    if (residue.reveal().size() != bytes.size()) std::abort();
    return residue.reveal();
  }

  /// compute(out, scratch) is OpenSSL's and says whether it had the memory.
  template <class Compute>
  [[nodiscard]] SecretBuffer result_of(std::initializer_list<Bytes> inputs, Compute&& compute) const {
    return SecretBuffer::make(bytes.size(), [&](MutableBytes out) {
      cross_boundary("openssl-modular", inputs, out, [&] {
        const ScratchPtr scratch(BN_CTX_new());  // not kept: it is cleared when it is freed
        const auto number = new_bn();
        must(scratch != nullptr && compute(number.get(), scratch.get()) &&
             BN_bn2binpad(number.get(), out.data(), static_cast<int>(out.size())) >= 0);
      });
    });
  }
};

ModularGroup::ModularGroup(std::unique_ptr<const State> state) noexcept : state_(std::move(state)) {}
ModularGroup::ModularGroup(ModularGroup&&) noexcept = default;
ModularGroup& ModularGroup::operator=(ModularGroup&&) noexcept = default;
ModularGroup::~ModularGroup() = default;

Result<ModularGroup> ModularGroup::make(Bytes N) {
  while (!N.empty() && N.front() == 0) N = N.subspan(1);
  if (N.size() > kMaxModulusBits / 8) return fail(Errc::malformed);
  BnPtr number(BN_bin2bn(N.data(), static_cast<int>(N.size()), nullptr));
  must(number != nullptr);
  if (BN_num_bits(number.get()) < static_cast<int>(kMinModulusBits) || BN_is_odd(number.get()) == 0)
    return fail(Errc::malformed);
  MontgomeryPtr montgomery(BN_MONT_CTX_new());
  const ScratchPtr scratch(BN_CTX_new());
  must(montgomery != nullptr && scratch != nullptr &&
       BN_MONT_CTX_set(montgomery.get(), number.get(), scratch.get()) == 1);
  return ModularGroup(std::make_unique<const State>(
      State{.bytes = SecretBuffer::copy_of(N), .N = std::move(number), .montgomery = std::move(montgomery)}));
}

std::size_t ModularGroup::size() const noexcept { return state_->bytes.size(); }
Bytes ModularGroup::modulus() const noexcept { return state_->bytes.reveal(); }

Result<Residue> ModularGroup::decode(Bytes bytes) const {
  if (bytes.size() > size()) return fail(Errc::malformed);
  Residue residue(SecretBuffer::make(size(), [&](MutableBytes out) {
    std::ranges::copy(bytes, out.end() - static_cast<std::ptrdiff_t>(bytes.size()));
  }));
  unsigned borrow = 0;  // of residue - N
  for (std::size_t i = size(); i-- > 0;) borrow = ((unsigned{residue.reveal()[i]} - modulus()[i] - borrow) >> 8U) & 1U;
  if (declassify_value(borrow) == 0) return fail(Errc::malformed);
  return residue;
}

Residue ModularGroup::reduce(Bytes bytes) const {
  return Residue(state_->result_of({bytes}, [&](BIGNUM* out, BN_CTX* scratch) {
    const auto number = to_bn(bytes);
    return BN_nnmod(out, number.get(), state_->N.get(), scratch) == 1;
  }));
}

Residue ModularGroup::power(const Residue& base, Bytes exponent) const {
  const auto base_bytes = state_->checked(base);
  return Residue(state_->result_of({base_bytes, exponent}, [&](BIGNUM* out, BN_CTX* scratch) {
    const auto number = to_bn(base_bytes), to_the = to_bn(exponent);
    return BN_mod_exp_mont_consttime(out, number.get(), to_the.get(), state_->N.get(), scratch,
                                     state_->montgomery.get()) == 1;
  }));
}

Residue ModularGroup::multiply(const Residue& a, const Residue& b) const {
  const auto a_bytes = state_->checked(a), b_bytes = state_->checked(b);
  return Residue(state_->result_of({a_bytes, b_bytes}, [&](BIGNUM* out, BN_CTX* scratch) {
    const auto x = to_bn(a_bytes), y = to_bn(b_bytes);
    auto* const montgomery = state_->montgomery.get();
    return BN_to_montgomery(x.get(), x.get(), montgomery, scratch) == 1 &&
           BN_mod_mul_montgomery(out, x.get(), y.get(), montgomery, scratch) == 1;
  }));
}

Residue ModularGroup::add(const Residue& a, const Residue& b) const {
  const auto a_bytes = state_->checked(a), b_bytes = state_->checked(b);
  return Residue(state_->result_of({a_bytes, b_bytes}, [&](BIGNUM* out, BN_CTX*) {
    const auto x = to_bn(a_bytes), y = to_bn(b_bytes);
    return BN_mod_add_quick(out, x.get(), y.get(), state_->N.get()) == 1;
  }));
}

Residue ModularGroup::subtract(const Residue& a, const Residue& b) const {
  const auto a_bytes = state_->checked(a), b_bytes = state_->checked(b);
  return Residue(state_->result_of({a_bytes, b_bytes}, [&](BIGNUM* out, BN_CTX*) {
    const auto x = to_bn(a_bytes), y = to_bn(b_bytes);
    return BN_mod_sub_quick(out, x.get(), y.get(), state_->N.get()) == 1;
  }));
}

SecretBuffer multiply_add(Bytes a, Bytes b, Bytes c) {
  const auto size = std::max(a.size() + b.size(), c.size()) + 1;
  return SecretBuffer::make(size, [&](MutableBytes out) {
    std::ranges::copy(c, out.end() - static_cast<std::ptrdiff_t>(c.size()));
    for (std::size_t i = 0; i < a.size(); ++i) {  // bytes from the lowest: out += a[i] * b << 8 * i
      std::uint32_t carry = 0;
      for (std::size_t j = 0; i + j < size; ++j) {
        auto& digit = out[size - 1 - i - j];
        const std::uint32_t product =
            j < b.size() ? std::uint32_t{a[a.size() - 1 - i]} * b[b.size() - 1 - j] : std::uint32_t{0};
        carry += digit + product;
        digit = static_cast<std::uint8_t>(carry);
        carry >>= 8U;
      }
    }
  });
}

}  // namespace pake::crypto
