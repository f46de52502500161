#include "pipe/conversation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <latch>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "network/problems.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"
#include "process/blocking_file.h"
#include "process/output.h"
#include "process/process.h"
#include "process/unique_fd.h"
#include "terminal/escape.h"
#include "terminal/line_source.h"

namespace pake::cli::pipe {
namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kLongestLine = 64 * 1024;
constexpr std::chrono::seconds kPipeOpens{10};
constexpr std::chrono::seconds kOthersEnd{30};
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kPatience{3};      // after our Close, until it is said that we wait
constexpr std::chrono::seconds kLastWordTime{3};  // for the peer to answer that we have failed
constexpr std::size_t kSpareMemory = 8UL << 20U;  // what a run allocates, generously
constexpr std::size_t kSpareDescriptors = 8;      // a socket, a look-up, the reader of lines
constexpr std::size_t kSpareThreads = 2;          // a look-up, the reader of lines

Problem local(const char* what, int error) {
  return {.exit_code = kExitFailed, .error = fmt::format("{}: {}", what, explain_errno(error))};
}

// In front of each line of the other side's at a terminal, so that it cannot pass for one of this program's.
constexpr std::string_view kMark = "| ";

/// What the other side says, made harmless for a terminal line by line.
class Screen {
 public:
  std::string show(std::string_view text) {
    pending_ += text;
    std::string shown;
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      shown += marked(std::string_view(pending_).substr(0, end));
      pending_.erase(0, end + 1);
    }
    if (pending_.size() > kLongestLine) shown += rest();
    return shown;
  }
  std::string rest() { return pending_.empty() ? "" : marked(std::exchange(pending_, {})); }

 private:
  static std::string marked(std::string_view line) { return std::string(kMark) + escape(line) + '\n'; }

  std::string pending_;
};

