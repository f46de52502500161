#include "row_bytes.h"

#include <algorithm>
#include <string>

#include "pake/base/reader.h"
#include "pake/base/writer.h"
#include "pake/internal/try.h"
#include "pake/store/shares.h"

namespace pake::store {
namespace {

constexpr std::uint8_t kSharesVersion = 1;

Result<std::vector<FakeShare>> read_shares(Bytes bytes) {
  Reader reader(bytes);
  PAKE_TRY(const auto version, reader.u8());
  PAKE_TRY(const auto count, reader.u8());
  if (version != kSharesVersion || count > kMaxShares) return pake::fail(Errc::malformed);
  std::vector<FakeShare> shares(count);
  for (auto& share : shares) {
    PAKE_TRY(share.parameters.epoch, reader.u32());
    PAKE_TRY(share.parameters.suite, reader.u8());
    PAKE_TRY(share.parameters.ksf_profile, reader.u8());
    PAKE_TRY(share.below, reader.u64());
  }
  PAKE_TRYV(reader.finish());
  return shares;
}

}  // namespace

std::unexpected<StoreError> fail_altered(std::string_view what) {
  return fail(StoreErrc::corrupt, std::string(what) + " in the store is not as pake writes it",
              "restore the store from a backup (docs/store.md)");
}

std::unexpected<StoreError> fail_used_generation(std::string_view name) {
  return fail(StoreErrc::conflict, "the name '" + std::string(name) + "' was used and removed meanwhile", "try again");
}

Buffer encode_digests(const std::vector<HelloDigest>& digests) {
  Buffer bytes;
  for (const auto& digest : digests) bytes.insert(bytes.end(), digest.begin(), digest.end());
  return bytes;
}

StoreResult<std::vector<HelloDigest>> decode_digests(Bytes bytes) {
  constexpr auto kSize = HelloDigest().size();
  if (bytes.size() % kSize != 0 || bytes.size() > kMaxBucketDigests * kSize) return fail_altered("a bucket of guesses");
  std::vector<HelloDigest> digests(bytes.size() / kSize);
  for (std::size_t i = 0; i < digests.size(); ++i)
    std::ranges::copy(bytes.subspan(i * kSize, kSize), digests[i].begin());
  return digests;
}

Buffer encode_shares(const std::vector<FakeShare>& shares) {
  Writer writer(2 + 14 * shares.size());
  writer.u8(kSharesVersion).u8(static_cast<std::uint8_t>(shares.size()));
  for (const auto& share : shares)
    writer.u32(share.parameters.epoch).u8(share.parameters.suite).u8(share.parameters.ksf_profile).u64(share.below);
  return writer.take();
}

StoreResult<std::vector<FakeShare>> decode_shares(Bytes bytes) {
  auto shares = read_shares(bytes);
  if (!shares) return fail_altered("the table of fake shares");
  return std::move(*shares);
}

StoreStatus require_next_step(const FakeShareStep& last, const FakeShareStep& next) {
  if (next.step != last.step + 1)
    return fail(
        StoreErrc::conflict,
        "step " + std::to_string(next.step) + " of the fake shares does not follow step " + std::to_string(last.step),
        "read the table again");
  if (!may_follow(last, next)) return fail(StoreErrc::misuse, "this step of the fake shares would move a name back");
  return {};
}

}  // namespace pake::store
