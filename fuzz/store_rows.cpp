// Any bytes within a row are what pake writes in exactly one way, or an error: digests of a bucket, a step of the fake
// shares, sealed users and invitations.
#include "row_bytes.h"

#include <algorithm>

#include "pake/store/sealing.h"
#include "pake/store/shares.h"
#include "pake/testing/fixed_rng.h"
#include "require.h"

using namespace pake;
using namespace pake::store;

namespace {

const KeyFile& keys() {
  static const auto made = [] {
    testing::SeededRng rng(1);
    return KeyFile::generate(Time{}, rng);
  }();
  return made;
}

void check_shares(Bytes input) {
  const auto shares = decode_shares(input);
  if (!shares) return;
  fuzz::require(std::ranges::equal(encode_shares(*shares), input));
  const FakeShareStep step{.step = 2, .shares = *shares};
  if (!is_valid(step)) return;
  static_cast<void>(parameters_of(step, 0));
  static_cast<void>(parameters_of(step, UINT32_MAX));
  const FakeShareStep first{.step = 1, .shares = {{.parameters = {}, .below = kWholeShare}}};
  static_cast<void>(may_follow(first, step));
  auto same = step;
  same.step = 3;
  fuzz::require(may_follow(step, same));
}

/// The body is sealed properly, so that what stands behind the seal is reached.
void check_sealed(Bytes input) {
  testing::SeededRng rng(2);
  auto row = new_user("alice", {}, Time{}, rng);
  row.sealed = to_buffer(input);
  fuzz::require(!open_user(keys(), row));
  InvitationRow invitation;
  invitation.sealed = to_buffer(input);
  fuzz::require(!open_invitation(keys(), invitation));
  const auto sealed = seal_user(keys(), row, input, rng);
  fuzz::require(sealed.has_value() == (input.size() <= kMaxRecordSize));
  if (!sealed) return;
  fuzz::require(row.sealed.size() == kSealedUserSize);
  const auto opened = open_user(keys(), row);
  fuzz::require(opened && opened->has_value() == !input.empty());
  if (*opened) fuzz::require(std::ranges::equal((*opened)->reveal(), input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const auto digests = decode_digests(input);
  if (digests) fuzz::require(std::ranges::equal(encode_digests(*digests), input));
  check_shares(input);
  check_sealed(input);
  return 0;
}
