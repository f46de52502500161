// The runner over the files beside it, and over files that are wrong in one place each.
#include "vectors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace pake::vectors {
namespace {

constexpr const char* kDirectory = PAKE_VECTORS_DIRECTORY;

Json read(const std::string& name) {
  std::ifstream file(std::filesystem::path(kDirectory) / name);
  return Json::parse(file);
}

Tally run(const std::string& name, const Json& document) {
  std::ostringstream err;
  return run_document(name, document, err);
}

class VectorFile : public ::testing::TestWithParam<const char*> {};

std::string stem(const ::testing::TestParamInfo<const char*>& file) { return std::filesystem::path(file.param).stem(); }

INSTANTIATE_TEST_SUITE_P(All, VectorFile,
                         ::testing::Values("channel.json", "cpace.json", "eke.json", "identity.json", "opaque.json",
                                           "oprf.json", "rsa_eke.json", "spake2.json", "spake2plus.json", "srp.json",
                                           "srp_deployed.json"),
                         stem);

TEST_P(VectorFile, Passes) {
  std::ostringstream err;
  const auto tally = run_document(GetParam(), read(GetParam()), err);
  EXPECT_EQ(tally.failed, 0U) << err.str();
  EXPECT_GT(tally.passed, 0U);
}

/// Every value within `json`, as the pointer to it.
void leaves(const Json& json, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  if (json.is_object()) {
    for (const auto& [name, value] : json.items()) leaves(value, at / name, out);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) leaves(json[i], at / i, out);
  } else {
    out.push_back(at);
  }
}

/// Another value of the same type.
Json changed(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<std::uint64_t>() ^ 1U;
  auto text = value.get<std::string>();
  if (text.empty()) return "00";
  text.back() = text.back() == '0' ? '1' : '0';
  return text;
}

/// The document with one entry: the path is that of a list's element, or of an object that is an entry.
Json with_only(const Json& whole, const Json::json_pointer& path, Json entry) {
  auto section = path;
  if (whole.at(path.parent_pointer()).is_array()) {
    section.pop_back();
    entry = Json::array({std::move(entry)});
  }
  Json document = Json::object();
  if (const auto parent = section.parent_pointer(); !parent.empty()) document[parent] = Json::object();
  document[section] = std::move(entry);
  return document;
}

/// What one entry comes to; where it names a base, that entry (which passes) is in the document, but not in the count.
Tally run_alone(const std::string& name, const Json& whole, const Json::json_pointer& path, const Json& entry) {
  auto document = with_only(whole, path, entry);
  auto tally = Tally();
  if (entry.is_object() && entry.contains("base"))
    for (const auto& [section, list] : whole.items()) {
      if (!list.is_array() || path.to_string().starts_with("/" + section + "/")) continue;
      for (const auto& vector : list)
        if (vector.contains("id") && vector["id"] == entry["base"] && !vector.contains("base")) {
          document[section] = Json::array({vector});
          --tally.passed;
        }
    }
  tally += run(name, document);
  return tally;
}

/// The entries of a file whose sections are lists, or objects of lists and entries.
void entries(const Json& json, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  for (const auto& [name, value] : json.items()) {
    if (name == "about" || value.is_string()) continue;
    if (value.is_array())
      for (std::size_t i = 0; i < value.size(); ++i) out.push_back(at / name / i);
    else if (value.is_object() && at.empty())
      entries(value, at / name, out);
    else
      out.push_back(at / name);
  }
}

