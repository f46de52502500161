#include "pake/testing/fields.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "pake/testing/hex.h"

namespace pake::testing {

nlohmann::json read_json(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

Fields::Fields(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {
  for (const auto& [name, value] : object.items()) unread_.insert(name);
}

Fields::~Fields() {
  for (const auto& name : unread_) ADD_FAILURE() << where_ << ": nobody read the field " << name;
}

const nlohmann::json& Fields::operator[](const std::string& name) {
  unread_.erase(name);
  return object_.at(name);
}

std::string Fields::text(const std::string& name) { return (*this)[name].get<std::string>(); }
Buffer Fields::unhex(const std::string& name) { return testing::unhex(text(name)); }
std::size_t Fields::number(const std::string& name) { return (*this)[name].get<std::size_t>(); }
std::vector<std::string> Fields::texts(const std::string& name) {
  return (*this)[name].get<std::vector<std::string>>();
}

}  // namespace pake::testing
