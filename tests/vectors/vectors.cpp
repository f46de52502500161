#include "vectors.h"

#include <algorithm>
#include <fstream>
#include <ostream>

#include "pake/testing/hex.h"

namespace pake::vectors {
namespace {

std::set<std::string> names_of(const Json& object) {
  std::set<std::string> names;
  for (const auto& member : object.items()) names.insert(member.key());
  return names;
}

}  // namespace

// --- Fields

Fields::Fields(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
  require(object.is_object(), "not an object");
  unread_ = names_of(object);
}

const Json& Fields::read(const std::string& name) {
  unread_.erase(name);
  const auto found = object_.find(name);
  if (found == object_.end()) fail_at(name, "missing");
  return *found;
}

std::string Fields::text(const std::string& name) {
  const auto& value = read(name);
  if (!value.is_string()) fail_at(name, "not a string");
  return value.get<std::string>();
}

Buffer Fields::bytes(const std::string& name) {
  const auto digits = text(name);
  try {
    return testing::unhex(digits);
  } catch (const std::invalid_argument& error) {
    fail_at(name, error.what());
  }
}

std::uint64_t Fields::number(const std::string& name) {
  const auto& value = read(name);
  if (!value.is_number_unsigned()) fail_at(name, "not a non-negative integer");
  return value.get<std::uint64_t>();
}

bool Fields::boolean(const std::string& name) {
  const auto& value = read(name);
  if (!value.is_boolean()) fail_at(name, "not true or false");
  return value.get<bool>();
}

std::vector<Buffer> Fields::list_of_bytes(const std::string& name) {
  const auto& value = read(name);
  if (!value.is_array()) fail_at(name, "not a list");
  std::vector<Buffer> list;
  for (const auto& item : value) {
    if (!item.is_string()) fail_at(name, "not a list of strings");
    try {
      list.push_back(testing::unhex(item.get<std::string>()));
    } catch (const std::invalid_argument& error) {
      fail_at(name, error.what());
    }
  }
  return list;
}

std::vector<std::string> Fields::list_of_texts(const std::string& name) {
  const auto& value = read(name);
  if (!value.is_array()) fail_at(name, "not a list");
  std::vector<std::string> list;
  for (const auto& item : value) {
    if (!item.is_string()) fail_at(name, "not a list of strings");
    list.push_back(item.get<std::string>());
  }
  return list;
}

std::vector<std::uint64_t> Fields::list_of_numbers(const std::string& name) {
  const auto& value = read(name);
  if (!value.is_array()) fail_at(name, "not a list");
  std::vector<std::uint64_t> list;
  for (const auto& item : value) {
    if (!item.is_number_unsigned()) fail_at(name, "not a list of non-negative integers");
    list.push_back(item.get<std::uint64_t>());
  }
  return list;
}

Fields& Fields::object(const std::string& name) {
  children_.push_back(std::make_unique<Fields>(read(name), path_ + "." + name));
  return *children_.back();
}

void Fields::expect(const std::string& name, Bytes computed) {
  const auto wanted = bytes(name);
  if (!std::ranges::equal(wanted, computed))
    fail_at(name, "computed " + testing::hex(computed) + ", not " + testing::hex(wanted));
}

void Fields::expect(const std::string& name, bool computed) {
  if (boolean(name) != computed) fail_at(name, computed ? "computed true" : "computed false");
}

void Fields::require(bool condition, std::string_view what) const {
  if (!condition) fail(what);
}

void Fields::fail(std::string_view why) const { throw Failure(path_ + ": " + std::string(why)); }

void Fields::fail_at(const std::string& name, std::string_view why) const {
  throw Failure(path_ + "." + name + ": " + std::string(why));
}

void Fields::not_offered(std::string_view kind, std::string_view name) const {
  const auto what = std::string(kind) + " " + std::string(name);
  if (is_left_out(kind, name)) throw Skip(what);
  fail("unknown " + what);
}

void Fields::finish() const {
  if (!unread_.empty()) fail_at(*unread_.begin(), "nobody reads this field");
  for (const auto& child : children_) child->finish();
}

// --- Tally

Tally& Tally::operator+=(const Tally& other) {
  passed += other.passed;
  failed += other.failed;
  skipped += other.skipped;
  values += other.values;
  for (const auto& [what, count] : other.left_out) left_out[what] += count;
  return *this;
}

std::ostream& operator<<(std::ostream& out, const Tally& tally) {
  return out << tally.passed << " passed, " << tally.failed << " failed, " << tally.skipped << " skipped";
}

// --- Sections

namespace {

/// What is neither a list nor an object, in all of `json`.
std::size_t values_in(const Json& json) {
  if (!json.is_structured()) return 1;
  std::size_t count = 0;
  for (const auto& item : json) count += values_in(item);
  return count;
}

}  // namespace

Sections::Sections(const Json& object, std::string path, std::ostream& err)
    : object_(object), path_(std::move(path)), err_(err) {
  if (object.is_object())
    unread_ = names_of(object);
  else
    failed(path_, "not an object");
}

const Json* Sections::read(const std::string& section) {
  unread_.erase(section);
  const auto found = object_.find(section);
  return found == object_.end() ? nullptr : &*found;
}

void Sections::failed(const std::string& path, std::string_view why) {
  ++tally_.failed;
  err_ << path << ": " << why << '\n';
}

void Sections::run(const Json& entry, const std::string& path, const Check& check) {
  try {
    Fields fields(entry, path);
    check(fields);
    fields.finish();
    ++tally_.passed;
    tally_.values += values_in(entry);
  } catch (const Skip& skip) {
    ++tally_.skipped;
    ++tally_.left_out[skip.what()];
    tally_.values += values_in(entry);
    err_ << path << ": skipped: " << skip.what() << '\n';
  } catch (const Failure& failure) {
    ++tally_.failed;
    err_ << failure.what() << '\n';
  } catch (const std::exception& error) {
    failed(path, error.what());
  }
}

void Sections::each(const std::string& section, const Check& check) {
  const auto* list = read(section);
  if (list == nullptr) return;
  const auto path = path_ + ": " + section;
  if (!list->is_array()) return failed(path, "not a list");
  if (list->empty()) return failed(path, "an empty list");
  for (std::size_t i = 0; i < list->size(); ++i) run((*list)[i], path + "[" + std::to_string(i) + "]", check);
}

void Sections::one(const std::string& section, const Check& check) {
  if (const auto* entry = read(section)) run(*entry, path_ + ": " + section, check);
}

void Sections::within(const std::string& section, const std::function<void(Sections&)>& handle) {
  const auto* object = read(section);
  if (object == nullptr) return;
  Sections inner(*object, path_ + ": " + section, err_);
  handle(inner);
  tally_ += inner.finish();
}

const Json& Sections::entry(const std::string& section, const std::string& id) const {
  const Json* found = nullptr;
  const auto list = object_.find(section);
  if (list != object_.end() && list->is_array())
    for (const auto& candidate : *list)
      if (candidate.is_object() && candidate.contains("id") && candidate["id"] == id) {
        if (found != nullptr) throw Failure(path_ + ": " + section + ": two entries have the id " + id);
        found = &candidate;
      }
  if (found == nullptr) throw Failure(path_ + ": " + section + ": no entry has the id " + id);
  return *found;
}

Tally Sections::finish() {
  for (const auto& section : unread_) failed(path_ + ": " + section, "nobody knows this section");
  unread_.clear();
  return tally_;
}

// --- Files

Tally run_document(const std::string& file_name, const Json& document, std::ostream& err) {
  const auto handler = handler_of(file_name);
  if (handler == nullptr) {
    if (is_left_out("file", file_name)) {
      err << file_name << ": skipped: nothing here computes this protocol yet\n";
      return {.skipped = 1, .left_out = {{"file " + file_name, 1}}};
    }
    err << file_name << ": nobody knows a file of this name\n";
    return {.failed = 1};
  }
  Sections sections(document, file_name, err);
  sections.ignore("about");
  if (document.is_object()) handler(sections);
  auto tally = sections.finish();
  if (tally.passed + tally.failed + tally.skipped == 0) {
    err << file_name << ": no entry in it\n";
    tally.failed = 1;
  }
  return tally;
}

Json parse(std::istream& text) {
  std::vector<std::set<std::string>> names;  // of the objects that are open
  return Json::parse(text, [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second)
      throw Failure("two members of one object are called " + parsed.dump());
    return true;
  });
}

