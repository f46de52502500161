// Secret bytes: one owner, moved and never copied, zeroed when they go.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/ct.h"
#include "pake/base/export.h"

PAKE_EXPORT_BEGIN

namespace pake {

/// N secret bytes with one owner: moved, never copied; zeroed when moved from and when destroyed.
/// `Tag` keeps apart secrets of one size that must not take each other's place.
template <std::size_t N, class Tag = void>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept { take(other); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  ~Secret() { wipe(bytes_); }

  /// A secret written by `fill(std::span<std::uint8_t, N>)`; the bytes are zero before.
  template <std::invocable<std::span<std::uint8_t, N>> Fill>
  [[nodiscard]] static Secret make(Fill&& fill) {
    Secret secret;
    std::forward<Fill>(fill)(std::span<std::uint8_t, N>(secret.bytes_));
    return secret;
  }
  [[nodiscard]] static Secret copy_of(std::span<const std::uint8_t, N> bytes) {
    return make([&](std::span<std::uint8_t, N> out) { std::ranges::copy(bytes, out.begin()); });
  }

  [[nodiscard]] std::span<const std::uint8_t, N> reveal() const noexcept { return bytes_; }
  friend bool operator==(const Secret&, const Secret&) = delete;  // say ct_equal(a.reveal(), b.reveal())

 private:
  void take(Secret& other) noexcept {
    bytes_ = other.bytes_;
    wipe(other.bytes_);
  }
  std::array<std::uint8_t, N> bytes_{};
};

/// Secret bytes whose number is known at run time and at most `Max`; kept in place, no allocation. The size is public.
template <std::size_t Max, class Tag = void>
class SecretUpTo {
 public:
  static constexpr std::size_t kMaxSize = Max;

  SecretUpTo() = default;
  SecretUpTo(const SecretUpTo&) = delete;
  SecretUpTo& operator=(const SecretUpTo&) = delete;
  SecretUpTo(SecretUpTo&& other) noexcept { take(other); }
  SecretUpTo& operator=(SecretUpTo&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  ~SecretUpTo() { wipe(bytes_); }

  /// A secret of `size` bytes (at most Max: more is the caller's bug and is cut) written by `fill(MutableBytes)`.
  template <std::invocable<MutableBytes> Fill>
  [[nodiscard]] static SecretUpTo make(std::size_t size, Fill&& fill) {
    SecretUpTo secret;
    secret.size_ = std::min(size, Max);
    std::forward<Fill>(fill)(MutableBytes(secret.bytes_).first(secret.size_));
    return secret;
  }
  [[nodiscard]] static SecretUpTo copy_of(Bytes bytes) {
    return make(bytes.size(), [&](MutableBytes out) { std::copy_n(bytes.begin(), out.size(), out.begin()); });
  }

  [[nodiscard]] Bytes reveal() const noexcept { return Bytes(bytes_).first(size_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  friend bool operator==(const SecretUpTo&, const SecretUpTo&) = delete;

 private:
  void take(SecretUpTo& other) noexcept {
    bytes_ = other.bytes_;
    size_ = std::exchange(other.size_, 0);
    wipe(other.bytes_);
  }
  std::array<std::uint8_t, Max> bytes_{};
  std::size_t size_ = 0;
};

/// Secret bytes of any size, reserved once on the heap: a password, a file's secret. The size is public.
class SecretBuffer {
 public:
  SecretBuffer() = default;
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  SecretBuffer(SecretBuffer&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}
  SecretBuffer& operator=(SecretBuffer&& other) noexcept;
  ~SecretBuffer() { clear(); }

  /// A secret of exactly `size` bytes written by `fill(MutableBytes)`; the bytes are zero before.
  template <std::invocable<MutableBytes> Fill>
  [[nodiscard]] static SecretBuffer make(std::size_t size, Fill&& fill) {
    SecretBuffer secret(size);
    std::forward<Fill>(fill)(MutableBytes(secret.bytes_.get(), size));
    return secret;
  }
  [[nodiscard]] static SecretBuffer copy_of(Bytes bytes);

  [[nodiscard]] Bytes reveal() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  friend bool operator==(const SecretBuffer&, const SecretBuffer&) = delete;

 private:
  explicit SecretBuffer(std::size_t size) : bytes_(std::make_unique<std::uint8_t[]>(size)), size_(size) {}
  void clear() noexcept { wipe({bytes_.get(), size_}); }

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
};

static_assert(std::movable<Secret<32>> && !std::copyable<Secret<32>>);
static_assert(std::movable<SecretUpTo<32>> && !std::copyable<SecretUpTo<32>>);
static_assert(std::movable<SecretBuffer> && !std::copyable<SecretBuffer>);

}  // namespace pake

PAKE_EXPORT_END
