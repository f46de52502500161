// The bytes of a key file, and what is derived from them.
//
//   "pakekeys" || version (2) = 1 || size of the whole file (4) || id (16) || created_at (8)
//   || seal key (32) || ledger key (32) || fake key (32) || ticket key (32)
//   || number of entries (2) || entries
//   || SHA-256 of everything before (32)
//
//   entry: epoch (4) || suite (1) || ksf profile (1) || created_at (8) || lp1(public key) || lp2(secrets)
//
// The checksum finds damage. It authenticates nothing: who writes this file has every secret in it.
#include "pake/store/key_file.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "pake/base/reader.h"
#include "pake/crypto/base64.h"
#include "pake/crypto/hash.h"
#include "pake/crypto/prf.h"
#include "pake/crypto/shares.h"
#include "pake/internal/try.h"

namespace pake::store {
namespace {

using crypto::HashId;

constexpr std::string_view kMagic = "pakekeys";
constexpr std::string_view kSqliteMagic = "SQLite format 3";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kChecksumSize = 32;
constexpr std::size_t kFixedSize = 8 + 2 + 4 + 16 + 8 + 4 * 32 + 2;
constexpr std::size_t kHeaderSize = 8 + 2 + 4;

constexpr const char* kRestoreHint =
    "restore the file from a backup (pake keys backup); without it no credential opens";

/// Writes secrets into a buffer of a size known beforehand.
class SecretWriter {
 public:
  explicit SecretWriter(MutableBytes out) : rest_(out) {}
  SecretWriter& put(Bytes bytes) {
    std::ranges::copy(bytes, rest_.begin());
    rest_ = rest_.subspan(bytes.size());
    return *this;
  }
  template <std::size_t N>
  SecretWriter& integer(std::uint64_t value) {
    for (std::size_t i = 0; i < N; ++i) rest_[i] = static_cast<std::uint8_t>(value >> (8 * (N - 1 - i)));
    rest_ = rest_.subspan(N);
    return *this;
  }

 private:
  MutableBytes rest_;
};

std::size_t entry_size(const EpochKeys& entry) {
  return 4 + 1 + 1 + 8 + 1 + entry.public_key.size() + 2 + entry.secrets.size();
}

auto order(const EpochKeys& entry) { return std::tuple(entry.parameters.epoch, entry.parameters.suite); }

template <class Key>
Key take_key(Reader& reader, bool& ok) {
  const auto bytes = reader.take(Key::kSize);
  ok = ok && bytes.has_value();
  return bytes ? Key::copy_of(bytes->template first<Key::kSize>()) : Key();
}

Result<EpochKeys> take_entry(Reader& reader) {
  EpochKeys entry;
  PAKE_TRY(entry.parameters.epoch, reader.u32());
  PAKE_TRY(entry.parameters.suite, reader.u8());
  PAKE_TRY(entry.parameters.ksf_profile, reader.u8());
  PAKE_TRY(const auto created_at, reader.u64());
  entry.created_at = Time(std::chrono::milliseconds(static_cast<std::int64_t>(created_at)));
  PAKE_TRY(const auto public_key, reader.take_lp1());
  entry.public_key = to_buffer(public_key);
  PAKE_TRY(const auto secrets, reader.take_lp2());
  if (secrets.size() > kMaxEpochSecrets || entry.parameters.epoch == 0) return pake::fail(Errc::malformed);
  entry.secrets = SecretBuffer::copy_of(secrets);
  return entry;
}

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) text += {kDigits[byte >> 4U], kDigits[byte & 0xfU]};
  return text;
}

}  // namespace

KeyFile KeyFile::generate(Time now, Rng& rng) {
  const auto fresh = [&](auto out) { rng.fill(out); };
  KeyFile keys;
  rng.fill(keys.id_);
  keys.created_at_ = now;
  keys.seal_key_ = crypto::SealKey::make(fresh);
  keys.ledger_key_ = Secret<32>::make(fresh);
  keys.fake_key_ = Secret<32>::make(fresh);
  keys.ticket_key_ = Secret<32>::make(fresh);
  return keys;
}

