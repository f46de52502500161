// The handshake's messages: docs/wire.md, sections 3.1 to 3.8. Decoded messages are views of the frame they came in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/inputs.h"
#include "pake/channel/alert.h"
#include "pake/channel/frame.h"
#include "pake/channel/keys.h"
#include "pake/channel/suite.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

inline constexpr std::uint8_t kVersion = 2;
inline constexpr std::size_t kMaxHelloSize = 8192;  // the body of a ClientHello, of a ServerHello
inline constexpr std::size_t kMaxOffers = 8;        // AEADs, suites

/// The sizes of a suite's three messages.
struct PakeSizes {
  std::size_t hello;   // KE1, Ya; of a resumption only share || binder, which follow the ticket
  std::size_t answer;  // KE2, Yb || Tb, share || server_proof
  std::size_t finish;  // KE3, Ta, client_proof
};

[[nodiscard]] PakeSizes sizes_of(Suite suite) noexcept;
[[nodiscard]] HandshakeKind kind_of(Suite suite) noexcept;
/// The suite of `kind` that the byte names; nothing for any other.
[[nodiscard]] std::optional<Suite> find_suite(HandshakeKind kind, std::uint8_t byte) noexcept;

/// Whether a hello's AEADs or suites name this one.
[[nodiscard]] bool contains(Bytes offer, std::uint8_t identifier) noexcept;

struct ClientHello {
  static constexpr std::size_t kRandomSize = 32;

  HandshakeKind kind{};
  std::array<std::uint8_t, kRandomSize> random{};
  BorrowedBytes aeads{};   // 1 to 8 distinct identifiers, chacha20_poly1305 among them; unknown ones are left in
  BorrowedBytes suites{};  // 1 to 8 distinct identifiers, the first a suite of `kind`; unknown ones are left in
  BorrowedBytes server_name{};
  BorrowedBytes name{};        // login: 1 to 255 bytes; code: up to 255 bytes; resume: empty
  BorrowedBytes extensions{};  // well-formed, none that must be understood
  BorrowedBytes pake{};        // of sizes_of(suite()).hello bytes; resume: behind lp2(1 to 1,024 bytes)

  /// The suite of `pake`.
  [[nodiscard]] Suite suite() const noexcept { return static_cast<Suite>(suites[0]); }
  /// The frame as far as the length of `pake`, for `pake_size` bytes that follow. The message without its `pake` is one
  /// that `decode` would take; more than 8,192 bytes in all abort (the bounds of the fields exclude them).
  [[nodiscard]] Buffer encode_up_to_pake(std::size_t pake_size) const;
  [[nodiscard]] static Decoded<ClientHello> decode(Bytes body);
};

struct Retry {
  static constexpr std::size_t kSize = 2;

  std::uint8_t suite = 0;

  /// The whole frame, 6 bytes.
  [[nodiscard]] Buffer encode() const;
  [[nodiscard]] static Decoded<Retry> decode(Bytes body) noexcept;
};

struct ServerHello {
  std::uint8_t suite = 0;
  AeadId aead{};
  std::uint8_t ksf = 0;
  BorrowedBytes extensions{};  // well-formed, none that must be understood
  BorrowedBytes pake{};

  /// The frame as far as the length of `pake`, for `pake_size` bytes that follow.
  [[nodiscard]] Buffer encode_up_to_pake(std::size_t pake_size) const;
  [[nodiscard]] static Decoded<ServerHello> decode(Bytes body);
};

/// The whole frame of a ClientFinish, whose body is the third PAKE message.
[[nodiscard]] Buffer encode_client_finish(Bytes pake);

}  // namespace pake::channel

PAKE_EXPORT_END
