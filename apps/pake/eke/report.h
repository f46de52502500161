// What the two programs print on stdout: the seed's lines, or one JSON object for each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pake/proto/eke/rsa_eke.h"
#include "process/output.h"

namespace pake::cli::eke {

struct Style {
  bool json = false;
  bool details = true;  // the run's values, and who connects; otherwise outcomes and chat alone
};

/// Something to print: as the seed's line (harmless text), or by name with its fields (raw bytes).
struct Event {
  std::string_view name;
  std::string line;
  std::vector<std::pair<std::string, std::string>> fields = {};
};

/// One connection's part of stdout. A program that has several says which, in JSON.
class Report final : public pake::eke::Observer {
 public:
  Report(Output& output, Style style, std::optional<std::uint64_t> connection = std::nullopt)
      : output_(output), style_(style), connection_(connection) {}

  /// An outcome or a chat line.
  void tell(const Event& event);
  /// What --quiet leaves out.
  void detail(const Event& event);
  void learnt(pake::eke::Value value, std::string_view text) override;

  /// The user that was learnt, for the chat's lines.
  [[nodiscard]] const std::string& user() const noexcept { return user_; }

 private:
  Output& output_;
  Style style_;
  std::optional<std::uint64_t> connection_;
  std::string user_;
};

}  // namespace pake::cli::eke
