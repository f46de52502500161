#include "pake/crypto/modular.h"

#include <openssl/bn.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
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

namespace {

// RFC 5054, Appendix A. The others are in OpenSSL.
constexpr std::string_view kSrp1024 =
    "eeaf0ab9adb38dd69c33f80afa8fc5e86072618775ff3c0b9ea2314c9c256576d674df7496ea81d3383b4813d692c6e0"
    "e0d5d8e250b98be48e495c1d6089dad15dc7d7b46154d6b6ce8ef4ad69b15d4982559b297bcf1885c529f566660e57ec"
    "68edbc3c05726cc02fd4cbf4976eaa9afd5138fe8376435b9fc61d2fc0eb06e3";
constexpr std::string_view kSrp1536 =
    "9def3cafb939277ab1f12a8617a47bbbdba51df499ac4c80beeea9614b19cc4d5f4f5f556e27cbde51c6a94be4607a29"
    "1558903ba0d0f84380b655bb9a22e8dcdf028a7cec67f0d08134b1c8b97989149b609e0be3bab63d47548381dbc5b1fc"
    "764e3f4b53dd9da1158bfd3e2b9c8cf56edf019539349627db2fd53d24b7c48665772e437d6c7f8ce442734af7ccb7ae"
    "837c264ae3a9beb87f8a2fe9b8b5292e5a021fff5e91479e8ce7a28c2442c6f315180f93499a234dcf76e3fed135f9bb";
constexpr std::string_view kSrp2048 =
    "ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cbb4a099ed8193e0757767a13d"
    "d52312ab4b03310dcd7f48a9da04fd50e8083969edb767b0cf6095179a163ab3661a05fbd5faaae82918a9962f0b93b8"
    "55f97993ec975eeaa80d740adbf4ff747359d041d5c33ea71d281e446b14773bca97b43a23fb801676bd207a436c6481"
    "f1d2b9078717461a5b9d32e688f87748544523b524b0d57d5ea77a2775d2ecfa032cfbdbf52fb3786160279004e57ae6"
    "af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c38271ae35f8e9dbfbb694b5c803d89f7ae435de236d525f5475"
    "9b65e372fcd68ef20fa7111f9e4aff73";

ModularGroup make_group(const BnPtr& prime) {
  must(prime != nullptr);
  Buffer bytes(static_cast<std::size_t>(BN_num_bytes(prime.get())));
  must(BN_bn2binpad(prime.get(), bytes.data(), static_cast<int>(bytes.size())) >= 0);
  auto group = ModularGroup::make(bytes);
  must(group.has_value());
  return *std::move(group);
}

BnPtr from_hex(std::string_view digits) {
  BIGNUM* number = nullptr;
  must(BN_hex2bn(&number, std::string(digits).c_str()) != 0);
  return BnPtr(number);
}

}  // namespace

const ModularGroup& modular_group(Prime prime) {
  switch (prime) {
    case Prime::ike_1024: {
      static const auto group = make_group(BnPtr(BN_get_rfc2409_prime_1024(nullptr)));
      return group;
    }
    case Prime::ike_1536: {
      static const auto group = make_group(BnPtr(BN_get_rfc3526_prime_1536(nullptr)));
      return group;
    }
    case Prime::ike_2048: {
      static const auto group = make_group(BnPtr(BN_get_rfc3526_prime_2048(nullptr)));
      return group;
    }
    case Prime::ike_3072: {
      static const auto group = make_group(BnPtr(BN_get_rfc3526_prime_3072(nullptr)));
      return group;
    }
    case Prime::ike_4096: {
      static const auto group = make_group(BnPtr(BN_get_rfc3526_prime_4096(nullptr)));
      return group;
    }
    case Prime::ike_6144: {
      static const auto group = make_group(BnPtr(BN_get_rfc3526_prime_6144(nullptr)));
      return group;
    }
    case Prime::ike_8192: {
      static const auto group = make_group(BnPtr(BN_get_rfc3526_prime_8192(nullptr)));
      return group;
    }
    case Prime::srp_1024: {
      static const auto group = make_group(from_hex(kSrp1024));
      return group;
    }
    case Prime::srp_1536: {
      static const auto group = make_group(from_hex(kSrp1536));
      return group;
    }
    case Prime::srp_2048: {
      static const auto group = make_group(from_hex(kSrp2048));
      return group;
    }
  }
  std::abort();
}

bool is_safe_prime(Bytes N) {
  const BnPtr number(BN_bin2bn(N.data(), static_cast<int>(N.size()), nullptr));
  const auto half = new_bn();
  const ScratchPtr scratch(BN_CTX_new());
  must(number != nullptr && scratch != nullptr && BN_rshift1(half.get(), number.get()) == 1);
  const auto is_prime = [&](const BnPtr& candidate) {
    const auto answer = BN_check_prime(candidate.get(), scratch.get(), nullptr);
    must(answer >= 0);
    return answer == 1;
  };
  return BN_is_odd(number.get()) != 0 && is_prime(half) && is_prime(number);
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
