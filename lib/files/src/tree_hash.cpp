#include "pake/files/tree_hash.h"

#include <algorithm>
#include <array>

#include "pake/base/writer.h"
#include "pake/crypto/sha256_of_each.h"

namespace pake::files {
namespace {

constexpr std::size_t kLeavesAtOnce = 64;
constexpr std::array<std::uint8_t, TreeHash::kLeafSize> kZeros{};

}  // namespace

TreeHash& TreeHash::update(Bytes bytes) noexcept {
  while (!bytes.empty()) {
    const auto leaves = length_ % kLeafSize == 0 ? std::min(bytes.size() / kLeafSize, kLeavesAtOnce) : 0;
    if (leaves == 0) {
      const auto some = bytes.first(std::min<std::size_t>(bytes.size(), kLeafSize - length_ % kLeafSize));
      update_leaf(some);
      bytes = bytes.subspan(some.size());
      continue;
    }
    std::array<std::uint8_t, kLeavesAtOnce * crypto::kSha256Size> room;
    const auto hashes = MutableBytes(room).first(leaves * crypto::kSha256Size);
    crypto::sha256_of_each(bytes.first(leaves * kLeafSize), kLeafSize, hashes);
    leaves_.update(hashes);
    length_ += leaves * kLeafSize;
    bytes = bytes.subspan(leaves * kLeafSize);
  }
  return *this;
}

TreeHash& TreeHash::update_zeros(std::uint64_t length) noexcept {
  static const auto kLeafOfZeros = crypto::hash(crypto::HashId::sha256, {kZeros});
  while (length > 0) {
    const auto some = std::min<std::uint64_t>(length, kLeafSize - length_ % kLeafSize);
    if (some == kLeafSize) {
      leaves_.update(kLeafOfZeros.reveal());
      length_ += kLeafSize;
    } else {
      update_leaf(Bytes(kZeros).first(some));
    }
    length -= some;
  }
  return *this;
}

// Not beyond the end of the leaf.
void TreeHash::update_leaf(Bytes bytes) noexcept {
  leaf_.update(bytes);
  length_ += bytes.size();
  if (length_ % kLeafSize != 0) return;
  leaves_.update(leaf_.finish().reveal());
  leaf_ = crypto::Hash(crypto::HashId::sha256);
}

FileHash TreeHash::hash() const noexcept {
  auto leaves = leaves_;
  auto leaf = leaf_;
  if (length_ % kLeafSize != 0) leaves.update(leaf.finish().reveal());
  leaves.update(Writer().u64(length_).bytes());
  FileHash out{};
  std::ranges::copy(leaves.finish().reveal(), out.begin());
  return out;
}

}  // namespace pake::files
