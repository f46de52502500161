// The runner over the files beside it, and over files that are wrong in one place each.
#include "vectors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
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
                         ::testing::Values("channel.json", "cpace.json", "identity.json", "opaque.json", "oprf.json",
                                           "rsa_eke.json"),
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
Json with_only(const Json::json_pointer& path, Json entry) {
  auto section = path;
  if (path.back().find_first_not_of("0123456789") == std::string::npos) {
    section.pop_back();
    entry = Json::array({std::move(entry)});
  }
  Json document = Json::object();
  document[section] = std::move(entry);
  return document;
}

/// What one entry comes to; where it names a base, that entry (which passes) is in the document, but not in the count.
Tally run_alone(const std::string& name, const Json& whole, const Json::json_pointer& path, const Json& entry) {
  auto document = with_only(path, entry);
  if (entry.is_object() && entry.contains("base"))
    for (const auto& vector : whole["vectors"])
      if (vector["id"] == entry["base"]) document["vectors"] = Json::array({vector});
  auto tally = run(name, document);
  if (document.contains("vectors") && !path.to_string().starts_with("/vectors")) --tally.passed;
  return tally;
}

/// The entries of a file whose sections are lists, or objects of lists and entries.
void entries(const Json& json, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  for (const auto& [name, value] : json.items()) {
    if (name == "about") continue;
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
  if (field == "/what" || field == "/reason" || field == "/source" || field == "/id" || field == "/error") return true;
  if (path.starts_with("/negative") && (field == "/value" || field.starts_with("/set"))) return true;
  if (field == "/rule" || field == "/alternatives/note" || field == "/key_confirmation/source") return true;
  if (path.starts_with("/scalar_mult_vfy") && entry.at("kind") == "invalid") return field == "/s" || field == "/X";
  if (path.starts_with("/wire") && entry.at("parses") == false) return field == "/message";
  if (path.starts_with("/ristretto255/sqrt_ratio_m1")) return field == "/u" || field == "/v";  // 0/v = 0, u/0 = 0
  if (path.contains("_refused/")) return field == "/typed" || field == "/content";
  if (path.starts_with("/bad_points") && field == "/value") return true;
  if (path.starts_with("/bad_scalars") && field == "/value") return true;
  if (path.starts_with("/refused_keys") && field == "/pem") return true;
  if (field == "/pkcs8") return true;  // its last number speeds decryption up; OpenSSL notices when it is wrong
  return path.starts_with("/ristretto255/bad_encodings") && field == "/encoding";
}

/// What is compared where it is there.
bool may_be_absent(const Json::json_pointer& pointer, const Json& entry, const std::string& field) {
  const auto path = pointer.to_string();
  if (path.starts_with("/negative")) return field == "/rule" || field.starts_with("/set");
  if (path.starts_with("/scalar_mult_vfy") && entry.at("kind") == "invalid")
    return field == "/what" || field == "/result";
  return field.starts_with("/intermediates") || field.starts_with("/extra_intermediates") ||
         field.starts_with("/outputs");
}

/// A real KSF costs a second: there only the configuration is changed, the rest is as in entries without one.
bool is_left_alone(const Json& entry, const std::string& field) {
  return entry.is_object() && entry.contains(Json::json_pointer("/config/KSF_params")) && !field.starts_with("/config");
}

TEST_P(VectorFile, EveryFieldMatters) {
  const auto whole = read(GetParam());
  std::vector<Json::json_pointer> paths;
  entries(whole, Json::json_pointer(), paths);
  for (const auto& path : paths) {
    const auto& entry = whole.at(path);
    const auto tally = run_alone(GetParam(), whole, path, entry);
    if (tally.skipped == 1) continue;
    ASSERT_EQ(tally.passed, 1U) << path;
    auto more = entry;
    more["unknown"] = "00";
    EXPECT_EQ(run_alone(GetParam(), whole, path, more).failed, 1U) << path;

    std::vector<Json::json_pointer> fields;
    leaves(entry, Json::json_pointer(), fields);
    for (const auto& field : fields) {
      if (is_left_alone(entry, field.to_string())) continue;
      if (!may_be_changed(path, entry, field.to_string())) {
        auto other = entry;
        other[field] = changed(entry.at(field));
        EXPECT_EQ(run_alone(GetParam(), whole, path, other).passed, 0U) << path << field;
      }
      auto mistyped = entry;
      mistyped[field] = nullptr;
      EXPECT_EQ(run_alone(GetParam(), whole, path, mistyped).failed, 1U) << path << field;
      if (entry.is_object() && !field.empty() && entry.at(field.parent_pointer()).is_object() &&
          !may_be_absent(path, entry, field.to_string())) {
        auto less = entry;
        less.at(field.parent_pointer()).erase(field.back());
        EXPECT_EQ(run_alone(GetParam(), whole, path, less).failed, 1U) << path << field;
      }
    }
  }
}

TEST(Runner, AnUnknownSectionFailsAndAnUnknownSuiteIsSkipped) {
  const auto skipped = run("oprf.json", Json::parse(R"({"bad_points": [{"suite": "decaf448-SHAKE256"}]})"));
  EXPECT_EQ(skipped.skipped, 1U);
  EXPECT_EQ(skipped.passed + skipped.failed, 0U);
  for (const auto* text : {R"({"surprise": []})", R"({"ristretto255": {"surprise": []}})", R"({"bad_points": {}})",
                           R"({"bad_points": [1]})", R"({"ristretto255": 1})", R"([])", R"(1)"})
    EXPECT_EQ(run("oprf.json", Json::parse(text)).failed, 1U) << text;
  EXPECT_EQ(run("oprf.json", Json::parse(R"({"about": {}})")).failed, 0U);
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

TEST_F(Directory, PrintsALineAFileAndATotal) {
  put("unknown.json", "{}");
  put("notes.txt", "not a vector file");
  put("oprf.json", R"({"bad_points": [{"suite": "P256-SHA256", "what": "infinity", "value": "00"}]})");
  EXPECT_EQ(run(), std::pair(0, std::string("oprf.json: 1 passed, 0 failed, 0 skipped\n"
                                            "unknown.json: 0 passed, 0 failed, 1 skipped\n"
                                            "1 passed, 0 failed, 1 skipped\n")));
  put("oprf.json", R"({"bad_points": [{"suite": "P256-SHA256", "what": "infinity")");
  EXPECT_EQ(run(), std::pair(1, std::string("oprf.json: 0 passed, 1 failed, 0 skipped\n"
                                            "unknown.json: 0 passed, 0 failed, 1 skipped\n"
                                            "0 passed, 1 failed, 1 skipped\n")));
}

TEST_F(Directory, AnEmptyOrMissingOneIsAnError) {
  EXPECT_EQ(run(), std::pair(2, std::string()));
  std::filesystem::remove_all(path_);
  EXPECT_EQ(run(), std::pair(2, std::string()));
}

}  // namespace
}  // namespace pake::vectors
