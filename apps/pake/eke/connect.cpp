#include "eke/connect.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "eke/traced_run.h"
#include "network/problems.h"
#include "pake/crypto/rng.h"
#include "pake/crypto/rsa.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/drive.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"
#include "process/output.h"
#include "process/run.h"
#include "terminal/escape.h"
#include "terminal/line_source.h"
#include "trace/trace.h"

namespace pake::cli::eke {
namespace {

using namespace std::chrono_literals;

// A listener of the seed reads message 7 and whatever is there by then as one: the first line waits so long.
constexpr auto kPauseBeforeTheFirstLine = 100ms;
// How long we wait for the listener to close after "quit"; it has all it needs by then.
constexpr auto kPatienceAfterQuit = 2s;
// By now message 3, our key under the password, has been sent and nothing that answers it has come.
constexpr std::size_t kSentOurKey = 2;

constexpr const char* kSameOnBothSides = "both sides need the same user, password and --mode";

class Client : public std::enable_shared_from_this<Client> {
 public:
  Client(const ConnectOptions& options, const trace::Trace& trace, pake::eke::ConnectorConfig config)
      : options_(options),
        trace_(trace.begin(protocol_of(options.form))),
        output_(STDOUT_FILENO, [this] { loops_.cancel(); }),
        report_(output_, options.style),
        config_(std::move(config)) {
    config_.observer = &report_;
  }

  Expected<int> run() {
    const SignalEnd signals(loops_);
    loops_.run(converse_and_note());
    PAKE_TRYV(output_.outcome());
    if (signals.came()) return signals.exit_code_or(kExitOk);
    return std::move(outcome_);
  }

 private:
  net::Awaitable<void> converse_and_note() {
    outcome_ = co_await converse();
    stream_.reset();
  }

  net::Awaitable<Expected<int>> converse() {
    auto stream = co_await net::connect(loops_.main(), options_.address, net::after(options_.deadline));
    if (!stream)
      co_return std::unexpected(
          cannot_connect(options_.address, stream.error(), "pake eke listen " + net::to_string(options_.address)));
    stream_ = std::move(*stream);
    PAKE_CO_TRYV(co_await authenticate());
    report_.tell({.name = "authenticated", .line = "Authentication success"});
    const auto acknowledged = co_await stream_->wait_acknowledged(net::after(options_.deadline));
    if (!acknowledged) co_return std::unexpected(cut_short(acknowledged.error()));
    static_cast<void>(co_await loops_.main().sleep_until(net::after(kPauseBeforeTheFirstLine)));
    co_return co_await chat();
  }

  net::Awaitable<Expected<void>> authenticate() {
    pake::eke::RsaConnector machine(std::move(config_), rng_);
    TracedRun traced(machine, options_.form, trace_);
    const auto rest = co_await net::drive(loops_.main(), traced, *stream_, {.step = options_.deadline});
    if (!rest) co_return std::unexpected(run_failed(machine.failure(), rest.error()));
    if (!rest->empty()) co_return std::unexpected(spoke_unasked());
    co_return Expected<void>();
  }

  // Lines one by one, each with its answer. At the prompt we wait for the next line and for the listener's end alike.
  net::Awaitable<Expected<int>> chat() {
    LineSource lines(pake::eke::kMaxLine, [&loop = loops_.main(), self = weak_from_this()](Line line) {
      loop.post(self, [](Client& client, Line typed) { client.take_line(std::move(typed)); }, std::move(line));
    });
    int exit_code = kExitOk;
    for (;;) {
      lines.ask();
      PAKE_CO_TRY(auto line, co_await next_line());
      if (line.kind == Line::Kind::failed)
        co_return std::unexpected(
            Problem{.error = fmt::format("cannot read stdin: {}", explain_errno(static_cast<int>(line.size)))});
      if (line.text.ends_with('\r')) line.text.pop_back();
      if (line.kind == Line::Kind::end || line.text == pake::eke::kQuit) break;
      if (const auto complaint = cannot_send(line)) {
        say_error(*complaint);
        if (!lines.is_interactive()) exit_code = kExitFailed;  // not everything that was to be said was said
      } else if (!line.text.empty()) {
        PAKE_CO_TRYV(co_await send_line(line.text));
      }
    }
    PAKE_CO_TRYV(co_await quit());
    co_return exit_code;
  }

  void take_line(Line line) {
    line_ = std::move(line);
    if (stream_) stream_->interrupt();
  }

  static std::optional<std::string> cannot_send(const Line& line) {
    if (line.kind == Line::Kind::too_long)
      return fmt::format("a line of {} bytes was not sent: at most {} fit", line.size, pake::eke::kMaxLine);
    if (!line.text.empty() && !pake::eke::is_line(line.text)) return "a line with a CR or NUL in it was not sent";
    return std::nullopt;
  }

  net::Awaitable<Expected<Line>> next_line() {
    std::array<std::uint8_t, 1024> chunk{};
    while (!line_) {
      const auto count = co_await stream_->read_some(chunk, net::kNever);
      if (count && !has_spoken_) co_return std::unexpected(spoke_unasked());
      if (count) show_answer(as_text(Bytes(chunk).first(*count)));  // late: the network split an earlier line
      if (!count && !(count.error() == net::Error::Kind::interrupted))
        co_return std::unexpected(cut_short(count.error()));
    }
    co_return *std::exchange(line_, std::nullopt);
  }

