#include "terminal/line_source.h"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <cwchar>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "process/stoppable.h"

namespace pake::cli {
namespace {

/// Reads stdin until somebody on another thread has had enough.
class StoppableInput {
 public:
  /// read(2) on stdin; -1 with ECANCELED once stopped.
  ssize_t read(void* into, std::size_t size) {
    while (stoppable_.wait(STDIN_FILENO, POLLIN)) {
      const auto count = ::read(STDIN_FILENO, into, size);
      if (count >= 0 || (errno != EINTR && errno != EAGAIN)) return count;
    }
    return -1;
  }

  void stop() { stoppable_.stop(); }
  [[nodiscard]] bool is_stopped() const { return stoppable_.is_stopped(); }

 private:
  Stoppable stoppable_;
};

}  // namespace

/// One way to get lines. `next` blocks, until the input is stopped.
class LineSource::Reader {
 public:
  Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  virtual ~Reader() = default;
  virtual Line next() = 0;
  virtual int show_above(const std::function<int()>& write) { return write(); }
};

class LineSource::PlainReader final : public Reader {
 public:
  PlainReader(StoppableInput& input, std::size_t longest) : input_(input), longest_(longest) {}

  Line next() override {
    Line line{.kind = Line::Kind::text};
    bool begun = false;  // a last line needs no newline, but an empty one after the last newline is none
    for (;;) {
      if (unread_.empty()) {
        const auto count = input_.read(buffer_.data(), buffer_.size());
        if (count < 0) return {.kind = Line::Kind::failed, .size = static_cast<std::size_t>(errno)};
        if (count == 0) return begun ? finished(std::move(line)) : Line{};
        unread_ = {buffer_.data(), static_cast<std::size_t>(count)};
      }
      begun = true;
      const auto end = std::min(unread_.find('\n'), unread_.size());
      line.size += end;
      line.text += unread_.substr(0, std::min(end, longest_ + 1 - line.text.size()));
      const bool whole = end < unread_.size();
      unread_.remove_prefix(whole ? end + 1 : end);
      if (whole) return finished(std::move(line));
    }
  }

 private:
  Line finished(Line line) const {
    if (line.text.size() <= longest_) return line;
    return {.kind = Line::Kind::too_long, .size = line.size};
  }

  StoppableInput& input_;
  std::size_t longest_;
  std::array<char, 4096> buffer_{};
  std::string_view unread_;
};

class LineSource::TerminalReader final : public Reader {
 public:
  TerminalReader(StoppableInput& input, std::size_t longest) : input_(input), longest_(longest) {
    static_cast<void>(std::setlocale(LC_CTYPE, ""));  // NOLINT(concurrency-mt-unsafe): no other thread asks for it
    FILE* const shown = ::isatty(STDOUT_FILENO) == 1 ? stdout : stderr;
    edit_ = ::el_init("pake", stdin, shown, stderr);
    history_ = ::history_init();
    HistEvent ignored{};
    ::history(history_, &ignored, H_SETSIZE, 100);
    ::el_set(edit_, EL_CLIENTDATA, this);
    ::el_set(edit_, EL_PROMPT, &TerminalReader::prompt);
    ::el_set(edit_, EL_EDITOR, "emacs");
    ::el_set(edit_, EL_HIST, ::history, history_);
    ::el_set(edit_, EL_GETCFN, &TerminalReader::read_character);
    ::el_source(edit_, nullptr);  // the person's own ~/.editrc
    take_keys();
  }
  ~TerminalReader() override {
    ::el_end(edit_);  // puts the terminal back
    ::history_end(history_);
  }

  Line next() override {
    const std::scoped_lock lock(terminal_);
    int count = 0;
    errno = 0;
    const char* const typed = ::el_gets(edit_, &count);
    take_keys();
    if (typed == nullptr || count <= 0) {
      static_cast<void>(::write(STDERR_FILENO, "\n", 1));  // the prompt is still there
      return {};
    }
    std::string_view text(typed, static_cast<std::size_t>(count));
    HistEvent ignored{};
    if (text.size() > 1) ::history(history_, &ignored, H_ENTER, typed);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.size() > longest_) return {.kind = Line::Kind::too_long, .size = text.size()};
    return {.kind = Line::Kind::text, .text = std::string(text)};
  }

