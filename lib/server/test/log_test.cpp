#include "pake/server/log.h"

#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "log_line.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;

constexpr LogTime kTime{1'795'838'400'123ms};

TEST(LogLine, AsText) {
  const LogField fields[] = {{.key = "user", .value = "alice"}, {.key = "seconds", .value = 60}};
  EXPECT_EQ(log_line(LogFormat::text, kTime, LogLevel::info, "login", fields),
            "2026-11-28T04:00:00.123Z info login user=alice seconds=60");
}

TEST(LogLine, EscapesWhatAPeerMayHaveWritten) {
  const LogField fields[] = {{.key = "user", .value = "a\nb \x1b[2J\"\\="}, {.key = "empty", .value = ""}};
  EXPECT_EQ(log_line(LogFormat::text, kTime, LogLevel::warning, "refused", fields),
            "2026-11-28T04:00:00.123Z warning refused user=\"a\\x0ab \\x1b[2J\\\"\\\\=\" empty=\"\"");
  const auto json = log_line(LogFormat::json, kTime, LogLevel::warning, "refused", fields);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_EQ(json.find('\x1b'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(json)["user"], "a\nb \x1b[2J\"\\=");
}

TEST(LogLine, IsJsonWhateverTheBytes) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes += static_cast<char>(c);
  const LogField fields[] = {{.key = "user", .value = bytes}};
  EXPECT_TRUE(nlohmann::json::accept(log_line(LogFormat::json, kTime, LogLevel::error, "x", fields)));
}

TEST(Log, WritesFromItsLevelOn) {
  std::mutex mutex;
  std::vector<std::string> lines;
  {
    const auto log = Log::to_function({.level = LogLevel::warning}, [&](std::string_view line) {
      const std::scoped_lock lock(mutex);
      lines.emplace_back(line);
    });
    log->write(LogLevel::info, "not-this");
    log->write(LogLevel::warning, "this", {{.key = "braces", .value = "{}"}});
    log->set_level(LogLevel::info);
    log->write(LogLevel::info, "and-this");
  }
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].ends_with("warning this braces={}")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with("info and-this"));
}

TEST(Log, SaysWhyAFileCannotBeWritten) {
  const auto opened = Log::open({.file = "/dev/null/pake.log"});
  ASSERT_TRUE(std::holds_alternative<std::string>(opened));
  EXPECT_NE(std::get<std::string>(opened).find("/dev/null"), std::string::npos);
}

}  // namespace
}  // namespace pake::server
