#include "draw/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "draw/html.h"
#include "draw/run.h"
#include "draw/svg.h"
#include "options/quiet.h"
#include "pake/internal/try.h"
#include "process/output.h"
#include "process/unique_fd.h"
#include "terminal/escape.h"

namespace pake::cli::draw {
namespace {

constexpr std::size_t kMostFiles = 4;

struct Options : DrawOptions {
  std::vector<std::string> files;
  std::optional<std::string> out;
  std::size_t most = 200;
};

Expected<void> write_all(int fd, std::string_view text, const std::string& where) {
  while (!text.empty()) {
    const auto count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      return std::unexpected(Problem{.error = fmt::format("cannot write to {}: {}", where, explain_errno(errno))});
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Expected<void> write_file(const std::string& path, std::string_view text) {
  constexpr mode_t kAsUsual = 0666;  // the umask takes from it
  const auto where = escape(path);
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, kAsUsual));
  if (file.get() < 0)
    return std::unexpected(Problem{.error = fmt::format("cannot write to {}: {}", where, explain_errno(errno))});
  return write_all(file.get(), text, where);
}

bool is_html(const Options& options) { return options.out && options.out->ends_with(".html"); }

// Before a file is read, so that nothing is waited for in vain.
Expected<void> check(const Options& options) {
  if (options.files.empty())
    return std::unexpected(
        Problem{.exit_code = kExitUsage,
                .error = "there is no trace to draw",
                .hint = "pake eke connect ... --trace run.jsonl, then pake draw run.jsonl -o run.svg"});
  if (options.files.size() > kMostFiles)
    return std::unexpected(
        Problem{.exit_code = kExitUsage, .error = fmt::format("at most {} traces stand side by side", kMostFiles)});
  if (options.out && !options.out->ends_with(".svg") && !is_html(options))
    return std::unexpected(Problem{.exit_code = kExitUsage,
                                   .error = fmt::format("{} is neither .svg nor .html", escape(*options.out)),
                                   .hint = "the name says which of the two is wanted: -o run.svg or -o run.html"});
  if (!options.out && ::isatty(STDOUT_FILENO) != 0)
    return std::unexpected(Problem{.exit_code = kExitUsage,
                                   .error = "a picture is not for the terminal",
                                   .hint = fmt::format("pake draw {} -o run.html", escape(options.files.front()))});
  return {};
}

Expected<int> draw(const Options& options) {
  PAKE_TRYV(check(options));
  std::vector<Run> runs;
  for (const auto& file : options.files) {
    PAKE_TRY(auto run, read_run(file, options.most));
    runs.push_back(std::move(run));
  }
  const auto drawn = is_html(options) ? to_html(runs, options) : to_svg(runs, options);
  PAKE_TRYV(options.out ? write_file(*options.out, drawn) : write_all(STDOUT_FILENO, drawn, "stdout"));
  return kExitOk;
}

Command draw_command() {
  const auto options = std::make_shared<Options>();
  auto files = texts(options->files, "FILE");
  files.completes = Value::Completes::files;
  return {
      .name = "draw",
      .summary = "Draw what a --trace has written: who said what, and what an observer learns from it",
      .brief = "Without -o an SVG is written to stdout. Several traces are drawn side by side.",
      .text = {"Reads the files that --trace writes and draws each run as a sequence diagram: every message with its "
               "name, size and time, and its fields, coloured by what an observer may know of them: public, encrypted "
               "under the password, under the session key, or in clear.",
               "In the HTML page each message opens, by mouse or keyboard, and shows its bytes field by field. Page "
               "and picture are one file each, load nothing and run no script.",
               "Of each trace the first 200 messages are drawn, unless --messages says otherwise, and how many more "
               "there are is said."},
      .examples = {"pake draw run.jsonl -o run.svg", "pake draw 1992.jsonl today.jsonl --eavesdropper -o both.html"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage},
      .settings = {{.flag = "FILE", .value = std::move(files), .help = "What --trace has written"},
                   {.flag = "-o,--output",
                    .value = file(options->out),
                    .help = "Where to write: a name that ends in .svg or .html"},
                   {.flag = "--eavesdropper",
                    .value = flag(options->eavesdropper),
                    .help = "Draw who listens on the way, too"},
                   {.flag = "--messages",
                    .value = number(options->most, "N", {.from = 1, .to = 10'000}),
                    .help = "So many of each trace are drawn"},
                   quiet_setting()},
      .run =
          [options](const Invocation&) {
            const auto exit_code = draw(*options);
            return exit_code ? *exit_code : report(exit_code.error());
          },
  };
}

}  // namespace

std::vector<Command> commands() {
  std::vector<Command> all;
  all.push_back(draw_command());
  return all;
}

}  // namespace pake::cli::draw
