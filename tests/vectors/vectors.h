// The vector runner: every field of every entry is read and compared, or the entry fails.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "pake/base/bytes.h"

namespace pake::vectors {

using Json = nlohmann::json;

/// Ends an entry as failed; says where and why.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Ends an entry as skipped: it asks for what is on the list of what is left out (registry.cpp).
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One object of a vector file. A field that is missing, of another type, or never read is a Failure that tells its
/// path.
class Fields {
 public:
  Fields(const Json& object, std::string path);

  /// Whether the field is there; that alone does not read it.
  [[nodiscard]] bool has(const std::string& name) const { return object_.contains(name); }
  [[nodiscard]] std::string text(const std::string& name);
  [[nodiscard]] Buffer bytes(const std::string& name);
  [[nodiscard]] std::uint64_t number(const std::string& name);
  [[nodiscard]] bool boolean(const std::string& name);
  [[nodiscard]] std::vector<Buffer> list_of_bytes(const std::string& name);
  [[nodiscard]] std::vector<std::string> list_of_texts(const std::string& name);
  [[nodiscard]] std::vector<std::uint64_t> list_of_numbers(const std::string& name);
  /// The object in a field. It lives as long as this one, and what is not read of it counts as not read of this one.
  [[nodiscard]] Fields& object(const std::string& name);

  /// Reads the field and fails unless it says what was computed.
  void expect(const std::string& name, Bytes computed);
  void expect(const std::string& name, bool computed);
  /// Fails unless `condition`, which says `what`.
  void require(bool condition, std::string_view what) const;
  [[noreturn]] void fail(std::string_view why) const;
  /// For a `kind` of thing ("suite", "hash") of a name that nothing here computes: skips what is left out on purpose,
  /// and fails for any other name, which is most likely misspelt.
  [[noreturn]] void not_offered(std::string_view kind, std::string_view name) const;

  /// Fails when a field was not read.
  void finish() const;

 private:
  const Json& read(const std::string& name);
  [[noreturn]] void fail_at(const std::string& name, std::string_view why) const;

  const Json& object_;
  std::string path_;
  std::set<std::string> unread_;
  std::vector<std::unique_ptr<Fields>> children_;
};

struct Tally {
  std::size_t passed = 0, failed = 0, skipped = 0;
  std::size_t values = 0;                            // in the entries that passed or were skipped
  std::map<std::string, std::size_t> left_out = {};  // what was skipped, and how often
  Tally& operator+=(const Tally& other);
};
/// `N passed, N failed, N skipped`
std::ostream& operator<<(std::ostream& out, const Tally& tally);

/// What checks one entry: by throwing Failure or Skip, or by leaving a field unread.
using Check = std::function<void(Fields&)>;

/// An object whose members are sections of entries: a file, or a part of one. A section that nobody asked for counts as
/// one failure, and so does an empty list; one that is absent counts as nothing.
class Sections {
 public:
  Sections(const Json& object, std::string path, std::ostream& err);

  /// Runs `check` on each entry of the list `section`.
  void each(const std::string& section, const Check& check);
  /// Runs `check` on the one entry that is the object `section`.
  void one(const std::string& section, const Check& check);
  /// Hands the sections within `section` to `handle`.
  void within(const std::string& section, const std::function<void(Sections&)>& handle);
  /// The entry of the list `section` whose `id` is the given one, as it stands, or a Failure: for entries that build
  /// upon another one.
  [[nodiscard]] const Json& entry(const std::string& section, const std::string& id) const;
  /// Passes over a section that explains the file.
  void ignore(const std::string& section) { unread_.erase(section); }

  /// Everything so far, and the sections that nobody asked for.
  [[nodiscard]] Tally finish();

 private:
  const Json* read(const std::string& section);
  void run(const Json& entry, const std::string& path, const Check& check);
  void failed(const std::string& path, std::string_view why);

  const Json& object_;
  std::string path_;
  std::ostream& err_;
  std::set<std::string> unread_;
  Tally tally_;
};

using Handler = void (*)(Sections& file);

/// What checks a file of this name, or null (registry.cpp).
[[nodiscard]] Handler handler_of(std::string_view file_name) noexcept;

/// Whether what a `kind` of thing of this name asks for is left out on purpose; of the kind "file", a protocol that is
/// not built yet (registry.cpp).
[[nodiscard]] bool is_left_out(std::string_view kind, std::string_view name) noexcept;

/// Runs one document under the handler of `file_name`; explains failures on `err`. A file without any entry is a
/// failure.
[[nodiscard]] Tally run_document(const std::string& file_name, const Json& document, std::ostream& err);

/// JSON in which no object has two members of one name.
/// @throws std::exception  for any other text
[[nodiscard]] Json parse(std::istream& text);

/// The file of a directory that pins what its other files come to:
/// `{"FILE": {"passed": N, "skipped": N, "values": N}, ...}`. It is no vector file.
constexpr std::string_view kPinned = "pinned.json";

/// Runs every *.json of `directory`, in the order of their names: a line a file and a last one for all on `out`,
/// failures and what was left out on `err`. A file of a protocol that is not built yet counts as one skipped entry; as
/// one failed entry counts a file of any other unknown name, one that is no JSON, and one that is not as it is pinned.
/// @return the exit code: 0, 1 when anything failed, 2 when there is no such directory or no file in it
[[nodiscard]] int run_directory(const std::filesystem::path& directory, std::ostream& out, std::ostream& err);

}  // namespace pake::vectors