SecretBuffer KeyFile::encode() const {
  auto size = kFixedSize + kChecksumSize;
  for (const auto& entry : epochs_) size += entry_size(entry);
  return SecretBuffer::make(size, [&](MutableBytes out) {
    SecretWriter writer(out);
    writer.put(as_bytes(kMagic)).integer<2>(kVersion).integer<4>(size).put(id_);
    writer.integer<8>(static_cast<std::uint64_t>(created_at_.time_since_epoch().count()));
    writer.put(seal_key_.reveal()).put(ledger_key_.reveal()).put(fake_key_.reveal()).put(ticket_key_.reveal());
    writer.integer<2>(epochs_.size());
    for (const auto& entry : epochs_) {
      writer.integer<4>(entry.parameters.epoch).integer<1>(entry.parameters.suite);
      writer.integer<1>(entry.parameters.ksf_profile);
      writer.integer<8>(static_cast<std::uint64_t>(entry.created_at.time_since_epoch().count()));
      writer.integer<1>(entry.public_key.size()).put(entry.public_key);
      writer.integer<2>(entry.secrets.size()).put(entry.secrets.reveal());
    }
    writer.put(crypto::hash(HashId::sha256, {Bytes(out).first(size - kChecksumSize)}).reveal());
  });
}

StoreResult<KeyFile> KeyFile::decode(Bytes bytes, std::string_view where) {
  const auto file = "the key file " + std::string(where);
  const auto starts_with = [&](std::string_view magic) { return as_text(bytes).starts_with(magic); };
  if (bytes.empty()) return fail(StoreErrc::key_file_truncated, file + " is empty", kRestoreHint);
  if (starts_with(kSqliteMagic))
    return fail(StoreErrc::key_file_foreign, file + " is an SQLite database: key file and store are swapped",
                "the key file and the store are two files; name each in its place");
  if (!starts_with(kMagic.substr(0, std::min(kMagic.size(), bytes.size()))))
    return fail(StoreErrc::key_file_foreign, file + " is not a key file",
                "name the file that the first start of `pake serve` made (pake.key)");
  const auto truncated = [&] {
    return fail(StoreErrc::key_file_truncated, file + " is truncated: its end is missing", kRestoreHint);
  };
  if (bytes.size() < kHeaderSize) return truncated();
  Reader reader(bytes.subspan(kMagic.size()));
  const auto version = reader.u16().value_or(0);
  if (version > kVersion)
    return fail(StoreErrc::key_file_newer,
                file + " has version " + std::to_string(version) + "; this pake reads " + std::to_string(kVersion),
                "it was written by a newer pake: upgrade this one");
  const auto damaged = [&] {
    return fail(StoreErrc::key_file_damaged, file + " is damaged: its checksum is wrong", kRestoreHint);
  };
  if (version == 0) return damaged();
  const auto size = reader.u32().value_or(0);
  if (size < kFixedSize + kChecksumSize) return damaged();
  if (bytes.size() < size) return truncated();
  if (bytes.size() > size) return damaged();
  const auto body = bytes.first(size - kChecksumSize);
  if (!ct_equal(crypto::hash(HashId::sha256, {body}).reveal(), bytes.last(kChecksumSize))) return damaged();

  reader = Reader(body.subspan(kHeaderSize));
  KeyFile keys;
  bool ok = true;
  const auto id = reader.take(keys.id_.size());
  if (!id) return damaged();
  std::ranges::copy(*id, keys.id_.begin());
  keys.created_at_ = Time(std::chrono::milliseconds(static_cast<std::int64_t>(reader.u64().value_or(0))));
  keys.seal_key_ = take_key<crypto::SealKey>(reader, ok);
  keys.ledger_key_ = take_key<Secret<32>>(reader, ok);
  keys.fake_key_ = take_key<Secret<32>>(reader, ok);
  keys.ticket_key_ = take_key<Secret<32>>(reader, ok);
  const auto count = reader.u16();
  if (!ok || !count || *count > kMaxEpochEntries) return damaged();
  for (std::uint16_t i = 0; i < *count; ++i) {
    auto entry = take_entry(reader);
    if (!entry || (!keys.epochs_.empty() && order(keys.epochs_.back()) >= order(*entry))) return damaged();
    keys.epochs_.push_back(std::move(*entry));
  }
  if (!reader.finish()) return damaged();
  return keys;
}

