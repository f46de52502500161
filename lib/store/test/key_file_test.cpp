#include "pake/store/key_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;

EpochKeys epoch_keys(std::uint32_t epoch, std::uint8_t suite, std::string_view secret = "secret") {
  return {.parameters = {.epoch = epoch, .suite = suite, .ksf_profile = 2},
          .created_at = kNow,
          .public_key = to_buffer(as_bytes("public" + std::to_string(epoch))),
          .secrets = SecretBuffer::copy_of(as_bytes(secret))};
}

KeyFile some_keys(std::uint64_t seed = 1) {
  SeededRng rng(seed);
  auto keys = KeyFile::generate(kNow, rng);
  must(keys.add(epoch_keys(2, 1)));
  must(keys.add(epoch_keys(1, 2, "")));
  must(keys.add(epoch_keys(1, 1, std::string(kMaxEpochSecrets, 's'))));
  return keys;
}

void write(const std::filesystem::path& path, Bytes bytes, mode_t mode = 0600) {
  std::ofstream(path, std::ios::binary).write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

Buffer bytes_of(const KeyFile& keys) { return to_buffer(keys.encode().reveal()); }

/// Fails unless it is this error, in words of its own and with a way out; remembers the words.
void expect_error(const StoreResult<KeyFile>& result, StoreErrc code, std::set<std::string>& messages) {
  ASSERT_FALSE(result) << to_string(code);
  EXPECT_EQ(result.error().code, code) << explain(result.error());
  EXPECT_FALSE(result.error().hint.empty()) << explain(result.error());
  EXPECT_TRUE(messages.insert(result.error().message).second) << explain(result.error());
}

TEST(KeyFile, IsReadAsItWasWritten) {
  const TemporaryDirectory directory;
  const auto keys = some_keys();
  const auto path = directory / "pake.key";
  must(create_key_file(path, keys));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  const auto read = must(read_key_file(path));
  EXPECT_EQ(bytes_of(read), bytes_of(keys));
  EXPECT_EQ(read.id(), keys.id());
  EXPECT_EQ(read.created_at(), kNow);
  ASSERT_EQ(read.epochs().size(), 3U);
  EXPECT_EQ(read.epochs()[0].parameters, (CredentialParameters{.epoch = 1, .suite = 1, .ksf_profile = 2}));
  EXPECT_EQ(read.epochs()[1].parameters.suite, 2);
  EXPECT_EQ(read.newest_epoch(), 2U);
  EXPECT_EQ(as_text(read.find(2, 1)->secrets.reveal()), "secret");
  EXPECT_EQ(read.find(2, 2), nullptr);
}

TEST(KeyFile, LeavesNoTemporaryFileAndOverwritesNothing) {
  const TemporaryDirectory directory;
  must(create_key_file(directory / "pake.key", some_keys()));
  EXPECT_EQ(code_of(create_key_file(directory / "pake.key", some_keys(2))), StoreErrc::key_file_exists);
  EXPECT_EQ(must(read_key_file(directory / "pake.key")).id(), some_keys().id());
  must(change_key_file(directory / "pake.key", [](KeyFile& keys) { return keys.drop_epoch(1); }));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
}

TEST(KeyFile, HasAMessageAndAWayOutForEveryMistake) {
  const TemporaryDirectory directory;
  std::set<std::string> messages;
  const auto path = directory / "pake.key";
  const auto whole = bytes_of(some_keys());
  const auto reading = [&](Buffer bytes, mode_t mode = 0600) {
    write(path, bytes, mode);
    return read_key_file(path);
  };

  expect_error(read_key_file(path), StoreErrc::key_file_missing, messages);
  expect_error(reading(whole, 0640), StoreErrc::key_file_exposed, messages);
  expect_error(reading(whole, 0604), StoreErrc::key_file_exposed, messages);
  expect_error(reading(whole, 0620), StoreErrc::key_file_exposed, messages);
  expect_error(reading(whole, 0602), StoreErrc::key_file_exposed, messages);
  expect_error(reading({}), StoreErrc::key_file_truncated, messages);
  expect_error(reading(Buffer(whole.begin(), whole.end() - 1)), StoreErrc::key_file_truncated, messages);
  expect_error(reading(to_buffer(as_bytes("-----BEGIN PRIVATE KEY-----\n"))), StoreErrc::key_file_foreign, messages);
  expect_error(reading(to_buffer({reinterpret_cast<const std::uint8_t*>("SQLite format 3\0\x10"), 17})),
               StoreErrc::key_file_foreign, messages);
  auto newer = whole;
  newer[9] = 2;
  expect_error(reading(newer), StoreErrc::key_file_newer, messages);
  auto damaged = whole;
  damaged[60] ^= 1;
  expect_error(reading(damaged), StoreErrc::key_file_damaged, messages);
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  expect_error(read_key_file(path), StoreErrc::key_file_foreign, messages);
  const auto mismatch = require_same_key_file(some_keys(1), some_keys(2).id(), "pake.db");
  ASSERT_FALSE(mismatch);
  EXPECT_EQ(mismatch.error().code, StoreErrc::key_mismatch);
  EXPECT_TRUE(messages.insert(mismatch.error().message).second);
  must(require_same_key_file(some_keys(1), some_keys(1).id(), "pake.db"));
}

TEST(KeyFile, OfAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const TemporaryDirectory directory;
  write(directory / "pake.key", bytes_of(some_keys()));
  ASSERT_EQ(::chown((directory / "pake.key").c_str(), 12345, 12345), 0);
  EXPECT_EQ(code_of(read_key_file(directory / "pake.key")), StoreErrc::key_file_exposed);
}

TEST(KeyFile, MayBeReadByGroupAsACredentialOfSystemd) {
  const TemporaryDirectory directory;
  const auto path = directory / "pake.key";
  write(path, bytes_of(some_keys()), 0440);
  EXPECT_EQ(code_of(read_key_file(path)), StoreErrc::key_file_exposed);
  must(read_key_file(path, KeyFilePlace::system_credential));
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  EXPECT_EQ(code_of(read_key_file(path, KeyFilePlace::system_credential)), StoreErrc::key_file_exposed);
  ASSERT_EQ(::chmod(path.c_str(), 0460), 0);
  EXPECT_EQ(code_of(read_key_file(path, KeyFilePlace::system_credential)), StoreErrc::key_file_exposed);
}

TEST(KeyFile, EveryByteAndEveryLengthMatters) {
  const auto whole = bytes_of(some_keys());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = KeyFile::decode(Bytes(whole).first(size), "f");
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code, StoreErrc::key_file_truncated) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto changed = whole;
    changed[at] ^= 0x41U;
    EXPECT_FALSE(KeyFile::decode(changed, "f")) << at;
  }
  auto longer = whole;
  longer.push_back(0);
  EXPECT_EQ(code_of(KeyFile::decode(longer, "f")), StoreErrc::key_file_damaged);
}