  net::Awaitable<Expected<void>> send_line(const std::string& line) {
    const auto deadline = net::after(options_.deadline);
    has_spoken_ = true;
    note_chat(trace_, trace::Passed::sent, Speaker::connector, as_bytes(line));
    const auto sent = co_await stream_->write_all(as_bytes(line), deadline);
    if (!sent) co_return std::unexpected(cut_short(sent.error()));
    const auto expected = pake::eke::answer(line);
    Buffer got;
    // Its length is known, so an answer in pieces is put together. Anything else is shown as it comes.
    while (got.size() < expected.size() && std::ranges::equal(got, Bytes(expected).first(got.size()))) {
      const auto before = got.size();
      got.resize(before + expected.size());
      const auto count = co_await stream_->read_some(MutableBytes(got).subspan(before), deadline);
      got.resize(before + count.value_or(0));
      if (count || count.error() == net::Error::Kind::interrupted) continue;
      if (!got.empty()) show_answer(as_text(got));
      co_return std::unexpected(cut_short(count.error()));
    }
    show_answer(as_text(got));
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> quit() {
    note_chat(trace_, trace::Passed::sent, Speaker::connector, as_bytes(pake::eke::kQuit));
    const auto sent = co_await stream_->write_all(as_bytes(pake::eke::kQuit), net::after(options_.deadline));
    if (!sent) co_return std::unexpected(cut_short(sent.error()));
    stream_->shutdown_write();
    std::array<std::uint8_t, 1024> chunk{};
    const auto deadline = net::after(kPatienceAfterQuit);
    for (;;) {
      const auto count = co_await stream_->read_some(chunk, deadline);
      if (count) show_answer(as_text(Bytes(chunk).first(*count)));
      if (count || count.error() == net::Error::Kind::interrupted) continue;
      if (count.error() == net::Error::Kind::reset) co_return std::unexpected(cut_short(count.error()));
      co_return Expected<void>();
    }
  }

  void show_answer(std::string_view text) {
    note_chat(trace_, trace::Passed::received, Speaker::listener, as_bytes(text));
    report_.tell({.name = "answer", .line = "Server say: " + escape(text), .fields = {{"line", std::string(text)}}});
  }

  Problem cut_short(const net::Error& error) const {
    return {.exit_code = kExitCutShort,
            .error = fmt::format("{}: {}", net::to_string(options_.address), error.explain())};
  }

  Problem run_failed(std::optional<pake::eke::Failure> failure, const net::DriveError& failed) {
    const bool closed = failed.error == net::Error::Kind::closed || failed.error == net::Error::Kind::reset;
    if (closed && failed.messages_sent == kSentOurKey)
      return auth_failed(options_.form == pake::eke::Form::paper
                             ? "the listener closed the connection when it had our answer: it may have come for that"
                             : "the listener closed the connection when it saw our key: most likely another password");
    if (failed.error == net::Error::Kind::too_long)
      return {.exit_code = kExitProtocol, .error = failed.error.explain()};
    if (!failure) return cut_short(failed.error);
    using enum pake::eke::Failure;
    if (failure == refused_user) report_.tell({.name = "connect_error", .line = "connect error"});
    if (failure == wrong_NC) report_.tell({.name = "authentication_failed", .line = "Authentication faild"});
    if (pake::eke::error_class(*failure) == Errc::auth_failed) return auth_failed(pake::eke::explain(*failure));
    return {.exit_code = kExitProtocol, .error = std::string(pake::eke::explain(*failure))};
  }

  static Problem spoke_unasked() {
    return {.exit_code = kExitProtocol, .error = "the listener sent something where only we may speak"};
  }

  static Problem auth_failed(std::string_view why) {
    return {.exit_code = kExitAuthFailed, .error = std::string(why), .hint = kSameOnBothSides};
  }

  const ConnectOptions& options_;
  trace::Trace::Connection trace_;
  net::Loops loops_{1};
  Output output_;
  Report report_;
  pake::eke::ConnectorConfig config_;
  crypto::SystemRng rng_;
  std::unique_ptr<net::Stream> stream_;
  std::optional<Line> line_;  // the one that was asked for, once it is there
  bool has_spoken_ = false;
  Expected<int> outcome_ = kExitOk;
};

Expected<int> try_connect(const ConnectOptions& options) {
  PAKE_TRY(auto password, password_or_default(options.secret));
  say_history();
  auto key = crypto::RsaKeyPair::generate(options.bits);
  if (!key) return std::unexpected(Problem{.error = fmt::format("cannot make an RSA key of {} bits", options.bits)});
  pake::eke::ConnectorConfig config{
      .user = options.user, .password = std::move(password), .key = std::move(*key), .mode = options.mode};
  config.form = options.form;
  PAKE_TRY(auto trace, trace::Trace::open(options.trace));
  return trace.finish(std::make_shared<Client>(options, trace, std::move(config))->run());
}

}  // namespace

int connect(const ConnectOptions& options) {
  const auto exit_code = try_connect(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::eke
