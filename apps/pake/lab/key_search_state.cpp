#include "lab/key_search_state.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "lab/text_file.h"
#include "pake/crypto/hash.h"
#include "terminal/escape.h"

namespace pake::cli::lab {
namespace {
constexpr std::size_t kMostBytes = 4096;
}

Expected<KeySearchState> KeySearchState::open(const std::optional<std::string>& path, Bytes E_NC,
                                              const std::vector<CipherMode>& modes) {
  KeySearchState state;
  state.path_ = path;
  state.recording_ = fmt::format("{:02x}", fmt::join(crypto::hash(crypto::HashId::sha256, {E_NC}).reveal(), ""));
  for (const auto mode : modes) state.modes_ += mode == CipherMode::gcm ? "gcm" : "cbc";
  if (!path) return state;
  const auto problem = [&](std::string_view what, std::string hint = {}) {
    return std::unexpected(Problem{
        .exit_code = kExitFailed, .error = fmt::format("{}: {}", escape(*path), what), .hint = std::move(hint)});
  };
  std::ifstream file(*path, std::ios::binary);
  if (!file && errno == ENOENT) return state;
  if (!file) return problem(explain_errno(errno));
  std::string text(kMostBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto member = [&](const char* name) {
    return json.is_object() && json.contains(name) ? json[name] : nlohmann::json();
  };
  const auto next = member("next");
  if (!member("recording").is_string() || !member("modes").is_string() || !next.is_number_unsigned() ||
      next.get<std::uint64_t>() > kAllKeys)
    return problem("it is not the state of a search", "name a file that is not there yet");
  if (member("recording").get<std::string>() != state.recording_ || member("modes").get<std::string>() != state.modes_)
    return problem("it is the state of the search in another recording, or in another mode",
                   "name a file that is not there yet");
  state.next_ = next.get<std::uint64_t>();
  return state;
}

Expected<void> KeySearchState::keep(std::uint64_t next) {
  next_ = next;
  if (!path_) return {};
  return replace_file(*path_, fmt::format(R"({{"recording":"{}","modes":"{}","next":{}}})"
                                          "\n",
                                          recording_, modes_, next));
}

}  // namespace pake::cli::lab