TEST(KeyFile, StagesTheNextEpochUnderALock) {
  const TemporaryDirectory directory;
  const auto path = directory / "pake.key";
  must(create_key_file(path, some_keys()));
  const auto make = [](std::uint32_t epoch) -> StoreResult<std::vector<EpochKeys>> {
    std::vector<EpochKeys> made;
    made.push_back(epoch_keys(epoch, 1));
    made.push_back(epoch_keys(epoch, 2));
    return made;
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 3; ++i) must(stage_epoch(path, make));
      });
  }
  const auto keys = must(read_key_file(path));
  EXPECT_EQ(keys.newest_epoch(), 14U);  // none was lost
  EXPECT_EQ(keys.epochs().size(), 3U + 24U);
  EXPECT_EQ(keys.id(), some_keys().id());

  EXPECT_EQ(
      code_of(stage_epoch(
          path, [](auto) -> StoreResult<std::vector<EpochKeys>> { return fail(StoreErrc::unreachable, "no device"); })),
      StoreErrc::unreachable);
  EXPECT_EQ(must(read_key_file(path)).newest_epoch(), 14U);
  EXPECT_EQ(code_of(stage_epoch(directory / "none", make)), StoreErrc::key_file_missing);
}

TEST(KeyFile, IsBackedUpWithoutOverwriting) {
  const TemporaryDirectory directory;
  must(create_key_file(directory / "pake.key", some_keys()));
  must(back_up_key_file(directory / "pake.key", directory / "copy"));
  EXPECT_EQ(bytes_of(must(read_key_file(directory / "copy"))), bytes_of(some_keys()));
  EXPECT_EQ(code_of(back_up_key_file(directory / "pake.key", directory / "copy")), StoreErrc::key_file_exists);
  EXPECT_EQ(code_of(back_up_key_file(directory / "pake.key", directory / "no" / "copy")), StoreErrc::missing);
}

