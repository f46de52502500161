#include "pake/base/inputs.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace pake {
namespace {

// A struct that is filled in one statement and used in the next.
struct Inputs {
  OwnedBytes bytes = {};
  Given<std::string> text;
};
struct Views {
  BorrowedBytes bytes = {};
};

Buffer temporary(std::string_view text) { return to_buffer(as_bytes(text)); }
bool shows(Bytes bytes, std::string_view text) { return as_text(bytes) == text; }

TEST(OwnedBytes, OutliveWhatTheyWereMadeOf) {
  Inputs inputs{.bytes = temporary("long enough to live on the heap"), .text = std::string("given")};
  EXPECT_TRUE(shows(inputs.bytes, "long enough to live on the heap"));
  inputs.bytes = SecretBuffer::copy_of(as_bytes("a secret that has gone")).reveal();
  EXPECT_TRUE(shows(inputs.bytes, "a secret that has gone"));
  inputs.bytes = as_bytes(std::string("text that has gone as well"));
  EXPECT_TRUE(shows(inputs.bytes, "text that has gone as well"));
  inputs.bytes = std::array<std::uint8_t, 2>{'o', 'k'};
  EXPECT_TRUE(shows(inputs.bytes, "ok"));
  EXPECT_EQ(*inputs.text, "given");
}

TEST(OwnedBytes, AreCopiedAndMoved) {
  OwnedBytes one = temporary("bytes");
  const OwnedBytes two = one;
  EXPECT_NE(one.data(), two.data());
  const auto* const where = one.data();
  const OwnedBytes three = std::move(one);
  EXPECT_EQ(three.data(), where);
  EXPECT_TRUE(shows(two, "bytes"));
  EXPECT_TRUE(shows(three, "bytes"));
  one = two;
  EXPECT_TRUE(shows(one, "bytes"));
  const auto& same = one;
  one = same;
  EXPECT_TRUE(shows(one, "bytes"));
  EXPECT_TRUE(OwnedBytes().empty());
  EXPECT_TRUE(OwnedBytes(Bytes()).empty());
}

TEST(BorrowedBytes, ShowWhatSomebodyElseKeeps) {
  const auto kept = temporary("kept");
  const Views views{.bytes = kept};
  EXPECT_EQ(views.bytes.data(), kept.data());
  EXPECT_EQ(Views{.bytes = Bytes(kept).first(2)}.bytes.size(), 2U);
}

// A temporary that owns its bytes does not compile; neither does a reference to one, nor leaving out what is required.
static_assert(!std::constructible_from<BorrowedBytes, Buffer>);
static_assert(!std::constructible_from<BorrowedBytes, OwnedBytes>);
static_assert(!std::constructible_from<BorrowedBytes, std::array<std::uint8_t, 4>>);
static_assert(std::constructible_from<BorrowedBytes, const Buffer&> && std::constructible_from<BorrowedBytes, Bytes>);
static_assert(!std::constructible_from<Borrowed<std::string>, std::string>);
static_assert(!std::constructible_from<Borrowed<std::string>, const std::string>);
static_assert(std::constructible_from<Borrowed<std::string>, const std::string&>);
static_assert(!std::default_initializable<Given<std::string>> && !std::default_initializable<Borrowed<std::string>>);

}  // namespace
}  // namespace pake