const EpochKeys* KeyFile::find(std::uint32_t epoch, std::uint8_t suite) const noexcept {
  const auto at = std::ranges::find(epochs_, std::tuple(epoch, suite), order);
  return at == epochs_.end() ? nullptr : &*at;
}

std::uint32_t KeyFile::newest_epoch() const noexcept { return epochs_.empty() ? 0 : epochs_.back().parameters.epoch; }

StoreStatus KeyFile::add(EpochKeys keys) {
  const auto& [epoch, suite, profile] = keys.parameters;
  if (find(epoch, suite) != nullptr)
    return fail(StoreErrc::exists,
                "the key file has keys of epoch " + std::to_string(epoch) + " in this suite already");
  if (epoch == 0 || keys.public_key.size() > 255 || keys.secrets.size() > kMaxEpochSecrets)
    return fail(StoreErrc::misuse, "these are no keys of an epoch");
  if (epochs_.size() == kMaxEpochEntries)
    return fail(StoreErrc::misuse, "the key file holds " + std::to_string(kMaxEpochEntries) + " keys and takes no more",
                "drop the epochs under which no credential is left");
  const auto at = std::ranges::upper_bound(epochs_, order(keys), {}, order);
  epochs_.insert(at, std::move(keys));
  return {};
}

StoreStatus KeyFile::drop_epoch(std::uint32_t epoch) {
  const auto dropped = std::erase_if(epochs_, [&](const EpochKeys& keys) { return keys.parameters.epoch == epoch; });
  if (dropped == 0) return fail(StoreErrc::not_found, "the key file has no epoch " + std::to_string(epoch));
  return {};
}

BucketKey KeyFile::bucket_key(BucketKind kind, Bytes identifier) const {
  const auto kind_byte = static_cast<std::uint8_t>(kind);
  const auto mac =
      crypto::hmac(HashId::sha256, ledger_key_.reveal(), {as_bytes("pake/1 bucket"), {&kind_byte, 1}, identifier});
  BucketKey key{};
  std::ranges::copy(mac.reveal(), key.begin());
  return key;
}

std::string KeyFile::name_for_log(Bytes name) const {
  const auto mac = crypto::hmac(HashId::sha256, ledger_key_.reveal(), {as_bytes("pake/1 name in a log"), name});
  return hex(mac.reveal().first(8));
}

std::uint32_t KeyFile::fake_draw(Bytes name) const { return crypto::draw_share(fake_key_.reveal(), name); }

Secret<32> KeyFile::fake_secret(std::string_view label, Bytes identifier) const {
  return crypto::prf(fake_key_.reveal(), label, identifier);
}

crypto::SealKey KeyFile::ticket_key(std::uint32_t day) const {
  std::array<std::uint8_t, 4> encoded{};
  SecretWriter(encoded).integer<4>(day);
  return crypto::SealKey::make([&](auto out) {
    crypto::hkdf_expand(HashId::sha256, ticket_key_.reveal(), {as_bytes("pake/1 ticket key of a day"), encoded}, out);
  });
}

std::uint32_t KeyFile::day_of(Time now) noexcept {
  const auto day = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
  return day < 0 ? 0 : static_cast<std::uint32_t>(day);
}

std::string fingerprint(Bytes public_key) {
  const auto digest = crypto::hash(HashId::sha256, {public_key});
  auto text = std::string(as_text(crypto::base64_encode(digest.reveal())));
  text.erase(text.find_last_not_of('=') + 1);
  return "SHA256:" + text;
}

StoreStatus require_same_key_file(const KeyFile& keys, const KeyFileId& of_store, std::string_view where) {
  if (keys.id() == of_store) return {};
  return fail(StoreErrc::key_mismatch,
              "the store " + std::string(where) + " belongs to the key file " + hex(of_store) + ", and this is " +
                  hex(keys.id()),
              "use the key file that was made with this store, or the store that was made with this key file");
}

}  // namespace pake::store