/// What a reader reads, and what must not decode: another value there is as good.
bool may_be_changed(const Json::json_pointer& pointer, const Json& entry, const std::string& field) {
  const auto path = pointer.to_string();
  if (field == "/what" || field == "/reason" || field == "/source" || field == "/id") return true;
  if (field == "/origin" || field == "/comment" || field == "/meaning" || field == "/reason+") return true;
  if (field.starts_with("/expect") && entry.contains("expect") && entry["expect"].is_string())
    return field == "/expect+" ? entry["expect"] != "reject" : entry["expect"].get<std::string>().size() > 8;
  if (path.starts_with("/reject"))
    return field == "/share" || field == "/value" || field == "/M1" || field == "/A" || field == "/B";
  if (path.starts_with("/classic_partition/"))
    return field == "/cipher" || field == "/cipher+" || field == "/key" || field == "/key+" || field == "/g" ||
           field.starts_with("/candidates/") || field == "/p" || field.starts_with("/observed/");
  if (path.starts_with("/failure_messages/") && field == "/message") return false;
  if (path.starts_with("/sha_interleave/") && entry["S"].get<std::string>().size() == 2)
    return field == "/S";  // dropped
  if (path.starts_with("/rfc9382_reject")) return field == "/element";
  if (path.starts_with("/wormhole/") && entry.contains("received")) return field == "/received" || field == "/mode";
  if (path.starts_with("/negative") && (field == "/value" || field.starts_with("/set"))) return true;
  if (field == "/rule" || field == "/alternatives/note" || field == "/key_confirmation/source") return true;
  if (path.starts_with("/scalar_mult_vfy") && entry.at("kind") == "invalid") return field == "/s" || field == "/X";
  if (path.starts_with("/wire") && entry.at("parses") == false) return field == "/message";
  if (path.starts_with("/ristretto255/sqrt_ratio_m1")) return field == "/u" || field == "/v";  // 0/v = 0, u/0 = 0
  if (path.contains("_refused/")) return field == "/typed" || field == "/content";
  if (path.starts_with("/bad_points") && field == "/value") return true;
  if (path.starts_with("/bad_scalars") && field == "/value") return true;
  if (path.starts_with("/refused_keys") && field == "/pem") return true;
  if (path.starts_with("/runs") && field == "/password+") return true;  // the cipher takes 32 bytes of it
  if (field == "/pkcs8") return true;  // its last number speeds decryption up; OpenSSL notices when it is wrong
  return path.starts_with("/ristretto255/bad_encodings") && field == "/encoding";
}

/// What need not be there. Of the files beside this one it is pinned.
bool may_be_absent(const Json::json_pointer& pointer, const Json& entry, const std::string& field) {
  const auto path = pointer.to_string();
  if (field == "/origin" || field == "/comment" || field == "/reason" || field == "/meaning" || field == "/pase/" ||
      field == "/application/")
    return true;
  if (path.starts_with("/negative")) return field.starts_with("/set");
  if (path.starts_with("/vectors")) return field == "/inputs/client_identity" || field == "/inputs/server_identity";
  if (path.starts_with("/scalar_mult_vfy") && entry.at("kind") == "invalid")
    return field == "/what" || field == "/result";
  return false;
}

/// A real KSF costs a second: there only the configuration is changed, the rest is as in entries without one.
bool is_left_alone(const Json& entry, const std::string& field) {
  if (!entry.is_object()) return false;
  if (entry.contains("outputs_hostap") && entry["proposal"][0] > 1U && !entry.contains("channel_binding"))  // the same
    return field.starts_with("/inputs") || field.starts_with("/intermediate") || field.starts_with("/messages") ||
           field.starts_with("/outputs") || field.starts_with("/fields");
  if (entry.contains("group_bits") && entry["group_bits"] > 1024U && entry.contains("outputs"))  // slow, and alike
    return field.starts_with("/inputs") || field.starts_with("/intermediate") || field.starts_with("/messages") ||
           field.starts_with("/outputs");
  if (entry.contains("pbkdf") && entry["N"] > 4096U)
    return field.starts_with("/inputs") || field.starts_with("/intermediate") || field.starts_with("/outputs");
  return entry.contains(Json::json_pointer("/config/KSF_params")) && !field.starts_with("/config");
}

/// An entry that is wrong in one place.
struct Mutation {
  std::string what;
  Json entry;
  bool may_pass = false;
};

bool is_text(const Json& value) {
  return value.is_string() && value.get<std::string>().find_first_not_of("0123456789abcdef") != std::string::npos;
}

/// Every list and object within `json`, as the pointer to it.
void structures(const Json& json, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  if (!json.is_structured()) return;
  if (!json.empty() && !at.empty()) out.push_back(at);
  for (const auto& [name, value] : json.items())
    structures(value, json.is_array() ? at / static_cast<std::size_t>(std::stoul(name)) : at / name, out);
}

