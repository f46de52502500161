#include "pake/files/messages.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"

namespace pake::files {
namespace {

constexpr std::size_t kEntryFixedSize = 1 + 1 + 8 + 8 + 4 + 2;
constexpr std::uint8_t kExecutable = 1;
constexpr std::uint8_t kPrivate = 2;
constexpr std::uint32_t kNanoseconds = 1'000'000'000;

struct Lengths {
  std::size_t from, to;
};

// docs/files.md, section 2. Nothing for a type that there is not.
Result<Lengths> lengths_of(MessageType type) {
  switch (type) {
    case MessageType::offer:
      return Lengths{13, 13};
    case MessageType::entries:
      return Lengths{kEntryFixedSize + 1, kMaxBody};
    case MessageType::prefix:
    case MessageType::end:
      return Lengths{36, 36};
    case MessageType::data:
      return Lengths{1, kMaxBody};
    case MessageType::hole:
      return Lengths{8, 8};
    case MessageType::unreadable:
      return Lengths{5, 5};
    case MessageType::accept:
      return Lengths{0, 0};
    case MessageType::decline:
      return Lengths{1, 1};
    case MessageType::ask:
    case MessageType::fetch:
      return Lengths{12, 12};
    case MessageType::result:
      return Lengths{13, 13};
  }
  return fail(Errc::malformed);
}

Result<Entry> decode_entry(Reader& reader) {
  Entry entry;
  PAKE_TRY(const auto kind, reader.u8());
  PAKE_TRY(const auto mode, reader.u8());
  if (kind < 1 || kind > 4 || mode > (kExecutable | kPrivate)) return fail(Errc::malformed);
  entry.kind = static_cast<EntryKind>(kind);
  entry.executable = (mode & kExecutable) != 0;
  entry.is_private = (mode & kPrivate) != 0;
  PAKE_TRY(entry.size, reader.u64());
  PAKE_TRY(const auto modified, reader.u64());
  entry.modified = std::bit_cast<std::int64_t>(modified);
  PAKE_TRY(entry.nanoseconds, reader.u32());
  PAKE_TRY(const auto path, reader.take_lp2());
  entry.path = as_text(path);
  if (entry.size > kMaxSize || entry.nanoseconds >= kNanoseconds || !is_path(entry.path)) return fail(Errc::malformed);
  if ((entry.kind == EntryKind::folder || entry.kind == EntryKind::stream) && entry.size != 0)
    return fail(Errc::malformed);
  if (entry.kind == EntryKind::text && entry.size > kMaxText) return fail(Errc::malformed);
  return entry;
}

void put(Writer& writer, const Entry& entry) {
  const auto mode = (entry.executable ? kExecutable : 0) | (entry.is_private ? kPrivate : 0);
  writer.u8(std::to_underlying(entry.kind)).u8(static_cast<std::uint8_t>(mode)).u64(entry.size);
  writer.u64(std::bit_cast<std::uint64_t>(entry.modified)).u32(entry.nanoseconds).put_lp2(as_bytes(entry.path));
}

Result<Message> decode_entries(Reader& reader) {
  Entries entries;
  while (!reader.rest().empty()) {
    PAKE_TRY(auto entry, decode_entry(reader));
    entries.list.push_back(std::move(entry));
  }
  return entries;
}

template <class T>
Result<Message> decode_hash(Reader& reader) {
  T message;
  PAKE_TRY(message.index, reader.u32());
  PAKE_TRY(const auto hash, reader.take(message.hash.size()));
  std::ranges::copy(hash, message.hash.begin());
  return message;
}

template <class Enum>
Result<Enum> decode_enum(Reader& reader, Enum first, Enum last) {
  PAKE_TRY(const auto value, reader.u8());
  if (value < std::to_underlying(first) || value > std::to_underlying(last)) return fail(Errc::malformed);
  return static_cast<Enum>(value);
}

Result<Message> decode_body(MessageType type, Reader& reader) {
  switch (type) {
    case MessageType::offer: {
      Offer offer;
      PAKE_TRY(const auto version, reader.u8());
      PAKE_TRY(offer.entries, reader.u32());
      PAKE_TRY(offer.total, reader.u64());
      if (version != kVersion || offer.entries == 0 || offer.entries > kMaxEntries || offer.total > kMaxSize)
        return fail(Errc::malformed);
      return offer;
    }
    case MessageType::entries:
      return decode_entries(reader);
    case MessageType::prefix:
      return decode_hash<Prefix>(reader);
    case MessageType::end:
      return decode_hash<End>(reader);
    case MessageType::data: {
      PAKE_TRY(const auto bytes, reader.take(reader.rest().size()));
      return Data{bytes};
    }
    case MessageType::hole: {
      PAKE_TRY(const auto length, reader.u64());
      if (length == 0 || length > kMaxSize) return fail(Errc::malformed);
      return Hole{length};
    }
    case MessageType::unreadable: {
      NotComing message;
      PAKE_TRY(message.index, reader.u32());
      PAKE_TRY(message.reason, decode_enum(reader, Unreadable::cannot_read, Unreadable::changed));
      return message;
    }
    case MessageType::accept:
      return Accept{};
    case MessageType::decline: {
      PAKE_TRY(const auto reason, decode_enum(reader, Declined::by_person, Declined::cannot_store));
      return Decline{reason};
    }
    case MessageType::ask: {
      Ask ask;
      PAKE_TRY(ask.index, reader.u32());
      PAKE_TRY(ask.length, reader.u64());
      if (ask.length == 0) return fail(Errc::malformed);
      return ask;
    }
    case MessageType::fetch: {
      Fetch fetch;
      PAKE_TRY(fetch.index, reader.u32());
      PAKE_TRY(fetch.offset, reader.u64());
      return fetch;
    }
    case MessageType::result: {
      Summary summary;
      PAKE_TRY(summary.stored, reader.u32());
      PAKE_TRY(summary.unchanged, reader.u32());
      PAKE_TRY(summary.missing, reader.u32());
      PAKE_TRY(summary.reason, decode_enum(reader, Missing::nothing, Missing::not_sent));
      if ((summary.missing == 0) != (summary.reason == Missing::nothing)) return fail(Errc::malformed);
      return summary;
    }
  }
  return fail(Errc::malformed);
}

struct Encoder {
  Writer& out;

