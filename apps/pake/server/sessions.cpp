#include "server/sessions.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "options/quiet.h"
#include "pake/identity/name.h"
#include "pake/internal/try.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "process/output.h"
#include "process/run.h"
#include "server/data.h"
#include "terminal/escape.h"

namespace pake::cli::server {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr auto kPatience = 10s;

struct SessionsOptions {
  DataOptions data;
  std::optional<std::string> socket = {};
  std::optional<int> session = {};
  std::optional<std::string> user = {};
  bool json = false;
};
using Shared = std::shared_ptr<SessionsOptions>;

std::string socket_of(const SessionsOptions& options) {
  return options.socket ? *options.socket : control_path(place_of(options.data).directory.string());
}

Problem hung_up() { return {.exit_code = kExitCutShort, .error = "the server hung up before it had answered"}; }

/// Asks the running server, and hands its lines to `use`.
net::Awaitable<Expected<void>> ask(net::Loops& loops, std::string path, std::string request, std::string& text) {
  const auto deadline = net::after(kPatience);
  auto stream = co_await net::connect(loops.main(), net::UnixAddress{.path = path}, deadline);
  if (!stream)
    co_return std::unexpected(
        Problem{.exit_code = kExitUnreachable,
                .error = fmt::format("no server answers at {}: {}", path, stream.error().explain()),
                .hint = "--data DIR, the directory that pake serve was given"});
  request += '\n';
  if (!co_await (*stream)->write_all(as_bytes(request), deadline)) co_return std::unexpected(hung_up());
  Buffer chunk(64 * 1024);
  for (;;) {
    const auto count = co_await (*stream)->read_some(chunk, deadline);
    if (!count && count.error() == net::Error::Kind::closed) co_return Expected<void>();
    if (!count)
      co_return std::unexpected(
          Problem{.exit_code = kExitCutShort,
                  .error = fmt::format("the server's answer broke off: {}", count.error().explain())});
    text += as_text(Bytes(chunk).first(*count));
  }
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    if (auto line = Json::parse(std::string_view(text).substr(from, end - from), nullptr, false); line.is_object())
      lines.push_back(std::move(line));
    from = end + 1;
  }
  return lines;
}

int run_request(const SessionsOptions& options, const Json& request,
                const std::function<Expected<void>(std::vector<Json>, Output&)>& use) {
  std::string text;
  const auto exit_code =
      run_to_the_end([&](net::Loops& loops) { return ask(loops, socket_of(options), request.dump(), text); });
  if (exit_code != kExitOk) return exit_code;
  Output output(STDOUT_FILENO);
  const auto used = use(lines_of(text), output);
  if (!used) return report(used.error());
  const auto written = output.outcome();
  return written ? kExitOk : report(written.error());
}

int list(const SessionsOptions& options) {
  return run_request(options, {{"do", "list"}}, [&](std::vector<Json> lines, Output& output) -> Expected<void> {
    if (lines.empty() || !lines.back().contains("listed")) return std::unexpected(hung_up());
    lines.pop_back();
    for (const auto& line : lines) {
      if (options.json) {
        output.line(line.dump());
        continue;
      }
      output.line(fmt::format("{:>6}  {}  from {}  since {}  by {}  {} streams", line.value("session", std::uint64_t{}),
                              escape(line.value("user", "")), escape(line.value("source", "")),
                              escape(line.value("since", "")), escape(line.value("by", "")), line.value("streams", 0)));
    }
    return {};
  });
}

int kill(const SessionsOptions& options) {
  Json request = {{"do", "kill"}};
  if (options.session.has_value() == options.user.has_value())
    return report({.exit_code = kExitUsage,
                   .error = "name a session or a user",
                   .hint = "pake sessions kill 7, or pake sessions kill --user alice"});
  if (options.session) request["session"] = static_cast<std::uint64_t>(std::max(0, *options.session));
  if (options.user) {
    auto name = identity::normalise_name(as_bytes(*options.user));
    if (!name)
      return report(
          {.exit_code = kExitUsage, .error = fmt::format("'{}' cannot be a user's name", escape(*options.user))});
    request["user"] = *name;
  }
  return run_request(options, request, [](const std::vector<Json>& lines, Output&) -> Expected<void> {
    if (lines.empty()) return std::unexpected(hung_up());
    const auto ended = lines.front().value("ended", 0);
    if (ended == 0) return std::unexpected(Problem{.error = "there is no such session", .hint = "pake sessions list"});
    say_note(fmt::format("ended {} session{}", ended, ended == 1 ? "" : "s"));
    return {};
  });
}

Command subcommand(const Shared& options, std::string name, std::string summary, Settings own, std::string example,
                   int (*run)(const SessionsOptions&)) {
  Settings settings = std::move(own);
  settings.push_back({.flag = "--data",
                      .value = directory(options->data.directory),
                      .help = "The directory that pake serve was given"});
  settings.push_back(
      {.flag = "--socket", .value = file(options->socket), .help = "The server's socket, if it is not DIR/pake.sock"});
  settings.push_back({.flag = "--json", .value = flag(options->json), .help = "Print JSON, an object a line"});
  settings.push_back(quiet_setting());
  return {.name = std::move(name),
          .summary = std::move(summary),
          .examples = {std::move(example)},
          .exit_codes = {kExitOk, kExitFailed, kExitUsage, kExitUnreachable, kExitCutShort},
          .settings = std::move(settings),
          .run = [options, run](const Invocation&) { return run(*options); }};
}

}  // namespace

std::string control_path(const std::string& directory) { return directory + "/pake.sock"; }

Command sessions_command() {
  const auto to_list = std::make_shared<SessionsOptions>();
  const auto to_kill = std::make_shared<SessionsOptions>();
  return {
      .name = "sessions",
      .summary = "See who is in, and end sessions",
      .examples = {"pake sessions list --data /var/lib/pake"},
      .commands = {subcommand(to_list, "list", "List the sessions of a running server", {},
                              "pake sessions list --data /var/lib/pake", list),
                   subcommand(to_kill, "kill", "End a session, or all of a user",
                              {{.flag = "SESSION",
                                .value = number(to_kill->session, "SESSION"),
                                .help = "The number that pake sessions list shows"},
                               {.flag = "--user", .value = text(to_kill->user, "NAME"), .help = "All of this user"}},
                              "pake sessions kill 7 --data /var/lib/pake", kill)}};
}

}  // namespace pake::cli::server