std::vector<Mutation> mutations(const Json::json_pointer& path, const Json& entry) {
  std::vector<Mutation> all;
  const auto add = [&](const std::string& kind, const Json::json_pointer& at, bool may_pass, auto change) {
    all.push_back({.what = kind + " " + at.to_string(), .entry = entry, .may_pass = may_pass});
    change(all.back().entry);
  };
  add("unknown field in", Json::json_pointer(), false, [](Json& json) { json["unknown"] = "00"; });
  std::vector<Json::json_pointer> fields;
  leaves(entry, Json::json_pointer(), fields);
  for (const auto& field : fields) {
    const auto name = field.to_string();
    if (is_left_alone(entry, name)) continue;
    const bool may_change = may_be_changed(path, entry, name);
    add("other value", field, may_change, [&](Json& json) { json[field] = changed(entry.at(field)); });
    if (is_text(entry.at(field)))
      add("misspelt", field, may_change || may_be_changed(path, entry, name + "+"),
          [&](Json& json) { json[field] = entry.at(field).get<std::string>() + "x"; });
    add("other type", field, false, [&](Json& json) { json[field] = nullptr; });
    if (!field.empty() && entry.at(field.parent_pointer()).is_object())
      add("absent", field, may_be_absent(path, entry, name),
          [&](Json& json) { json.at(field.parent_pointer()).erase(field.back()); });
  }
  std::vector<Json::json_pointer> within;
  structures(entry, Json::json_pointer(), within);
  for (const auto& at : within) {
    if (is_left_alone(entry, at.to_string())) continue;
    const auto& value = entry.at(at);
    const bool may_pass = may_be_absent(path, entry, at.to_string() + "/");
    add("emptied", at, may_pass, [&](Json& json) { json[at] = value.is_array() ? Json::array() : Json::object(); });
    if (value.is_array()) add("shortened", at, false, [&](Json& json) { json[at].erase(value.size() - 1); });
    if (entry.at(at.parent_pointer()).is_object())
      add("absent", at, may_pass, [&](Json& json) { json.at(at.parent_pointer()).erase(at.back()); });
  }
  return all;
}

// Of the mutations every seventh is tried, and with PAKE_FULL=1 every one (scripts/soak).
TEST_P(VectorFile, EveryFieldMatters) {
  const char* full = std::getenv("PAKE_FULL");
  const std::size_t every = full != nullptr && std::string_view(full) == "1" ? 1 : 7;
  std::size_t number = 0;
  const auto whole = read(GetParam());
  std::vector<Json::json_pointer> paths;
  entries(whole, Json::json_pointer(), paths);
  std::size_t tried = 0, unnoticed = 0, in_skipped = 0;
  for (const auto& path : paths) {
    const auto& entry = whole.at(path);
    const auto as_it_is = run_alone(GetParam(), whole, path, entry);
    ASSERT_EQ(as_it_is.passed + as_it_is.skipped, 1U) << path;
    for (const auto& mutation : mutations(path, entry)) {
      if (number++ % every != 0) continue;
      ++tried;
      const auto tally = run_alone(GetParam(), whole, path, mutation.entry);
      if (tally.failed != 0) continue;
      // Pinned in the files beside this one.
      if (tally.passed != as_it_is.passed || tally.skipped != as_it_is.skipped || tally.values != as_it_is.values)
        EXPECT_TRUE(mutation.may_pass) << path << ": " << mutation.what << ": only the pins notice it";
      else if (as_it_is.skipped != 0)
        ++in_skipped;
      else if (++unnoticed; !mutation.may_pass)
        ADD_FAILURE() << path << ": " << mutation.what << ": nobody notices";
    }
  }
  std::cout << GetParam() << ": " << tried << " mutations, unnoticed " << unnoticed
            << " where another value is as good, " << in_skipped << " in entries that are skipped\n";
}

TEST(Runner, AnUnknownSectionFails) {
  for (const auto* text : {R"({"surprise": []})", R"({"ristretto255": {"surprise": []}})", R"({"bad_points": {}})",
                           R"({"bad_points": [1]})", R"({"ristretto255": 1})", R"([])", R"(1)"})
    EXPECT_EQ(run("oprf.json", Json::parse(text)).failed, 1U) << text;
}

TEST(Runner, AFileOrAListWithoutAnEntryFails) {
  for (const auto* text : {R"({})", R"({"about": {}})", R"({"bad_points": []})", R"({"ristretto255": {}})"})
    EXPECT_EQ(run("oprf.json", Json::parse(text)).failed, 1U) << text;
}

TEST(Runner, ANameThatIsLeftOutIsSkippedAndAnyOtherUnknownOneFails) {
  const auto skipped = run("oprf.json", Json::parse(R"({"bad_points": [{"suite": "decaf448-SHAKE256"}]})"));
  EXPECT_EQ(skipped.skipped, 1U);
  EXPECT_EQ(skipped.passed + skipped.failed, 0U);
  EXPECT_TRUE(skipped.left_out.contains("suite decaf448-SHAKE256"));
  for (const auto* text : {R"({"bad_points": [{"suite": "P256-SHA265", "what": "infinity", "value": "00"}]})",
                           R"({"expand_message_xmd": [{"hash": "SHA-256"}]})",
                           R"({"hash_to_curve": [{"suite": "P256_XMD:SHA-256_SSWU_RO"}]})"}) {
    const auto tally = run("oprf.json", Json::parse(text));
    EXPECT_EQ(tally.failed, 1U) << text;
    EXPECT_EQ(tally.skipped, 0U) << text;
  }
}

