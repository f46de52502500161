#include "options/setting.h"

#include <cstddef>

namespace pake::cli {

std::vector<std::string> Setting::spellings() const {
  std::vector<std::string> all(1);
  for (const char c : flag) {
    if (c == ',')
      all.emplace_back();
    else
      all.back() += c;
  }
  return all;
}

Accepted set_given(const Settings& settings, const Given& given) {
  for (const auto& setting : settings) {
    const auto texts = given.find(setting.flag);
    if (texts == given.end()) continue;
    if (setting.value.type != Value::Type::list && texts->second.size() > 1)
      return std::unexpected(Complaint{.error = setting.spellings().back() + " is given twice"});
    if (setting.value.clear) setting.value.clear();
    const std::vector<std::string> nothing(1);  // if the value was left out
    for (const auto& text : texts->second.empty() ? nothing : texts->second) {
      auto accepted = setting.value.set(text);
      if (accepted) continue;
      auto complaint = std::move(accepted.error());
      if (!setting.is_word()) complaint.error = setting.spellings().back() + ": " + complaint.error;
      return std::unexpected(std::move(complaint));
    }
  }
  return {};
}

Changes changes_between(const Settings& before, const Settings& after) {
  Changes changes;
  for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
    if (!before[i].value.show || before[i].value.show() == after[i].value.show()) continue;
    auto& list = after[i].reloadable ? changes.taken_over : changes.wait_for_start;
    list.push_back(after[i].key.empty() ? after[i].spellings().back() : after[i].key);
  }
  return changes;
}

}  // namespace pake::cli
