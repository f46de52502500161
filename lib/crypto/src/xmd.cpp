#include "pake/crypto/xmd.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace pake::crypto {
namespace {

constexpr std::size_t kMaxDst = 255;

/// DST || I2OSP(len(DST), 1), whose DST is the given one or its hash. Public.
class DstPrime {
 public:
  DstPrime(HashId hash, std::initializer_list<Bytes> parts) noexcept {
    std::size_t size = 0;
    for (const auto part : parts) size += part.size();
    if (size <= kMaxDst) {
      for (const auto part : parts) append(part);
    } else {
      Hash oversize(hash);
      oversize.update(as_bytes("H2C-OVERSIZE-DST-"));
      for (const auto part : parts) oversize.update(part);
      append(oversize.finish().reveal());
    }
    bytes_[size_] = static_cast<std::uint8_t>(size_);
    ++size_;
  }
  [[nodiscard]] Bytes bytes() const noexcept { return Bytes(bytes_).first(size_); }

 private:
  void append(Bytes part) noexcept {
    std::ranges::copy(part, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += part.size();
  }
  std::array<std::uint8_t, kMaxDst + 1> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace

//   b_0 = H(zeros(s) || msg || I2OSP(n, 2) || 0x00 || DST_prime)
//   b_1 = H(b_0 || 0x01 || DST_prime)
//   b_i = H(xor(b_0, b_{i-1}) || I2OSP(i, 1) || DST_prime)
void expand_message_xmd(HashId hash, std::initializer_list<Bytes> msg_parts, std::initializer_list<Bytes> dst_parts,
                        MutableBytes out) noexcept {
  const auto n = out.size();
  if (n > 255 * output_size(hash) || n > 65535) std::abort();
  const DstPrime dst_prime(hash, dst_parts);
  const std::array<std::uint8_t, kMaxHashBlockSize> zeros{};
  const std::array<std::uint8_t, 3> n_and_zero = {static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n), 0};

  Hash first(hash);
  first.update(Bytes(zeros).first(block_size(hash)));
  for (const auto part : msg_parts) first.update(part);
  const auto b_0 = first.update(n_and_zero).update(dst_prime.bytes()).finish();

  Digest b_i;  // xor(b_0, b_0 of no bytes) is b_0, so that b_1 follows the rule of the others
  for (std::uint8_t i = 1; !out.empty(); ++i) {
    const auto mixed = Digest::make(b_0.size(), [&](MutableBytes bytes) {
      std::ranges::copy(b_0.reveal(), bytes.begin());
      for (std::size_t k = 0; k < b_i.size(); ++k) bytes[k] ^= b_i.reveal()[k];
    });
    b_i = crypto::hash(hash, {mixed.reveal(), {&i, 1}, dst_prime.bytes()});
    const auto size = std::min(out.size(), b_i.size());
    std::ranges::copy(b_i.reveal().first(size), out.begin());
    out = out.subspan(size);
  }
}

}  // namespace pake::crypto
