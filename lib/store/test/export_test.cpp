#include "pake/store/export.h"

#include <gtest/gtest.h>

#include "export_line.h"
#include "rig.h"

namespace pake::store {
namespace {

using namespace testing;

struct Server {
  SqliteBackend backend;
  std::unique_ptr<CredentialStore> store;
  explicit Server(Keys& keys) : store(must(backend.create(make_store_seed(keys.file, kFirst, kNow, keys.rng)))) {}
};

std::vector<std::string> exported(CredentialStore& store) {
  std::vector<std::string> lines;
  must(export_users(store, [&](std::string_view line) -> StoreStatus {
    lines.emplace_back(line);
    return {};
  }));
  return lines;
}

StoreResult<ImportReport> import(CredentialStore& store, Keys& keys, std::vector<std::string> lines) {
  std::size_t at = 0;
  const auto next = [&]() -> StoreResult<std::optional<std::string>> {
    if (at == lines.size()) return std::nullopt;
    return lines[at++];
  };
  return import_users(store, keys.file, next, note("user.import"), keys.rng);
}

TEST(Export, BringsEveryUserIntoAnotherStoreOfTheKeyFile) {
  Keys keys(1);
  const Server from(keys);
  const Server to(keys);
  for (int i = 0; i < 300; ++i) {
    auto row = new_user("user" + std::to_string(i), i % 2 == 0 ? kFirst : kSecond, kNow, keys.rng);
    if (i % 3 == 0) row.state = UserState::disabled;
    if (i == 7) row.state = UserState::removed;
    must(from.store->write_user({.row = keys.sealed(row, i == 5 ? "" : "record" + std::to_string(i))}, note("x")));
  }
  must(from.store->write_user({.row = keys.user("\u00e9mile", "his")}, note("x")));
  const auto lines = exported(*from.store);
  EXPECT_EQ(lines.size(), 1U + 300U);
  for (const auto& line : lines) EXPECT_LE(line.size(), kMaxExportLine);

  must(to.store->write_user({.row = keys.user("user1", "is here already")}, note("x")));
  const auto report = must(import(*to.store, keys, lines));
  EXPECT_EQ(report.imported, 299U);
  EXPECT_EQ(report.present, 1U);
  for (int i = 0; i < 300; ++i) {
    const auto name = "user" + std::to_string(i);
    const auto before = *must(from.store->find_user(name));
    const auto after = must(to.store->find_user(name));
    ASSERT_EQ(after.has_value(), i != 7) << i;
    if (!after || i == 1) continue;
    EXPECT_EQ(keys.record_of(*after), keys.record_of(before)) << i;
    EXPECT_EQ(after->state, before.state) << i;
    EXPECT_EQ(after->parameters, before.parameters) << i;
    EXPECT_NE(after->generation, before.generation) << i;  // tickets of before are void
  }
  EXPECT_EQ(keys.record_of(*must(to.store->find_user("user1"))), "is here already");
  EXPECT_EQ(keys.record_of(*must(to.store->find_user("\u00e9mile"))), "his");
}

TEST(Export, BringsARemovedNameBackAboveItsPast) {
  Keys keys(1);
  const Server server(keys);
  must(server.store->write_user({.row = keys.user("alice", "hers")}, note("x")));
  const auto lines = exported(*server.store);
  for (int i = 0; i < 40; ++i) {  // while the removed row is still there, and once it has been purged
    auto row = next_revision(*must(server.store->find_user("alice")), kNow);
    const auto removed = ++row.generation;
    row.state = UserState::removed;
    must(server.store->write_user({.row = keys.sealed(row, "")}, note("x")));
    if (i % 2 == 1) {
      ASSERT_EQ(must(server.store->purge_removed(kNow + std::chrono::milliseconds(1))), 1U);
    }
    const auto report = must(import(*server.store, keys, lines));
    ASSERT_EQ(report.imported, 1U) << i;
    const auto back = *must(server.store->find_user("alice"));
    EXPECT_EQ(keys.record_of(back), "hers");
    EXPECT_EQ(back.state, UserState::enabled);
    EXPECT_GT(back.generation, removed) << i;
  }
}

TEST(Export, OfAnotherKeyFileIsRefused) {
  Keys keys(1);
  Keys others(2);
  const Server from(keys);
  const Server to(others);
  must(from.store->write_user({.row = keys.user("alice", "r")}, note("x")));
  EXPECT_EQ(code_of(import(*to.store, others, exported(*from.store))), StoreErrc::key_mismatch);
}

TEST(Export, TellsTheLineThatIsWrong) {
  Keys keys(1);
  const Server from(keys);
  const Server to(keys);
  for (const auto* name : {"alice", "bob", "carol"})
    must(from.store->write_user({.row = keys.user(name, "r")}, note("x")));
  auto lines = exported(*from.store);
  EXPECT_EQ(code_of(import(*to.store, keys, {})), StoreErrc::corrupt);
  EXPECT_EQ(code_of(import(*to.store, keys, {lines[1]})), StoreErrc::corrupt);
  const auto at = lines[2].find("\"bob\"");
  lines[2].replace(at, 5, "\"rob\"");  // a record under another name
  const auto report = import(*to.store, keys, lines);
  EXPECT_EQ(code_of(report), StoreErrc::corrupt);
  EXPECT_NE(report.error().message.find("line 3"), std::string::npos);
  EXPECT_TRUE(must(to.store->find_user("alice")));
  EXPECT_FALSE(must(to.store->find_user("rob")));
  EXPECT_FALSE(must(to.store->find_user("carol")));
}

TEST(Export, ReadsNoOtherLine) {
  Keys keys(1);
  const auto line = encode_export_line(keys.user("alice", "r"));
  ASSERT_TRUE(decode_export_line(line));
  EXPECT_EQ(encode_export_line(*decode_export_line(line)), line);
  const auto changed = [&](std::string_view from, std::string_view to) {
    auto text = line;
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("not in the line");
    return text.replace(at, from.size(), to);
  };
  for (const auto& text : {std::string(), std::string("null"), std::string("[]"), std::string("{}"), line.substr(1),
                           line + "x", changed("alice", "Alice"), changed("alice", ""), changed("enabled", "removed"),
                           changed("\"suite\":1", "\"suite\":256"), changed("\"suite\":1", "\"suite\":-1"),
                           changed("\"suite\":1", "\"suite\":1.0"), changed("\"epoch\":1", "\"epoch\":4294967296"),
                           changed("\"sealed\":\"", "\"sealed\":\"AAAA"), changed("\"sealed\"", "\"unsealed\""),
                           changed("{", "{\"more\":1,"), std::string(kMaxExportLine + 1, ' ')})
    EXPECT_EQ(code_of(decode_export_line(text)), StoreErrc::corrupt) << text;
  const auto header = encode_export_header(keys.file.id());
  EXPECT_EQ(must(decode_export_header(header)), keys.file.id());
  EXPECT_EQ(code_of(decode_export_header(line)), StoreErrc::corrupt);
  auto newer = header;
  newer.replace(newer.find("\"version\":1"), 11, "\"version\":2");
  EXPECT_EQ(code_of(decode_export_header(newer)), StoreErrc::newer_schema);
}

}  // namespace
}  // namespace pake::store
