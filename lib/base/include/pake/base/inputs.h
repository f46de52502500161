// What the structs are made of by which a caller hands in several things at once. Such a struct may live longer than
// the expression that filled it, so nothing in it may be a view of a temporary.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <ranges>
#include <type_traits>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/secret.h"

PAKE_EXPORT_BEGIN

namespace pake {

namespace detail {
template <class Range, class Self>
concept BytesOf = !std::same_as<std::remove_cvref_t<Range>, Self> && !std::same_as<std::remove_cvref_t<Range>, Bytes> &&
                  std::convertible_to<Range, Bytes>;
}  // namespace detail

/// Bytes of its own, copied from whatever shows bytes and wiped at its end, since they may be secret.
class OwnedBytes {
 public:
  OwnedBytes() = default;
  OwnedBytes(Bytes bytes)
      : bytes_(copy_of(bytes)) {}  // NOLINT(google-explicit-constructor): the wrapper is not to be seen
  template <detail::BytesOf<OwnedBytes> Range>
  OwnedBytes(const Range& range)
      : OwnedBytes(Bytes(range)) {}  // NOLINT(google-explicit-constructor): the wrapper is not to be seen
  OwnedBytes(const OwnedBytes& other) : OwnedBytes(Bytes(other)) {}
  OwnedBytes& operator=(const OwnedBytes& other) {
    if (this != &other) bytes_ = copy_of(other);
    return *this;
  }
  OwnedBytes(OwnedBytes&&) noexcept = default;
  OwnedBytes& operator=(OwnedBytes&&) noexcept = default;
  ~OwnedBytes() = default;

  [[nodiscard]] const std::uint8_t* data() const noexcept { return bytes_.reveal().data(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] const std::uint8_t* begin() const noexcept { return data(); }
  [[nodiscard]] const std::uint8_t* end() const noexcept { return data() + size(); }

 private:
  [[nodiscard]] static SecretBuffer copy_of(Bytes bytes) {
    return bytes.empty() ? SecretBuffer() : SecretBuffer::copy_of(bytes);
  }
  SecretBuffer bytes_;
};

/// A view of bytes that somebody else keeps: of a temporary that owns its bytes none can be made.
class BorrowedBytes : public Bytes {
 public:
  BorrowedBytes() = default;
  BorrowedBytes(Bytes bytes) noexcept
      : Bytes(bytes) {}  // NOLINT(google-explicit-constructor): the wrapper is not to be seen
  template <detail::BytesOf<BorrowedBytes> Range>
    requires std::ranges::borrowed_range<Range>
  BorrowedBytes(Range&& range) noexcept
      : Bytes(range) {}  // NOLINT(google-explicit-constructor): the wrapper is not to be seen
  template <detail::BytesOf<BorrowedBytes> Range>
    requires(!std::ranges::borrowed_range<Range>)
  BorrowedBytes(Range&& range) = delete;  // NOLINT(google-explicit-constructor): the wrapper is not to be seen
};

/// A reference to what somebody else keeps: to a temporary none can be made.
template <class T>
class Borrowed {
 public:
  Borrowed(const T& value) noexcept
      : value_(&value) {}              // NOLINT(google-explicit-constructor): the wrapper is not to be seen
  Borrowed(const T&& value) = delete;  // NOLINT(google-explicit-constructor): the wrapper is not to be seen

  operator const T&() const noexcept {
    return *value_;
  }  // NOLINT(google-explicit-constructor): the wrapper is not to be seen
  [[nodiscard]] const T& operator*() const noexcept { return *value_; }
  [[nodiscard]] const T* operator->() const noexcept { return value_; }

 private:
  const T* value_;
};

/// A value of its own that has to be given: there is no default.
template <class T>
class Given {
 public:
  template <std::convertible_to<T> Value>
    requires(!std::same_as<std::remove_cvref_t<Value>, Given>)
  Given(Value&& value)
      : value_(std::forward<Value>(value)) {}  // NOLINT(google-explicit-constructor): the wrapper is not to be seen

  operator const T&() const noexcept {
    return value_;
  }  // NOLINT(google-explicit-constructor): the wrapper is not to be seen
  [[nodiscard]] const T& operator*() const noexcept { return value_; }
  [[nodiscard]] const T* operator->() const noexcept { return &value_; }

 private:
  T value_;
};

}  // namespace pake

PAKE_EXPORT_END
