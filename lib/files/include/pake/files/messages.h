// What passes when files are sent: docs/files.md, to the byte. Total decoding; no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/result.h"

namespace pake::files {

/// TreeHash's.
using FileHash = std::array<std::uint8_t, 32>;

/// The service under which the receiving side opens its stream, and the version in its argument.
inline constexpr std::string_view kService = "files";
inline constexpr std::uint8_t kVersion = 2;

// docs/files.md, section 3.
inline constexpr std::size_t kMaxEntries = 1'000'000;
inline constexpr std::size_t kMaxListSize = 64UL << 20U;  // bytes of all ENTRIES together
inline constexpr std::size_t kMaxPath = 4'096;
inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::uint64_t kMaxSize = 1ULL << 62U;  // of a file, and of all together
inline constexpr std::size_t kMaxText = 65'536;
inline constexpr std::size_t kMaxBody = 262'144;  // of a message
inline constexpr std::size_t kMaxRequests = 64;   // that wait for their answer

/// What a file is called until all of it is there: its name, and this.
inline constexpr std::string_view kPartSuffix = ".pake-part";

enum class MessageType : std::uint8_t {  // on the wire: never renumber
  offer = 0x01,
  entries = 0x02,
  prefix = 0x03,
  data = 0x04,
  hole = 0x05,
  end = 0x06,
  unreadable = 0x07,
  accept = 0x10,
  decline = 0x11,
  ask = 0x12,
  fetch = 0x13,
  result = 0x14,
};

/// type (u8) || length of the body (u24)
struct MessageHeader {
  static constexpr std::size_t kSize = 4;
  MessageType type{};
  std::size_t length = 0;

  [[nodiscard]] std::array<std::uint8_t, kSize> encode() const;
  /// Errc::malformed for an unknown type, or a length that is not one of its.
  [[nodiscard]] static Result<MessageHeader> decode(std::span<const std::uint8_t, kSize> bytes);
};

enum class EntryKind : std::uint8_t { file = 1, folder = 2, stream = 3, text = 4 };  // on the wire: never renumber

/// One thing that is offered. A stream's size is not known beforehand and 0 here; it and a text are offered alone.
struct Entry {
  EntryKind kind = EntryKind::file;
  bool executable = false;
  bool is_private = false;  // nobody but its owner may read it
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // seconds since 1970
  std::uint32_t nanoseconds = 0;
  std::string path;  // components apart by '/': is_path
  friend bool operator==(const Entry&, const Entry&) = default;
};

/// Whether a path may be written below a folder: 1 to 4,096 bytes, at most 64 components of 1 to 255 bytes, none of
/// them "." or "..", no NUL, and not the name of a part. Bytes that are no UTF-8 are fine.
[[nodiscard]] bool is_path(std::string_view path);
/// A component of it, the last one included.
[[nodiscard]] bool is_name(std::string_view name);

struct Offer {
  std::uint32_t entries = 0;
  std::uint64_t total = 0;  // bytes of all files
};
struct Entries {
  std::vector<Entry> list;  // not empty
};
struct Prefix {
  std::uint32_t index = 0;
  FileHash hash{};
};
struct Data {
  Bytes bytes;  // a view of what was decoded; not empty
};
struct Hole {
  std::uint64_t length = 0;  // not 0
};
struct End {
  std::uint32_t index = 0;
  FileHash hash{};  // of the whole file
};
enum class Unreadable : std::uint8_t { cannot_read = 1, changed = 2 };  // on the wire: never renumber
struct NotComing {
  std::uint32_t index = 0;
  Unreadable reason = Unreadable::cannot_read;
};
struct Accept {};
enum class Declined : std::uint8_t { by_person = 1, too_much = 2, cannot_store = 3 };  // on the wire: never renumber
struct Decline {
  Declined reason = Declined::by_person;
};
struct Ask {
  std::uint32_t index = 0;
  std::uint64_t length = 0;  // not 0
};
struct Fetch {
  std::uint32_t index = 0;
  std::uint64_t offset = 0;
};
enum class Missing : std::uint8_t {  // on the wire: never renumber
  nothing = 0,
  no_room = 1,       // the disk is full
  exists = 2,        // another file has that name
  cannot_write = 3,  // anything else about the receiver's disk
  not_sent = 4,      // the sender could not read it, or it changed
};
/// How it ended; the receiver's last word. The three counts are of files, and together all of them.
struct Summary {
  std::uint32_t stored = 0;
  std::uint32_t unchanged = 0;
  std::uint32_t missing = 0;
  Missing reason = Missing::nothing;  // the gravest one
};

using Message = std::variant<Offer, Entries, Prefix, Data, Hole, End, NotComing, Accept, Decline, Ask, Fetch, Summary>;

/// The body of a message of `type`, every byte of it, or Errc::malformed. `Data` is a view of `body`.
[[nodiscard]] Result<Message> decode(MessageType type, Bytes body);

/// Header and body. Of `Entries` as many as fit come from EntryPacker.
[[nodiscard]] Buffer encode(const Message& message);

/// Bytes of one entry in an ENTRIES message.
[[nodiscard]] std::size_t encoded_size(const Entry& entry);

}  // namespace pake::files