  MessageType operator()(const Offer& offer) const {
    out.u8(kVersion).u32(offer.entries).u64(offer.total);
    return MessageType::offer;
  }
  MessageType operator()(const Entries& entries) const {
    for (const auto& entry : entries.list) put(out, entry);
    return MessageType::entries;
  }
  MessageType operator()(const Prefix& prefix) const {
    out.u32(prefix.index).put(prefix.hash);
    return MessageType::prefix;
  }
  MessageType operator()(const Data& data) const {
    out.put(data.bytes);
    return MessageType::data;
  }
  MessageType operator()(const Hole& hole) const {
    out.u64(hole.length);
    return MessageType::hole;
  }
  MessageType operator()(const End& end) const {
    out.u32(end.index).put(end.hash);
    return MessageType::end;
  }
  MessageType operator()(const NotComing& message) const {
    out.u32(message.index).u8(std::to_underlying(message.reason));
    return MessageType::unreadable;
  }
  MessageType operator()(const Accept&) const { return MessageType::accept; }
  MessageType operator()(const Decline& decline) const {
    out.u8(std::to_underlying(decline.reason));
    return MessageType::decline;
  }
  MessageType operator()(const Ask& ask) const {
    out.u32(ask.index).u64(ask.length);
    return MessageType::ask;
  }
  MessageType operator()(const Fetch& fetch) const {
    out.u32(fetch.index).u64(fetch.offset);
    return MessageType::fetch;
  }
  MessageType operator()(const Summary& summary) const {
    out.u32(summary.stored).u32(summary.unchanged).u32(summary.missing).u8(std::to_underlying(summary.reason));
    return MessageType::result;
  }
};

}  // namespace

std::array<std::uint8_t, MessageHeader::kSize> MessageHeader::encode() const {
  return {std::to_underlying(type), static_cast<std::uint8_t>(length >> 16U), static_cast<std::uint8_t>(length >> 8U),
          static_cast<std::uint8_t>(length)};
}

Result<MessageHeader> MessageHeader::decode(std::span<const std::uint8_t, kSize> bytes) {
  const MessageHeader header{.type = static_cast<MessageType>(bytes[0]),
                             .length = static_cast<std::size_t>(bytes[1]) << 16U |
                                       static_cast<std::size_t>(bytes[2]) << 8U | static_cast<std::size_t>(bytes[3])};
  PAKE_TRY(const auto lengths, lengths_of(header.type));
  if (header.length < lengths.from || header.length > lengths.to) return fail(Errc::malformed);
  return header;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos && !name.ends_with(kPartSuffix);
}

bool is_path(std::string_view path) {
  if (path.size() > kMaxPath) return false;
  for (std::size_t depth = 0; depth < kMaxDepth; ++depth) {
    const auto slash = path.find('/');
    if (!is_name(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
  return false;
}

Result<Message> decode(MessageType type, Bytes body) {
  PAKE_TRY(const auto lengths, lengths_of(type));
  if (body.size() < lengths.from || body.size() > lengths.to) return fail(Errc::malformed);
  Reader reader(body);
  PAKE_TRY(auto message, decode_body(type, reader));
  PAKE_TRYV(reader.finish());
  return message;
}

Buffer encode(const Message& message) {
  Writer body;
  const auto type = std::visit(Encoder{body}, message);
  const MessageHeader header{.type = type, .length = body.bytes().size()};
  return Writer(MessageHeader::kSize + header.length).put(header.encode()).put(body.bytes()).take();
}

std::size_t encoded_size(const Entry& entry) { return kEntryFixedSize + entry.path.size(); }

}  // namespace pake::files
