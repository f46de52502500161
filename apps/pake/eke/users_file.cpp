#include "eke/users_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "pake/internal/try.h"
#include "process/output.h"
#include "process/unique_fd.h"
#include "secrets/secret_source.h"
#include "terminal/escape.h"

namespace pake::cli::eke {
namespace {

constexpr std::size_t kMaxFile = 4UL << 20U;

std::unexpected<Problem> complain(std::string error) {
  return std::unexpected(Problem{.exit_code = kExitStore, .error = std::move(error)});
}

void warn_if_open_to_others(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    say_note(fmt::format("others may read {}", path));
    say_hint(fmt::format("chmod 600 {}", path));
  }
}

// What is wrong with a line, or nothing.
Expected<void> add_line(std::string_view line, pake::eke::UserTable& table) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return complain("name:password is expected");
  const auto name = line.substr(0, colon);
  const auto password = line.substr(colon + 1);
  if (name.empty()) return complain("the name is empty");
  if (name.size() > pake::eke::kMaxUserName) return complain("the name is too long");
  if (password.empty()) return complain(fmt::format("the password of '{}' is empty", escape(name)));
  if (password.size() > kMaxPassword) return complain(fmt::format("the password of '{}' is too long", escape(name)));
  if (table.find(name) != nullptr) return complain(fmt::format("'{}' is there twice", escape(name)));
  if (!table.add(name, SecretBuffer::copy_of(as_bytes(password)))) return complain("the name cannot be used");
  return {};
}

}  // namespace

Expected<pake::eke::UserTable> parse_users(Bytes text, const std::string& path) {
  pake::eke::UserTable table;
  std::size_t users = 0;
  std::size_t number = 1;
  for (auto rest = as_text(text); !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (auto added = add_line(line, table); !added)
      return complain(fmt::format("{}, line {}: {}", path, number, added.error().error));
    ++users;
  }
  if (users == 0) return complain(fmt::format("{} names no user: a line is name:password", path));
  return table;
}

Expected<pake::eke::UserTable> read_users(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return complain(fmt::format("cannot open {}: {}", path, explain_errno(errno)));
  warn_if_open_to_others(file.get(), path);
  auto text = read_all(file.get(), kMaxFile, path);
  if (!text) return complain(std::move(text.error().error));
  return parse_users(text->reveal(), path);
}

}  // namespace pake::cli::eke