namespace {

Json parse_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return parse(file);
}

Tally run_file(const std::filesystem::path& path, std::ostream& err) {
  const auto name = path.filename().string();
  try {
    return run_document(name, parse_file(path), err);
  } catch (const std::exception& error) {
    err << name << ": " << error.what() << '\n';
    return {.failed = 1};
  }
}

Json pin_of(const Tally& tally) {
  return {{"passed", tally.passed}, {"skipped", tally.skipped}, {"values", tally.values}};
}

/// The results of a directory, a line each; the file of pins is compared with them, where there is one.
class Results {
 public:
  explicit Results(std::ostream& err) : err_(err) {}

  void pin(const std::filesystem::path& path) {
    try {
      pins_ = parse_file(path);
      if (!pins_.is_object()) throw Failure("not an object");
      for (const auto& pin : pins_.items()) tallies_[pin.key()];
    } catch (const std::exception& error) {
      fail(std::string(kPinned), error.what());
      pins_ = Json::object();
    }
  }
  void add(const std::string& file, Tally tally) {
    ran_.insert(file);
    tallies_[file] += tally;
  }
  /// Compares, prints, and returns the sum.
  Tally finish(std::ostream& out) {
    for (const auto& pin : pins_.items()) {
      const auto& tally = tallies_[pin.key()];
      if (!ran_.contains(pin.key()))
        fail(pin.key(), "pinned, and not there");
      else if (tally.failed == 0 && pin.value() != pin_of(tally))
        fail(pin.key(), "pinned as " + pin.value().dump() + ", comes to " + pin_of(tally).dump());
    }
    Tally total;
    for (const auto& [file, tally] : tallies_) {
      out << file << ": " << tally << '\n';
      total += tally;
    }
    return total;
  }

