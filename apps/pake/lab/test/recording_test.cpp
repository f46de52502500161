#include "lab/recording.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "lab/words.h"
#include "pake/crypto/base64.h"

namespace pake::cli::lab {
namespace {

constexpr auto kSent = trace::Passed::sent;
constexpr auto kReceived = trace::Passed::received;

trace::Frame frame(trace::Passed passed, std::string_view text) {
  trace::Frame frame;
  frame.passed = passed;
  frame.bytes = to_buffer(as_bytes(text));
  return frame;
}

std::string blocks(std::size_t count) { return std::string(as_text(crypto::base64_encode(Buffer(16 * count, 7)))); }

std::vector<trace::Frame> whole_run() {
  return {frame(kSent, "server"),       frame(kReceived, "yes"), frame(kSent, blocks(17)),
          frame(kReceived, blocks(11)), frame(kSent, blocks(1)), frame(kReceived, blocks(2)),
          frame(kSent, blocks(1)),      frame(kSent, "hello"),   frame(kReceived, "receive hello"),
          frame(kSent, "quit")};
}

TEST(Recording, OfAWholeRun) {
  const auto recording = recording_of(whole_run());
  ASSERT_TRUE(recording.has_value()) << recording.error();
  const auto& run = std::get<SeedRun>(*recording);
  EXPECT_EQ(as_text(run.user), "server");
  EXPECT_EQ(run.encrypted_key.size(), 272U);
  EXPECT_EQ(run.E_NC.size(), 16U);
  EXPECT_EQ(run.E_NC_NS.size(), 32U);
  ASSERT_EQ(run.chat.size(), 3U);
  EXPECT_EQ(run.chat[1], (SeedRun::Said{.by_connector = false, .text = to_buffer(as_bytes("receive hello"))}));
}

// A listener's trace has the same messages the other way round, and an eavesdropper may have noted them in pieces.
TEST(Recording, OfEitherSideAndInPieces) {
  auto frames = whole_run();
  for (auto& one : frames) one.passed = one.passed == kSent ? kReceived : kSent;
  const auto key = frames[2].bytes;
  frames[2].bytes.resize(100);
  frames.insert(frames.begin() + 3, frames[2]);
  frames[3].bytes.assign(key.begin() + 100, key.end());
  // Message 7 and the first line in one segment.
  auto& last = frames[7].bytes;
  const auto line = as_bytes("first");
  last.insert(last.end(), line.begin(), line.end());
  const auto recording = recording_of(frames);
  ASSERT_TRUE(recording.has_value()) << recording.error();
  const auto& run = std::get<SeedRun>(*recording);
  EXPECT_EQ(run.encrypted_key.size(), 272U);
  ASSERT_EQ(run.chat.size(), 4U);
  EXPECT_EQ(as_text(run.chat[0].text), "first");
  EXPECT_TRUE(run.chat[0].by_connector);
}

TEST(Recording, OfAnUnknownUserHasNoKey) {
  const auto recording = recording_of({frame(kSent, "mallory"), frame(kReceived, "no")});
  ASSERT_FALSE(recording.has_value());
  EXPECT_TRUE(recording.error().contains("did not know the user")) << recording.error();
}

TEST(Recording, AnyFramesGiveARunOrASentence) {
  std::vector<std::vector<trace::Frame>> hostile = {{}, {frame(kSent, "")}, {frame(kReceived, "yes")}};
  auto frames = whole_run();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    auto shorter = frames;
    shorter.resize(i);
    hostile.push_back(shorter);
    auto changed = frames;
    changed[i].bytes.assign(5000, '<');
    hostile.push_back(changed);
    changed[i].bytes.clear();
    hostile.push_back(changed);
  }
  for (auto& one : hostile) static_cast<void>(recording_of(one));
  hostile.back().front().protocol = "pake/2";
  EXPECT_FALSE(recording_of(hostile.back()).has_value());
}

TEST(WordList, HasAWordALine) {
  const auto words = Words::of("one\r\n\ntwo \n\r\nthree");
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[0], "one");
  EXPECT_EQ(words[1], "two ");
  EXPECT_EQ(words[2], "three");
  EXPECT_EQ(Words::of("").size(), 0U);
}

}  // namespace
}  // namespace pake::cli::lab