TEST(Runner, TwoMembersOfOneNameAreNoJson) {
  std::istringstream once(R"({"a": {"x": 1}, "b": {"x": 1}})"), twice(R"({"a": {"x": 1, "y": {}, "x": 1}})");
  EXPECT_EQ(parse(once).size(), 2U);
  EXPECT_THROW(static_cast<void>(parse(twice)), Failure);
}

class Directory : public ::testing::Test {
 protected:
  Directory() : path_(std::filesystem::temp_directory_path() / ("pake-vectors-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path_);
  }
  ~Directory() override { std::filesystem::remove_all(path_); }

  void put(const std::string& name, const std::string& text) const { std::ofstream(path_ / name) << text; }
  [[nodiscard]] std::pair<int, std::string> run() const {
    std::ostringstream out, err;
    const auto code = run_directory(path_, out, err);
    return {code, out.str()};
  }

  std::filesystem::path path_;
};

constexpr const char* kOnePoint = R"({"bad_points": [{"suite": "P256-SHA256", "what": "infinity", "value": "00"}]})";

TEST_F(Directory, PrintsALineAFileAndATotal) {
  put("pqpake.json", "{}");
  put("notes.txt", "not a vector file");
  put("oprf.json", kOnePoint);
  EXPECT_EQ(run(), std::pair(0, std::string("oprf.json: 1 passed, 0 failed, 0 skipped\n"
                                            "pqpake.json: 0 passed, 0 failed, 1 skipped\n"
                                            "1 passed, 0 failed, 1 skipped\n")));
  put("oprf.json", R"({"bad_points": [{"suite": "P256-SHA256", "what": "infinity")");
  put("unknown.json", "{}");
  EXPECT_EQ(run(), std::pair(1, std::string("oprf.json: 0 passed, 1 failed, 0 skipped\n"
                                            "pqpake.json: 0 passed, 0 failed, 1 skipped\n"
                                            "unknown.json: 0 passed, 1 failed, 0 skipped\n"
                                            "0 passed, 2 failed, 1 skipped\n")));
}

TEST_F(Directory, IsComparedWithItsPins) {
  put("oprf.json", kOnePoint);
  put("pinned.json", R"({"oprf.json": {"passed": 1, "skipped": 0, "values": 3}})");
  EXPECT_EQ(run(), std::pair(0, std::string("oprf.json: 1 passed, 0 failed, 0 skipped\n"
                                            "1 passed, 0 failed, 0 skipped\n")));
  for (const auto* other : {R"({"oprf.json": {"passed": 2, "skipped": 0, "values": 3}})",
                            R"({"oprf.json": {"passed": 1, "skipped": 0, "values": 4}})",
                            R"({"oprf.json": {"passed": 1, "skipped": 1, "values": 3}})",
                            R"({"oprf.json": {"passed": 1, "skipped": 0}})", R"({"oprf.json": 1})"}) {
    put("pinned.json", other);
    EXPECT_EQ(run(), std::pair(1, std::string("oprf.json: 1 passed, 1 failed, 0 skipped\n"
                                              "1 passed, 1 failed, 0 skipped\n")))
        << other;
  }
  put("pinned.json", R"({"oprf.json": {"passed": 1, "skipped": 0, "values": 3}, "cpace.json": {"passed": 1}})");
  EXPECT_EQ(run().first, 1) << "a file that is pinned is missing";
  for (const auto* text : {"", "[]", "{"}) {
    put("pinned.json", text);
    EXPECT_EQ(run().first, 1) << text;
  }
  std::filesystem::remove(path_ / "oprf.json");
  put("pinned.json", R"({"oprf.json": {"passed": 1, "skipped": 0, "values": 3}})");
  EXPECT_EQ(run().first, 1) << "no file is left of those that are pinned";
}

TEST(Pins, NameEveryFileHere) {
  const auto pins = read(std::string(kPinned));
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    const auto name = entry.path().filename().string();
    if (entry.path().extension() == ".json" && name != kPinned) {
      EXPECT_TRUE(pins.contains(name)) << name;
    }
  }
}

TEST_F(Directory, AnEmptyOrMissingOneIsAnError) {
  EXPECT_EQ(run(), std::pair(2, std::string()));
  std::filesystem::remove_all(path_);
  EXPECT_EQ(run(), std::pair(2, std::string()));
}

}  // namespace
}  // namespace pake::vectors
