#include "pake/channel/record.h"

#include <algorithm>

#include "pake/internal/try.h"

namespace pake::channel {
namespace {

constexpr auto kHeaderSize = FrameHeader::kSize;
constexpr auto kTagSize = crypto::kAeadTagSize;

/// header || text || tag
struct Layout {
  explicit Layout(MutableBytes record) noexcept
      : header(record.first<kHeaderSize>()),
        text(record.subspan(kHeaderSize, record.size() - kRecordOverhead)),
        tag(record.last<kTagSize>()) {}

  std::span<std::uint8_t, kHeaderSize> header;
  MutableBytes text;
  crypto::MutableAeadTag tag;
};

bool is_record(FrameType type, std::size_t size) noexcept {
  return std::ranges::any_of(kAwaitedRecords, [=](const AwaitedFrame& awaited) {
    return type == awaited.type && size >= kHeaderSize + awaited.min_body && size <= kHeaderSize + awaited.max_body;
  });
}

}  // namespace

// nonce = iv xor (00 00 00 00 || sequence number as u64)
Result<RecordDirection::Nonce> RecordDirection::next() {
  if (ended_) return fail(Errc::misuse);
  if (sequence_ == kMaxRecords) return fail(Errc::exhausted);
  if (sequence_ != 0 && sequence_ % kRatchetInterval == 0) key_.replace(ratchet(key_.key()));
  Nonce nonce;
  std::ranges::copy(key_.key().reveal().last<crypto::kAeadNonceSize>(), nonce.begin());
  for (std::size_t i = 0; i < sizeof sequence_; ++i)
    nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(sequence_ >> 8 * i);
  ++sequence_;
  return nonce;
}

void RecordDirection::end() noexcept {
  ended_ = true;
  key_.replace({});
}

Status RecordSealer::seal(FrameType type, MutableBytes record) {
  if (!is_record(type, record.size())) return fail(Errc::misuse);
  PAKE_TRY(const auto nonce, direction_.next());
  const Layout parts(record);
  const auto length = static_cast<std::uint32_t>(record.size() - kHeaderSize);
  std::ranges::copy(FrameHeader{.type = type, .length = length}.encode(), parts.header.begin());
  direction_.key().seal(nonce, parts.header, parts.text, parts.tag);
  if (type == FrameType::close) direction_.end();
  return {};
}

Result<OpenedRecord> RecordOpener::open(MutableBytes record) {
  const auto final_error = [this](Errc error) {
    direction_.end();
    return fail(error);
  };
  if (record.size() < kHeaderSize) return final_error(Errc::malformed);
  const auto header = FrameHeader::decode(record.first<kHeaderSize>());
  if (!is_record(header.type, record.size()) || header.length != record.size() - kHeaderSize)
    return final_error(Errc::malformed);
  PAKE_TRY(const auto nonce, direction_.next());
  const Layout parts(record);
  const auto opened = direction_.key().open(nonce, parts.header, parts.text, parts.tag);
  if (!opened) return final_error(opened.error());
  if (header.type == FrameType::close) direction_.end();
  return OpenedRecord{.type = header.type, .plaintext = parts.text};
}

}  // namespace pake::channel
