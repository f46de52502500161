// The one table: from the command line, from a file, and what is said of mistakes in either.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "options/command.h"
#include "options/parse.h"
#include "options/spelling.h"

namespace pake::cli {
namespace {

using namespace std::chrono_literals;

struct Options {
  std::chrono::seconds deadline{10};
  std::size_t limit = 5;
  std::string user = "nobody";
  bool loud = false;
  std::vector<std::string> services = {};
  std::vector<std::string> names = {"localhost"};
  std::string mode = "slow";
  std::string allowed = {};
};

Settings settings_of(Options& o) {
  return {
      {.flag = "--deadline", .key = "deadline", .value = seconds(o.deadline), .help = "", .reloadable = true},
      {.flag = "--limit", .key = "limits.each", .value = number(o.limit, "N", {.from = 1, .to = 9}), .help = ""},
      {.flag = "--user", .key = "user", .value = text(o.user, "NAME"), .help = ""},
      {.flag = "--loud", .key = "loud", .value = flag(o.loud), .help = ""},
      {.flag = "--service",
       .key = "services",
       .value = texts(o.services, "NAME=ADDRESS"),
       .help = "",
       .members =
           [&o](const std::string& member) {
             o.services.push_back(member + "!");
             return Settings{{.key = "allow", .value = text(o.allowed, "NAME"), .help = ""}};
           }},
      {.flag = "--name", .key = "names", .value = texts(o.names, "NAME"), .help = ""},
      {.flag = "--mode",
       .key = "mode",
       .value = choice<std::string>(o.mode, "MODE", {{"slow", "slow"}, {"fast", "fast"}}),
       .help = ""},
  };
}

class File {
 public:
  explicit File(const std::string& text)
      : path_(std::filesystem::temp_directory_path() / ("pake-settings-" + std::to_string(::getpid()))) {
    std::ofstream(path_) << text;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string wrong_with(const std::string& toml) {
  Options options;
  const File file(toml);
  const auto applied = apply_settings(settings_of(options), {.configuration = file.path()});
  if (applied) return "";
  EXPECT_EQ(applied.error().exit_code, kExitUsage);
  const auto& error = applied.error().error;
  EXPECT_TRUE(error.starts_with(file.path() + ", line ")) << error;
  return error.substr(file.path().size() + 2) + (applied.error().hint.empty() ? "" : " / " + applied.error().hint);
}

TEST(Settings, ComeFromAFile) {
  Options options;
  const File file(
      "deadline = 3\nuser = 'alice'\nloud = true\nnames = ['a', 'b']\nmode = 'fast'\n"
      "[limits]\neach = 7\n[services]\nweb = '127.0.0.1:80'\n[services.db]\nallow = 'bob'\n");
  const auto applied = apply_settings(settings_of(options), {.configuration = file.path()});
  ASSERT_TRUE(applied) << applied.error().error;
  EXPECT_EQ(options.deadline, 3s);
  EXPECT_EQ(options.user, "alice");
  EXPECT_TRUE(options.loud);
  EXPECT_EQ(options.limit, 7U);
  EXPECT_EQ(options.mode, "fast");
  EXPECT_EQ(options.names, (std::vector<std::string>{"a", "b"})) << "the default is replaced";
  EXPECT_EQ(options.services, (std::vector<std::string>{"db!", "web=127.0.0.1:80"}));
  EXPECT_EQ(options.allowed, "bob");
}

TEST(Settings, TheCommandLineWinsOverTheFile) {
  Options options;
  const File file("deadline = 3\nuser = 'alice'\nnames = ['a']\n");
  const Invocation invocation{.given = {{"--deadline", {"4"}}, {"--name", {"b", "c"}}}, .configuration = file.path()};
  ASSERT_TRUE(apply_settings(settings_of(options), invocation));
  EXPECT_EQ(options.deadline, 4s);
  EXPECT_EQ(options.user, "alice");
  EXPECT_EQ(options.names, (std::vector<std::string>{"b", "c"}));
}

TEST(Settings, AFilesMistakesAreNamedWithTheirLine) {
  EXPECT_EQ(wrong_with("\ndeadlin = 3"), "line 2: there is no setting 'deadlin' / did you mean deadline?");
  EXPECT_EQ(wrong_with("deadline = '3'"), "line 1: deadline is a whole number, without quotes");
  EXPECT_EQ(wrong_with("deadline = 3.5"), "line 1: deadline is a whole number, without quotes");
  EXPECT_EQ(wrong_with("deadline = -1"), "line 1: deadline: it is a whole number from 1 to 86400, not '-1'");
  EXPECT_EQ(wrong_with("[limits]\neach = 10"), "line 2: limits.each: it is a whole number from 1 to 9, not '10'");
  EXPECT_EQ(wrong_with("[limits]\nall = 10"), "line 2: there is no setting 'limits.all' / did you mean limits.each?");
  EXPECT_EQ(wrong_with("loud = 1"), "line 1: loud is true or false");
  EXPECT_EQ(wrong_with("user = true"), "line 1: user is a text, in quotes");
  EXPECT_EQ(wrong_with("mode = 'middling'"), "line 1: mode: it is slow or fast, not 'middling'");
  EXPECT_EQ(wrong_with("names = [1]"), "line 1: names is a list of texts");
  EXPECT_EQ(wrong_with("[services.db]\nalow = 'x'"), "line 2: there is no setting 'alow' / did you mean allow?");
  EXPECT_NE(wrong_with("user = ").find("line 1: this is not TOML: "), std::string::npos);
  EXPECT_NE(wrong_with("user = 'a'\nuser = 'b'").find("line 2: this is not TOML: "), std::string::npos);
}

TEST(Settings, AFileThatIsNotThereIsSaid) {
  Options options;
  const auto applied = apply_settings(settings_of(options), {.configuration = "/no/such/file"});
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().error, "cannot read the configuration /no/such/file: No such file or directory");
}

TEST(Settings, WhatARunningProgramTakesOverAndWhatWaits) {
  Options before;
  Options after;
  after.deadline = 3s;
  after.limit = 6;
  const auto changes = changes_between(settings_of(before), settings_of(after));
  EXPECT_EQ(changes.taken_over, std::vector<std::string>{"deadline"});
  EXPECT_EQ(changes.wait_for_start, std::vector<std::string>{"limits.each"});
}

TEST(Addresses, OfAListenerMayBeAPortAlone) {
  for (const auto* typed : {"8090", ":8090"}) {
    const auto address = parse_address_to_listen(typed);
    ASSERT_TRUE(address) << typed;
    const auto& tcp = std::get<net::TcpAddress>(*address);
    EXPECT_EQ(tcp.port, 8090);
    EXPECT_NE(tcp.host, "127.0.0.1") << "every interface";
  }
  EXPECT_FALSE(parse_address_to_listen("99999"));
  EXPECT_FALSE(parse_address_to_listen(":"));
  EXPECT_FALSE(parse_address_to_dial("host:0"));
}

TEST(Addresses, ACodeIsNone) {
  for (const auto* typed :
       {"violin-harvest-42", "Violin-Harvest-42", "violin harvest 42", "violin--harvest-42", " violin-harvest-42 ",
        "violin-harvest-42:8088", "voilin-harvest-42", "violin-harvesst-42", "1234567-violin-harvest-violin-harvest"})
    for (const auto& parsed : {parse_address_to_dial(typed), parse_address_to_listen(typed)}) {
      ASSERT_FALSE(parsed) << typed;
      EXPECT_NE(parsed.error().error.find("looks like a code"), std::string::npos) << parsed.error().error;
      EXPECT_EQ(parsed.error().error.find("violin"), std::string::npos) << "repeated";
    }
  for (const auto* typed : {"violin-harvest-42.", "violin-harvest-42.example.org", "my-own-server-42", "host",
                            "web-harvest-42", "192.0.2.7", "unix:violin-harvest-42/x", "violin-harvest"})
    EXPECT_TRUE(parse_address_to_dial(typed)) << typed;
}

TEST(Addresses, AnotherProgramsFormIsSaid) {
  const auto parsed = parse_address_to_dial("tcp://example.org:80/");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().error, "'tcp://' has no place in front of an address");
  EXPECT_EQ(parsed.error().hint, "type example.org:80");
}

TEST(Spelling, TheNearestWordIsOneThatIsNear) {
  const std::vector<std::string> words = {"listen", "dial", "eke"};
  EXPECT_EQ(nearest("lisen", words), "listen");
  EXPECT_EQ(nearest("lsiten", words), "listen");
  EXPECT_EQ(nearest("dail", words), "dial");
  EXPECT_EQ(nearest("send", words), "");
  EXPECT_EQ(edit_distance("abcd", "acbd", 9), 1U);
  EXPECT_EQ(edit_distance("", "abc", 9), 3U);
  EXPECT_EQ(edit_distance("abc", "xyz", 2), 2U);
}

TEST(Parse, SaysWhatWasMeant) {
  Options options;
  bool quiet = false;
  const Command program{
      .name = "pake",
      .summary = "",
      .commands = {
          {.name = "dial", .summary = "", .settings = {{.flag = "--quiet", .value = flag(quiet), .help = ""}}}}};
  const std::vector<std::string> wrong_command = {"dail"};
  const std::vector<std::string> wrong_option = {"dial", "--quite"};
  EXPECT_EQ(parse(program, wrong_command).error().hint, "pake dial");
  EXPECT_EQ(parse(program, wrong_option).error().hint, "did you mean --quiet?");
}

}  // namespace
}  // namespace pake::cli
