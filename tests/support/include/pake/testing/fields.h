// Vector files, read field by field.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "pake/base/bytes.h"

namespace pake::testing {

/// The JSON in `path`; throws when there is none.
[[nodiscard]] nlohmann::json read_json(const std::string& path);

/// One object of a vector file. Whatever is not read by the end fails the test: a field that nobody looks at proves
/// nothing. A missing field, or one of another type, throws. The JSON must outlive it.
class Fields {
 public:
  Fields(const nlohmann::json& object, std::string where);
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;
  ~Fields();

  [[nodiscard]] const nlohmann::json& operator[](const std::string& name);
  [[nodiscard]] std::string text(const std::string& name);
  [[nodiscard]] Buffer unhex(const std::string& name);
  [[nodiscard]] std::size_t number(const std::string& name);
  [[nodiscard]] std::vector<std::string> texts(const std::string& name);

 private:
  const nlohmann::json& object_;
  std::string where_;
  std::set<std::string> unread_;
};

}  // namespace pake::testing