  int show_above(const std::function<int()>& write) override {
    const std::scoped_lock lock(terminal_);
    if (is_waiting_) erase_line();
    const int result = write();
    if (is_waiting_) ::el_set(edit_, EL_REFRESH);
    return result;
  }

 private:
  void erase_line() {
    char* to_its_end = nullptr;
    ::el_get(edit_, EL_GETTC, "ce", &to_its_end, nullptr);
    const auto erase = to_its_end == nullptr ? std::string("\n") : std::string("\r") + to_its_end;
    static_cast<void>(::write(STDOUT_FILENO, erase.data(), erase.size()));
  }

  static char* prompt(EditLine*) {
    static std::array<char, 3> text = {'>', ' ', '\0'};
    return text.data();
  }

  // Between lines, and behind a prompt just shown, libedit leaves the keys to the terminal, where a Ctrl-D that nobody
  // reads yet turns into a NUL, which libedit takes for "quote the next key".
  void take_keys() { ::el_set(edit_, EL_PREP_TERM, 1); }

  // One character of the terminal's encoding: 1, or 0 at the end.
  static int read_character(EditLine* edit, wchar_t* character) {
    TerminalReader* self = nullptr;
    ::el_get(edit, EL_CLIENTDATA, &self);
    std::mbstate_t state{};
    for (;;) {
      char byte = 0;
      if (self->wait_for(byte) != 1) return 0;
      const auto size = std::mbrtowc(character, &byte, 1, &state);  // NOLINT(concurrency-mt-unsafe): its own state
      if (size == 0 || size == 1) return 1;
      if (size == static_cast<std::size_t>(-1)) state = {};  // not of this encoding: left out
    }
  }

  // Meanwhile others may show something.
  ssize_t wait_for(char& byte) {
    is_waiting_ = true;
    terminal_.unlock();
    const auto count = input_.read(&byte, 1);
    terminal_.lock();
    is_waiting_ = false;
    return count;
  }

  StoppableInput& input_;
  std::size_t longest_;
  std::mutex terminal_;  // held while libedit is at work
  bool is_waiting_ = false;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
};

class LineSource::Thread {
 public:
  Thread(std::size_t longest, std::function<void(Line)> arrived)
      : interactive_(::isatty(STDIN_FILENO) == 1 && (::isatty(STDOUT_FILENO) == 1 || ::isatty(STDERR_FILENO) == 1)),
        arrived_(std::move(arrived)),
        reader_(make_reader(longest)),
        thread_([this] { run(); }) {}
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() {
    input_.stop();
    {
      const std::scoped_lock lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_one();
  }

  void ask() {
    {
      const std::scoped_lock lock(mutex_);
      wanted_ = true;
    }
    changed_.notify_one();
  }
  [[nodiscard]] bool is_interactive() const noexcept { return interactive_; }
  int show_above(const std::function<int()>& write) { return reader_->show_above(write); }

 private:
  std::unique_ptr<Reader> make_reader(std::size_t longest) {
    if (interactive_) return std::make_unique<TerminalReader>(input_, longest);
    return std::make_unique<PlainReader>(input_, longest);
  }

  void run() {
    while (wait_until_wanted()) {
      auto line = reader_->next();
      if (!input_.is_stopped()) arrived_(std::move(line));
    }
  }

  bool wait_until_wanted() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return wanted_ || stopped_; });
    wanted_ = false;
    return !stopped_;
  }

  StoppableInput input_;
  bool interactive_;
  std::function<void(Line)> arrived_;
  std::unique_ptr<Reader> reader_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopped_ = false;
  std::jthread thread_;  // joined first of all
};

LineSource::LineSource(std::size_t longest, std::function<void(Line)> arrived)
    : thread_(std::make_unique<Thread>(longest, std::move(arrived))) {}
LineSource::~LineSource() = default;
void LineSource::ask() { thread_->ask(); }
int LineSource::show_above(const std::function<int()>& write) { return thread_->show_above(write); }
bool LineSource::is_interactive() const noexcept { return thread_->is_interactive(); }

}  // namespace pake::cli