 private:
  void fail(const std::string& file, std::string_view why) {
    ++tallies_[file].failed;
    err_ << file << ": " << why << '\n';
  }

  std::ostream& err_;
  Json pins_ = Json::object();
  std::set<std::string> ran_;
  std::map<std::string, Tally> tallies_;
};

}  // namespace

int run_directory(const std::filesystem::path& directory, std::ostream& out, std::ostream& err) {
  std::set<std::filesystem::path> paths;
  std::error_code error;
  for (auto entries = std::filesystem::directory_iterator(directory, error);
       !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
    if (entries->path().extension() == ".json") paths.insert(entries->path());
  const auto pinned = directory / kPinned;
  const bool has_pins = paths.erase(pinned) != 0;
  if (error || (paths.empty() && !has_pins)) {
    err << "error: " << directory.string() << ": " << (error ? error.message() : "no *.json in it") << '\n';
    return 2;
  }
  Results results(err);
  if (has_pins) results.pin(pinned);
  for (const auto& path : paths) results.add(path.filename().string(), run_file(path, err));
  const auto total = results.finish(out);
  out << total << '\n';
  for (const auto& [what, count] : total.left_out) err << "left out: " << what << " (" << count << " skipped)\n";
  return total.failed == 0 ? 0 : 1;
}

}  // namespace pake::vectors
