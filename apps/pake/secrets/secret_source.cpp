#include "secrets/secret_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "pake/base/ct.h"
#include "pake/internal/try.h"
#include "process/output.h"
#include "process/unique_fd.h"
#include "secrets/askpass.h"
#include "terminal/prompt.h"

namespace pake::cli {
namespace {

constexpr const char* kPasswordVariable = "PAKE_PASSWORD";
constexpr const char* kNewPasswordVariable = "PAKE_NEW_PASSWORD";
constexpr const char* kCodeVariable = "PAKE_CODE";

std::unexpected<Problem> complain(std::string error, std::string hint = {}) {
  return std::unexpected(Problem{.exit_code = kExitFailed, .error = std::move(error), .hint = std::move(hint)});
}

bool is_password(SecretKind kind) { return kind == SecretKind::password || kind == SecretKind::new_password; }

const char* variable_of(SecretKind kind) {
  if (kind == SecretKind::new_password) return kNewPasswordVariable;
  return is_password(kind) ? kPasswordVariable : kCodeVariable;
}

// As a sentence calls it, and as options do: "new-password" in "--new-password-fd".
std::string_view name_of(SecretKind kind) { return is_password(kind) ? "password" : "code"; }
std::string_view option_of(SecretKind kind) {
  return kind == SecretKind::new_password ? "new-password" : name_of(kind);
}

Bytes without_newline(Bytes text) {
  if (!text.empty() && text.back() == '\n') text = text.first(text.size() - 1);
  if (!text.empty() && text.back() == '\r') text = text.first(text.size() - 1);
  return text;
}

Expected<GivenSecret> checked(Bytes text, std::string source, SecretKind kind) {
  if (text.empty()) return complain(fmt::format("{} gives an empty {}", source, name_of(kind)));
  if (text.size() > kMaxPassword)
    return complain(fmt::format("{} gives more than {} bytes, which is no {}", source, kMaxPassword, name_of(kind)));
  return GivenSecret{.text = SecretBuffer::copy_of(text), .source = std::move(source)};
}

Expected<GivenSecret> from_open(int fd, std::string source, SecretKind kind) {
  PAKE_TRY(const auto text, read_all(fd, kMaxPassword + 2, source));
  return checked(without_newline(text.reveal()), std::move(source), kind);
}

Expected<GivenSecret> from_file(const std::string& path, SecretKind kind) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return complain(fmt::format("cannot open {}: {}", path, explain_errno(errno)));
  return from_open(file.get(), path, kind);
}

/// A variable that may hold a secret. It is taken out of the environment with all others when the first secret is asked
/// for, so that neither /proc nor a program that asks for another one shows it; before there is a second thread.
struct SecretVariable {
  const char* name;
  std::optional<SecretBuffer> text = {};
};

// NOLINTBEGIN(concurrency-mt-unsafe)
void take_out(SecretVariable& variable) {
  char* const value = std::getenv(variable.name);
  if (value == nullptr) return;
  const MutableBytes bytes(reinterpret_cast<std::uint8_t*>(value), std::strlen(value));
  variable.text = SecretBuffer::copy_of(bytes);
  wipe(bytes);
  ::unsetenv(variable.name);
}
// NOLINTEND(concurrency-mt-unsafe)

/// What this variable gave, to the first who asks.
std::optional<SecretBuffer> take_variable(const char* name) {
  static std::array<SecretVariable, 3> all = {{{kPasswordVariable}, {kNewPasswordVariable}, {kCodeVariable}}};
  for (auto& variable : all) take_out(variable);
  auto* const found = std::ranges::find(all, std::string_view(name), &SecretVariable::name);
  return std::exchange(found->text, std::nullopt);
}

std::string how_else(SecretKind kind) {
  if (kind == SecretKind::new_password)
    return "use --new-password-file FILE, --new-password-fd N or the variable PAKE_NEW_PASSWORD, or type it when asked";
  return is_password(kind) ? "use --password-file FILE, --password-fd N, --password-prompt, or the variable "
                             "PAKE_PASSWORD"
                           : "use --code-file FILE, --code-fd N or the variable PAKE_CODE, or type it when asked";
}

/// Asks until what is typed can be used.
class Asker {
 public:
  Asker(const SecretOptions& options, const SecretPrompt& ask) : options_(options), ask_(ask) {}

  Expected<GivenSecret> ask() const {
    if (const auto program = options_.by_program && !ask_.twice ? askpass_program() : std::nullopt) {
      PAKE_TRY(auto given, ask_by_program(*program, ask_.question, kMaxPassword));
      return GivenSecret{.text = std::move(given), .source = *program};  // one try: nobody sees what was wrong
    }
    if (!has_terminal())
      return complain(fmt::format("there is no terminal to ask for the {}", name_of(options_.kind)),
                      how_else(options_.kind));
    for (;;) {
      PAKE_TRY(auto typed, prompt(ask_.question, echo(), kMaxPassword));
      if (typed.reveal().empty()) return complain(fmt::format("no {} was typed", name_of(options_.kind)));
      if (const auto wrong = ask_.check ? ask_.check(typed.reveal()) : std::nullopt) {
        report(*wrong);
        continue;
      }
      PAKE_TRY(const bool is_same, ask_.twice ? is_typed_again(typed) : true);
      if (is_same) return GivenSecret{.text = std::move(typed), .source = "the prompt", .was_typed = true};
      say_error("the two are not the same: nothing was sent");
    }
  }

 private:
  Expected<bool> is_typed_again(const SecretBuffer& typed) const {
    PAKE_TRY(const auto again, prompt("Again: ", echo(), kMaxPassword));
    return again.reveal().size() == typed.reveal().size() && ct_equal(again.reveal(), typed.reveal());
  }