// What the run takes only later, taken and given back. Throws what the later attempt would.
void check_that_there_is_enough() {
  const Buffer memory(kSpareMemory);
  std::vector<UniqueFd> descriptors;
  for (std::size_t i = 0; i < kSpareDescriptors; ++i) {
    descriptors.emplace_back(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    if (descriptors.back().get() < 0) throw std::system_error(errno, std::generic_category());
  }
  std::latch together(1);
  std::vector<std::jthread> threads;
  try {
    for (std::size_t i = 0; i < kSpareThreads; ++i) threads.emplace_back([&together] { together.wait(); });
  } catch (const std::system_error&) {
    together.count_down();
    throw;
  }
  together.count_down();
}

/// Held by each of its coroutines: if the loops are cancelled, the last of them to end is not known beforehand.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(net::Loop& loop, std::shared_ptr<StandardFiles> files, std::shared_ptr<net::ChannelLink> link,
               std::unique_ptr<net::Stream> stream, Style style, OtherStreams others)
      : loop_(loop),
        style_(style),
        others_(std::move(others)),
        link_(std::move(link)),
        stream_(std::move(stream)),
        files_(std::move(files)),
        in_(files_->in),
        out_(files_->out) {}

  net::Awaitable<Expected<void>> run() {
    loop_.spawn(begin(shared_from_this()));
    const auto end = co_await link_->run();
    is_over_ = true;
    in_.interrupt();
    line_signal_.notify();
    while (running_ != 0 && co_await half_ended_.wait(net::kNever)) {
    }
    if (problem_ && problem_->exit_code != kExitCutShort) co_return std::unexpected(*problem_);
    if (end.end != channel::EndReason::closed || problem_) co_return std::unexpected(channel_ended(end));
    co_return Expected<void>();
  }

 private:
  static net::Awaitable<void> begin(std::shared_ptr<Conversation> self) {
    auto ready = co_await self->take_stream();
    if (ready && self->is_terminal(STDIN_FILENO)) ready = self->take_terminal();
    if (!ready) {
      self->note(ready);
      self->note(ready);
      co_return;
    }
    self->loop_.spawn(say(self));
    self->loop_.spawn(hear(self));
  }

  [[nodiscard]] bool is_terminal(int fd) const { return style_ == Style::by_terminal && ::isatty(fd) == 1; }

  Expected<void> take_terminal() {
    try {
      lines_.emplace(kLongestLine, [&loop = loop_, self = weak_from_this()](Line line) {
        loop.post(
            self, [](Conversation& conversation, Line typed) { conversation.take_line(std::move(typed)); },
            std::move(line));
      });
    } catch (const std::system_error& error) {
      return std::unexpected(local("cannot read stdin", error.code().value()));
    }
    return {};
  }

  void take_line(Line line) {
    line_ = std::move(line);
    line_signal_.notify();
  }

  net::Awaitable<Expected<void>> take_stream() {
    if (stream_) {
      loop_.spawn(take_others(shared_from_this()));
      co_return Expected<void>();
    }
    auto accepted = co_await link_->accept(net::after(kPipeOpens));
    if (!accepted) co_return std::unexpected(channel_cut());
    if (accepted->service != kService)
      co_return std::unexpected(Problem{.exit_code = kExitProtocol, .error = "the other side wants no pipe"});
    stream_ = std::move(accepted->stream);
    loop_.spawn(take_others(shared_from_this()));
    co_return Expected<void>();
  }

  // One pipe, and no more: docs/wire.md, on the pipe of two people.
  static net::Awaitable<void> take_others(std::shared_ptr<Conversation> self) {
    while (auto other = co_await self->link_->accept(net::kNever))
      if (!self->others_.take || !self->others_.take(*other)) other->stream->reset(channel::ResetCode::too_many);
  }

  static net::Awaitable<void> close(std::shared_ptr<Conversation> self) {
    const auto until = net::after(kOthersEnd);
    while (self->others_.are_busy && self->others_.are_busy() && net::Clock::now() < until)
      if (!co_await self->loop_.sleep_until(net::after(kLook))) break;
    self->link_->close(channel::CloseCode::done, net::kNever);  // the other side may take its time to store what came
    co_await tell_that_we_wait(self);
  }

  // We have closed; the other side answers when it has stored what it was sent.
  static net::Awaitable<void> tell_that_we_wait(std::shared_ptr<Conversation> self) {
    if (!co_await self->loop_.sleep_until(net::after(kPatience)) || self->is_over_) co_return;
    say_note("the other side has not stored everything yet: waiting for it, Ctrl-C ends this");
  }

  static net::Awaitable<void> say(std::shared_ptr<Conversation> self) {
    self->note(self->lines_ ? co_await self->say_lines() : co_await self->say_bytes());
  }
  static net::Awaitable<void> hear(std::shared_ptr<Conversation> self) {
    auto heard = co_await self->hear_all();
    if (!heard && heard.error().exit_code != kExitCutShort) self->link_->delivery_failed();
    self->note(std::move(heard));
  }

  net::Awaitable<Expected<void>> say_bytes() {
    Buffer chunk(kChunk);
    for (;;) {
      const auto count = co_await in_.read_some(chunk);
      if (!count && count.error() == ECANCELED && takes_no_more_) break;
      if (!count && count.error() == ECANCELED) co_return std::unexpected(channel_cut());
      if (!count) co_return std::unexpected(local("cannot read stdin", count.error()));
      if (*count == 0) break;
      const auto sent = co_await stream_->write_all(Bytes(chunk).first(*count), net::kNever);
      if (!sent) co_return std::unexpected(stream_ended(sent.error()));
    }
    stream_->shutdown_write();
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> say_lines() {
    for (;;) {
      lines_->ask();
      while (!line_ && !is_over_ && !closes_itself_)
        if (!co_await line_signal_.wait(net::kNever)) co_return std::unexpected(channel_cut());
      if (!line_ && closes_itself_) break;
      if (!line_) co_return std::unexpected(channel_cut());
      auto line = *std::exchange(line_, std::nullopt);
      if (line.kind == Line::Kind::end) break;
      if (line.kind == Line::Kind::failed)
        co_return std::unexpected(local("cannot read stdin", static_cast<int>(line.size)));
      if (line.kind == Line::Kind::too_long) {
        say_error(fmt::format("a line of {} bytes was not sent: at most {} fit", line.size, kLongestLine));
        continue;
      }
      line.text += '\n';
      const auto sent = co_await stream_->write_all(as_bytes(line.text), net::kNever);
      if (!sent) co_return std::unexpected(stream_ended(sent.error()));
    }
    stream_->shutdown_write();
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> hear_all() {
    const bool is_shown = is_terminal(STDOUT_FILENO);
    BlockingFile::Around around;
    if (is_shown && lines_) around = [this](const auto& write) { return lines_->show_above(write); };
    Screen screen;
    Buffer chunk(kChunk);
    for (;;) {
      const auto count = co_await stream_->read_some(chunk, net::kNever);
      const bool is_end = !count && count.error() == net::Error::Kind::closed;
      if (!count && !is_end) co_return std::unexpected(stream_ended(count.error()));
      const auto bytes = Bytes(chunk).first(count.value_or(0));
      const auto shown = !is_shown ? std::string() : is_end ? screen.rest() : screen.show(as_text(bytes));
      const auto written = co_await out_.write_all(is_shown ? as_bytes(shown) : bytes, around);
      if (!written && written.error() == ECANCELED) co_return std::unexpected(channel_cut());
      if (!written) co_return std::unexpected(local("cannot write to stdout", written.error()));
      if (is_end) break;
    }
    if (!is_shown && ::close(STDOUT_FILENO) != 0) co_return std::unexpected(local("cannot write to stdout", errno));
    if (others_.takes_no_more && others_.takes_no_more()) {
      takes_no_more_ = closes_itself_ = true;
      in_.interrupt();
      line_signal_.notify();
    } else if (lines_) {
      note_end(is_shown);
    }
    co_return Expected<void>();
  }

  // The other side has ended, and somebody sits at this one. With a file for stdout (`dial > photo.jpg`) it is whole,
  // and there is nothing to wait for; otherwise the person may have more to say.
  void note_end(bool is_shown) {
    if (running_ < 2) return;  // this side has ended before
    if (is_shown) return say_note("the other side has ended; Ctrl-D ends this side too");
    closes_itself_ = true;
    line_signal_.notify();
  }

  // One half is over. The first problem ends the other half too; when both are well, the channel closes.
  void note(Expected<void> half) {
    --running_;
    if (!half && !problem_) {
      problem_ = std::move(half.error());
      link_->close(channel::CloseCode::internal_error, net::after(kLastWordTime));
    } else if (running_ == 0 && !problem_) {
      loop_.spawn(close(shared_from_this()));
    }
    half_ended_.notify();
  }

  net::Loop& loop_;
  Style style_;
  OtherStreams others_;
  std::shared_ptr<net::ChannelLink> link_;
  std::unique_ptr<net::Stream> stream_;
  std::optional<LineSource> lines_;  // outlives what `out_` still shows
  std::shared_ptr<StandardFiles> files_;
  BlockingFile& in_;
  BlockingFile& out_;
  net::Signal half_ended_{loop_};
  net::Signal line_signal_{loop_};
  std::optional<Line> line_;
  std::optional<Problem> problem_;
  int running_ = 2;
  bool is_over_ = false;
  bool closes_itself_ = false;
  bool takes_no_more_ = false;
};

}  // namespace

Expected<std::shared_ptr<StandardFiles>> take_standard_files(net::Loop& loop) {
  if (auto readable = check_stdin(); !readable) {
    readable.error().hint = "`< /dev/null` says that there is nothing to send";
    return std::unexpected(std::move(readable.error()));
  }
  PAKE_TRYV(check_stdout());
  try {
    auto files = std::make_shared<StandardFiles>(loop);
    check_that_there_is_enough();
    return files;
  } catch (const std::system_error& error) {
    return std::unexpected(local("cannot begin", error.code().value()));
  } catch (const std::bad_alloc&) {
    return std::unexpected(local("cannot begin", ENOMEM));
  }
}

net::Awaitable<Expected<void>> converse(net::Loop& loop, std::shared_ptr<StandardFiles> files,
                                        std::shared_ptr<net::ChannelLink> link, std::unique_ptr<net::Stream> stream,
                                        Style style, OtherStreams others) {
  const auto conversation = std::make_shared<Conversation>(loop, std::move(files), std::move(link), std::move(stream),
                                                           style, std::move(others));
  co_return co_await conversation->run();
}

}  // namespace pake::cli::pipe
