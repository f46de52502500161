#include "trace/trace.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "pake/channel/frame.h"
#include "trace/channel_fields.h"
#include "trace/frame.h"

namespace pake::cli::trace {
namespace {

Frame example() {
  return {.us = 193,
          .protocol = "pake/2",
          .role = Role::client,
          .connection = 2,
          .passed = Passed::received,
          .name = "data",
          .bytes = {0x10, 0, 0, 1, 0xff},
          .fields = {{.name = "header", .at = 0, .size = 4, .kind = Kind::open},
                     {.name = "ciphertext", .at = 4, .size = 1, .kind = Kind::session}}};
}

std::string without_newline(std::string line) {
  EXPECT_TRUE(line.ends_with('\n'));
  line.pop_back();
  return line;
}

TEST(TraceLine, IsReadAsItWasWritten) {
  const Line frame = example();
  EXPECT_EQ(parse_line(without_newline(to_line(frame))), frame);
  const Line left_out = LeftOut{.us = 5, .frames = 7};
  EXPECT_EQ(parse_line(without_newline(to_line(left_out))), left_out);
}

TEST(TraceLine, KeepsWhatScriptsReadBefore) {
  EXPECT_TRUE(to_line(example()).starts_with(R"({"us":193,)")) << to_line(example());
  for (const auto* member : {R"("passed":"received")", R"("frame":"data")", R"("size":5)", R"("bytes":"10000001ff")"})
    EXPECT_NE(to_line(example()).find(member), std::string::npos) << member;
}

TEST(TraceLine, OfAnOlderVersionIsRead) {
  const auto parsed = parse_line(R"({"us":1,"passed":"sent","frame":"close","size":2,"bytes":"11aB"})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<Frame>(*parsed).bytes, (Buffer{0x11, 0xab}));
}

TEST(TraceLine, ThatIsWrongIsRefused) {
  const auto* const good = R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"11","fields":[]})";
  ASSERT_TRUE(parse_line(good));
  const std::vector<std::string> wrong = {
      "",
      "{",
      "[]",
      "7",
      "null",
      "{}",
      R"({"us":-1,"passed":"sent","frame":"x","size":1,"bytes":"11"})",
      R"({"us":1,"passed":"lost","frame":"x","size":1,"bytes":"11"})",
      R"({"us":1,"passed":"sent","frame":7,"size":1,"bytes":"11"})",
      R"({"us":1,"passed":"sent","frame":"x","size":2,"bytes":"11"})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"1"})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"1g"})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"11","role":"king"})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"11","fields":{}})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"11","fields":[7]})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"11","fields":[{"name":"f","at":1,"size":1,"kind":"clear"}]})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"11","fields":[{"name":"f","at":2,"size":0,"kind":"clear"}]})",
      R"({"us":1,"passed":"sent","frame":"x","size":1,"bytes":"11","fields":[{"name":"f","at":0,"size":1,"kind":"secret"}]})",
      R"({"us":1,"left_out":"many"})",
      R"({"us":1,"passed":"sent","frame":")" + std::string(kMaxName + 1, 'x') + R"(","size":1,"bytes":"11"})",
      std::string(kMaxLine + 1, ' '),
      std::string(100'000, '[')};
  for (const auto& line : wrong) EXPECT_FALSE(parse_line(line)) << line.substr(0, 100);
}

// Whatever one changes in a line: it is a line, which is written and read as such, or it is refused.
TEST(TraceLine, IsTotal) {
  std::mt19937 random(16);  // a fixed seed: the same lines each time
  const auto good = without_newline(to_line(example()));
  const std::string letters = "{}[]\",:0129afx\\u-.\x01\xff";
  for (int i = 0; i < 5'000; ++i) {
    auto line = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % line.size();
      const auto letter = letters[random() % letters.size()];
      if (random() % 3 == 0)
        line.erase(at, 1 + random() % 8);
      else if (random() % 2 == 0)
        line.insert(at, 1, letter);
      else
        line[at] = letter;
    }
    if (const auto parsed = parse_line(line)) {
      EXPECT_EQ(parse_line(without_newline(to_line(*parsed))), *parsed) << line;
    }
  }
}

void expect_side_by_side(Bytes frame, const std::vector<Field>& fields) {
  std::size_t at = 0;
  for (const auto& field : fields) {
    EXPECT_EQ(field.at, at) << field.name;
    EXPECT_GT(field.size, 0U) << field.name;
    at += field.size;
  }
  EXPECT_EQ(at, frame.size());
  EXPECT_LE(fields.size(), kMaxFields);
}

TEST(ChannelFields, CoverAnyBytes) {
  std::mt19937 random(16);
  for (int i = 0; i < 5'000; ++i) {
    Buffer frame(random() % 600);
    for (auto& byte : frame) byte = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : random() % 48);
    ChannelFields fields;
    for (const int type : {0x01, 0x03, 0x04, 0x10, 0x07, 0x02, 0x77}) {
      if (!frame.empty()) frame.front() = static_cast<std::uint8_t>(type);
      expect_side_by_side(frame, fields.of(frame));
    }
  }
}

class TraceFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / ("pake-trace-test-" + std::to_string(::getpid()))).string();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::vector<std::string> lines() const {
    std::ifstream file(path_);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }

  std::string path_;
};

TEST_F(TraceFile, IsItsOwnersAlone) {
  std::ofstream(path_) << "something older";
  ::chmod(path_.c_str(), 0644);
  auto trace = Trace::open(path_);
  ASSERT_TRUE(trace);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(TraceFile, IsWrittenAsItGoesAndHasABound) {
  constexpr std::size_t kMost = 1000;
  auto trace = Trace::open(path_, kMost);
  ASSERT_TRUE(trace);
  auto connection = trace->begin("rsa-eke");
  connection.note(Passed::sent, "line", as_bytes("hello"), {});
  EXPECT_EQ(lines().size(), 1U);
  for (int i = 0; i < 99; ++i) connection.note(Passed::sent, "line", as_bytes("hello"), {});
  const auto kept = lines().size();
  EXPECT_LT(kept, 100U);
  EXPECT_LE(std::filesystem::file_size(path_), kMost);
  ASSERT_TRUE(trace->finish());
  ASSERT_EQ(lines().size(), kept + 1);
  const auto last = parse_line(lines().back());
  ASSERT_TRUE(last);
  EXPECT_EQ(std::get<LeftOut>(*last).frames, 100 - kept);
  connection.note(Passed::sent, "line", as_bytes("too late"), {});
  EXPECT_EQ(lines().size(), kept + 1);
}

TEST(Trace, ThatNobodyWantsDoesNothing) {
  auto trace = Trace::open(std::nullopt);
  ASSERT_TRUE(trace);
  trace->begin("rsa-eke").note(Passed::sent, "line", as_bytes("hello"), {});
  EXPECT_EQ(trace->follow(nullptr), nullptr);
  EXPECT_TRUE(trace->finish());
}

}  // namespace
}  // namespace pake::cli::trace