  [[nodiscard]] Echo echo() const { return !is_password(options_.kind) && !options_.hide ? Echo::on : Echo::off; }

  const SecretOptions& options_;
  const SecretPrompt& ask_;
};

Expected<std::optional<GivenSecret>> given(Expected<GivenSecret> secret) {
  PAKE_TRY(auto value, std::move(secret));
  return std::optional(std::move(value));
}

Setting refused(std::vector<std::string>& in_argv, std::string flag) {
  return {.flag = std::move(flag), .value = texts(in_argv, kSecretName), .hidden = true};
}

}  // namespace

Settings secret_settings(SecretOptions& options) {
  if (options.kind == SecretKind::password)
    return {{.flag = "--password-fd",
             .value = number(options.fd, "N"),
             .help = "Read the password from this file descriptor"},
            {.flag = "--password-file", .value = file(options.file), .help = "Read the password from this file"},
            {.flag = "--password-prompt",
             .value = flag(options.prompt),
             .help = "Ask for the password on the terminal, without echo"},
            refused(options.in_argv, "-p,--pass,--password")};
  if (options.kind == SecretKind::new_password)
    return {
        {.flag = "--new-password-fd",
         .value = number(options.fd, "N"),
         .help = "Read the new password from this file descriptor"},
        {.flag = "--new-password-file", .value = file(options.file), .help = "Read the new password from this file"},
        {.flag = "--new-password-prompt",
         .value = flag(options.prompt),
         .help = "Ask for the new password on the terminal, twice, without echo"},
        refused(options.in_argv, "--new-password")};
  Settings settings = {
      {.flag = "--code-fd", .value = number(options.fd, "N"), .help = "Read the code from this file descriptor"},
      {.flag = "--code-file", .value = file(options.file), .help = "Read the code from this file"},
      {.flag = "--code-prompt",
       .value = flag(options.prompt),
       .help = "Ask for the code on the terminal, even if PAKE_CODE is set"},
      {.flag = "--hide", .value = flag(options.hide), .help = "Do not show the code while it is typed"}};
  if (options.kind == SecretKind::invitation) {
    settings.push_back(refused(options.in_argv, "--code"));
    return settings;
  }
  for (auto& older :
       Settings{{.flag = "--password-fd", .value = number(options.other_fd, "N"), .help = "", .hidden = true},
                {.flag = "--password-file", .value = file(options.other_file), .help = "", .hidden = true},
                {.flag = "--password-prompt", .value = flag(options.prompt), .help = "", .hidden = true},
                refused(options.in_argv, "-p,--pass,--password,--code")})
    settings.push_back(std::move(older));
  return settings;
}

std::vector<Variable> secret_variables(SecretKind kind) {
  if (kind == SecretKind::invitation)
    return {{kCodeVariable, "The code, unless an option gives it. Overwritten and unset at once"}};
  if (kind == SecretKind::code)
    return {{kCodeVariable, "The code, unless an option gives it. Overwritten and unset at once"},
            {kPasswordVariable, "Read if PAKE_CODE is not set, for older scripts"}};
  if (kind == SecretKind::new_password)
    return {{kNewPasswordVariable, "The new password, unless an option gives it. Overwritten and unset at once"}};
  return {{kPasswordVariable, "The password, unless an option gives it. Overwritten and unset at once"}};
}

Expected<SecretBuffer> read_all(int fd, std::size_t limit, std::string_view name, const std::function<bool()>& wait) {
  std::size_t size = 0;
  int failed = 0;
  const auto text = SecretBuffer::make(limit + 1, [&](MutableBytes out) {
    while (size < out.size() && (!wait || wait())) {
      const auto count = ::read(fd, out.data() + size, out.size() - size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) failed = errno;
      if (count <= 0) return;
      size += static_cast<std::size_t>(count);
    }
  });
  if (failed != 0) return complain(fmt::format("cannot read {}: {}", name, explain_errno(failed)));
  if (size > limit) return complain(fmt::format("{} has more than {} bytes", name, limit));
  return SecretBuffer::copy_of(text.reveal().first(size));
}

Expected<std::optional<GivenSecret>> read_secret(const SecretOptions& options, const std::optional<SecretPrompt>& ask) {
  const auto kind = options.kind;
  // Beside an invitation, and beside a new password, stands another secret, which another call reads.
  const bool is_one_of_two = kind == SecretKind::invitation || kind == SecretKind::new_password;
  auto own = take_variable(variable_of(kind));
  auto other =
      is_one_of_two ? std::nullopt : take_variable(kind == SecretKind::password ? kCodeVariable : kPasswordVariable);
  if (!options.in_argv.empty())
    return std::unexpected(
        Problem{.exit_code = kExitUsage,
                .error = fmt::format("a {} on the command line can be read by everybody on this machine: it is refused",
                                     name_of(kind)),
                .hint = how_else(kind)});
  if (options.fd) return given(from_open(*options.fd, fmt::format("--{}-fd {}", option_of(kind), *options.fd), kind));
  if (options.other_fd)
    return given(from_open(*options.other_fd, fmt::format("--password-fd {}", *options.other_fd), kind));
  if (options.file) return given(from_file(*options.file, kind));
  if (options.other_file) return given(from_file(*options.other_file, kind));
  const bool is_other = kind == SecretKind::code && !own;
  const auto& variable = is_other ? other : own;
  if (variable && !options.prompt)
    return given(checked(variable->reveal(), is_other ? kPasswordVariable : variable_of(kind), kind));
  if (ask) return given(Asker(options, *ask).ask());
  return std::nullopt;
}

}  // namespace pake::cli
