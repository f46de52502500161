// Records: what protects every byte of an open channel. docs/wire.md, section 8.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "pake/base/bytes.h"
#include "pake/base/export.h"
#include "pake/base/result.h"
#include "pake/channel/cached_key.h"
#include "pake/channel/frame.h"
#include "pake/channel/keys.h"
#include "pake/crypto/aead.h"

PAKE_EXPORT_BEGIN

namespace pake::channel {

inline constexpr std::size_t kMaxPlaintextSize = 32'768;
inline constexpr std::size_t kRecordOverhead = FrameHeader::kSize + crypto::kAeadTagSize;  // 20
inline constexpr std::size_t kMaxRecordSize = kMaxPlaintextSize + kRecordOverhead;

inline constexpr std::uint64_t kRatchetInterval = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t kMaxRecords = std::uint64_t{1} << 48U;  // of a direction

/// The frames of an open channel, for `leading_frame`.
inline constexpr std::array kAwaitedRecords = {
    AwaitedFrame{.type = FrameType::data,
                 .min_body = 1 + crypto::kAeadTagSize,
                 .max_body = kMaxPlaintextSize + crypto::kAeadTagSize},
    AwaitedFrame{.type = FrameType::close, .min_body = 1 + crypto::kAeadTagSize, .max_body = 1 + crypto::kAeadTagSize},
};

/// One direction of a channel: its key, which ratchets every 2^20 records, and the number of the next record.
class RecordDirection {
 public:
  RecordDirection(KeyCache& cache, AeadId aead, TrafficKey key) noexcept : key_(cache, aead, std::move(key)) {}

  using Nonce = std::array<std::uint8_t, crypto::kAeadNonceSize>;

  /// The nonce of the next record, and advances the sequence number; `key` is its key.
  /// @return Errc::exhausted after 2^48 records, Errc::misuse after `end`
  [[nodiscard]] Result<Nonce> next();
  [[nodiscard]] crypto::AeadKey& key() { return key_.expanded(); }
  /// No record comes after this one; the key is wiped.
  void end() noexcept;
  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }

 private:
  friend struct RecordTestAccess;  // tests begin next to the ratchet, and next to the end

  CachedKey key_;
  std::uint64_t sequence_ = 0;
  bool ended_ = false;
};

/// Seals the records of one direction, in place; nothing is allocated while the key is in the cache.
class RecordSealer {
 public:
  RecordSealer(KeyCache& cache, AeadId aead, TrafficKey key) noexcept : direction_(cache, aead, std::move(key)) {}

  /// Makes a record of its plaintext, which stands in `record` behind room for the header (4 bytes) and before room for
  /// the tag (16). `record` has 21 to kMaxRecordSize bytes; a Close record, the last of its direction, has 21.
  /// @return Errc::misuse for any other size or type and after a Close; Errc::exhausted after 2^48 records
  [[nodiscard]] Status seal(FrameType type, MutableBytes record);

  /// How many more records may be sealed.
  [[nodiscard]] std::uint64_t remaining() const noexcept { return kMaxRecords - direction_.sequence(); }

 private:
  friend struct RecordTestAccess;
  RecordDirection direction_;
};

struct OpenedRecord {
  FrameType type;          // data or close
  MutableBytes plaintext;  // where its ciphertext was
};

/// Opens the records of one direction, in place; nothing is allocated while the key is in the cache.
class RecordOpener {
 public:
  RecordOpener(KeyCache& cache, AeadId aead, TrafficKey key) noexcept : direction_(cache, aead, std::move(key)) {}

  /// Opens one whole record. An error is final: there is no second try. After a Close there is nothing more to open.
  /// @return Errc::malformed when these bytes are no record by their header, Errc::auth_failed when it does not open,
  ///         Errc::exhausted after 2^48 records, Errc::misuse after a Close or an error
  [[nodiscard]] Result<OpenedRecord> open(MutableBytes record);

  /// How many records were opened.
  [[nodiscard]] std::uint64_t sequence() const noexcept { return direction_.sequence(); }

 private:
  friend struct RecordTestAccess;
  RecordDirection direction_;
};

}  // namespace pake::channel

PAKE_EXPORT_END