TEST(KeyFile, RefusesWhatItCannotHold) {
  SeededRng rng(1);
  auto keys = KeyFile::generate(kNow, rng);
  EXPECT_EQ(keys.newest_epoch(), 0U);
  EXPECT_EQ(code_of(keys.add(epoch_keys(0, 1))), StoreErrc::misuse);
  EXPECT_EQ(code_of(keys.add(epoch_keys(1, 1, std::string(kMaxEpochSecrets + 1, 's')))), StoreErrc::misuse);
  for (std::uint32_t epoch = 1; epoch <= kMaxEpochEntries; ++epoch) must(keys.add(epoch_keys(epoch, 1)));
  EXPECT_EQ(code_of(keys.add(epoch_keys(7, 1))), StoreErrc::exists);
  EXPECT_EQ(code_of(keys.add(epoch_keys(1000, 1))), StoreErrc::misuse);
  must(keys.drop_epoch(7));
  EXPECT_EQ(code_of(keys.drop_epoch(7)), StoreErrc::not_found);
  EXPECT_EQ(bytes_of(must(KeyFile::decode(bytes_of(keys), "f"))), bytes_of(keys));
}

TEST(KeyFile, DerivesEachKeyForOneUse) {
  const auto keys = some_keys();
  const auto name = as_bytes("alice");
  std::set<BucketKey> buckets;
  for (const auto kind :
       {BucketKind::account, BucketKind::source, BucketKind::device, BucketKind::code, BucketKind::registration})
    buckets.insert(keys.bucket_key(kind, name));
  buckets.insert(keys.bucket_key(BucketKind::account, as_bytes("bob")));
  buckets.insert(some_keys(2).bucket_key(BucketKind::account, name));
  EXPECT_EQ(buckets.size(), 7U);
  EXPECT_EQ(keys.bucket_key(BucketKind::account, name), some_keys().bucket_key(BucketKind::account, name));

  EXPECT_EQ(keys.fake_draw(name), some_keys().fake_draw(name));
  EXPECT_NE(keys.fake_draw(name), keys.fake_draw(as_bytes("bob")));
  EXPECT_FALSE(
      ct_equal(keys.fake_secret("a", as_bytes("bc")).reveal(), keys.fake_secret("ab", as_bytes("c")).reveal()));

  const auto day = KeyFile::day_of(kNow);
  EXPECT_EQ(KeyFile::day_of(Time(std::chrono::days(3))), 3U);
  EXPECT_EQ(KeyFile::day_of(Time(std::chrono::days(4) - std::chrono::milliseconds(1))), 3U);
  EXPECT_FALSE(ct_equal(keys.ticket_key(day).reveal(), keys.ticket_key(day + 1).reveal()));
  EXPECT_TRUE(ct_equal(keys.ticket_key(day).reveal(), some_keys().ticket_key(day).reveal()));
  EXPECT_EQ(keys.name_for_log(name).size(), 16U);
  EXPECT_NE(keys.name_for_log(name), keys.name_for_log(as_bytes("bob")));
}

TEST(KeyFile, HasAFingerprintOfWhatIsPublic) {
  EXPECT_EQ(fingerprint(as_bytes("abc")), "SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");  // FIPS 180-2, B.1
  EXPECT_NE(fingerprint(as_bytes("abc")), fingerprint(as_bytes("abd")));
}

}  // namespace
}  // namespace pake::store
