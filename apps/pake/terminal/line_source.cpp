#include "terminal/line_source.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "process/output.h"
#include "process/stoppable.h"
#include "process/unique_fd.h"
#include "terminal/job_control.h"

namespace pake::cli {
namespace {

/// Reads stdin until somebody on another thread has had enough.
class StoppableInput {
 public:
  enum class Ready : unsigned char { input, signal, stopped, nothing };

  /// Waits for `input` and `signals`, either of which may be -1, until `timeout` ms have passed (-1: for ever).
  Ready wait(int input, int signals, int timeout) const {
    std::array<pollfd, 3> ready = {{{.fd = stoppable_.stop_fd(), .events = POLLIN, .revents = 0},
                                    {.fd = signals, .events = POLLIN, .revents = 0},
                                    {.fd = input, .events = POLLIN, .revents = 0}}};
    if (::poll(ready.data(), ready.size(), timeout) < 0) return errno == EINTR ? Ready::nothing : Ready::stopped;
    if (ready[0].revents != 0) return Ready::stopped;
    if (ready[1].revents != 0) return Ready::signal;
    return ready[2].revents != 0 ? Ready::input : Ready::nothing;
  }

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
  /// Readable when act_on_signals is wanted, though no line may be; -1: never.
  [[nodiscard]] virtual int signals() const { return -1; }
  virtual void act_on_signals() {}
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
  TerminalReader(StoppableInput& input, std::size_t longest)
      : input_(input), longest_(longest), shown_(::isatty(STDOUT_FILENO) == 1 ? STDOUT_FILENO : STDERR_FILENO) {
    use_locale();
    guard_screen([this](const std::function<int()>& write) { return show_above(write); });
  }
  ~TerminalReader() override {
    guard_screen({});
    if (edit_ == nullptr) return;
    // What stands in the background leaves the terminal to the shell.
    if (is_away_ || !is_in_foreground(STDIN_FILENO)) ::el_set(edit_, EL_EDITMODE, 0);
    ::el_end(edit_);
    ::history_wend(history_);
    if (!is_away_ && is_in_foreground(STDIN_FILENO)) modes_.restore();
  }

  Line next() override {
    const std::scoped_lock lock(terminal_);
    if (!wait_for_turn()) return {};
    if (edit_ == nullptr) begin();
    take_keys();
    int count = 0;
    errno = 0;
    is_typing_ = true;
    const wchar_t* const typed = ::el_wgets(edit_, &count);
    is_typing_ = false;
    if (!is_away_) take_keys();
    if (typed == nullptr || count <= 0) {
      static_cast<void>(::write(shown_, "\n", 1));  // the prompt is still there
      return {};
    }
    HistEventW ignored{};
    if (count > 1) ::history_w(history_, &ignored, H_ENTER, typed);
    auto text = to_bytes({typed, static_cast<std::size_t>(count)});
    if (text.ends_with('\n')) text.pop_back();
    if (text.size() > longest_) return {.kind = Line::Kind::too_long, .size = text.size()};
    return {.kind = Line::Kind::text, .text = std::move(text)};
  }

  int show_above(const std::function<int()>& write) override {
    const std::scoped_lock lock(terminal_);
    const bool is_on_screen = is_waiting_ && is_typing_ && !is_away_;
    if (is_on_screen) erase(position(columns_).row);
    const int result = write();
    if (is_on_screen) ::el_set(edit_, EL_REFRESH);
    return result;
  }

  [[nodiscard]] int signals() const override { return signals_.fd(); }

  void act_on_signals() override {
    const std::scoped_lock lock(terminal_);
    act();
  }

 private:
  struct Position {
    int row = 0;  // below the prompt's
    int column = 0;
  };

  // Letters of any language in a locale that has none: most terminals are UTF-8 whatever the environment says.
  static void use_locale() {  // NOLINTBEGIN(concurrency-mt-unsafe): no other thread asks for it
    static_cast<void>(std::setlocale(LC_CTYPE, ""));
    if (std::string_view(::nl_langinfo(CODESET)) == "ANSI_X3.4-1968")
      static_cast<void>(std::setlocale(LC_CTYPE, "C.UTF-8"));
  }  // NOLINTEND(concurrency-mt-unsafe)

  void begin() {
    modes_.find();
    modes_.set_by_others();
    edit_ = ::el_init("pake", stdin, shown_ == STDOUT_FILENO ? stdout : stderr, stderr);
    history_ = ::history_winit();
    HistEventW ignored{};
    ::history_w(history_, &ignored, H_SETSIZE, 100);
    ::el_wset(edit_, EL_CLIENTDATA, this);
    ::el_wset(edit_, EL_PROMPT, &TerminalReader::prompt);
    ::el_wset(edit_, EL_EDITOR, L"emacs");
    ::el_wset(edit_, EL_HIST, ::history_w, history_);
    ::el_wset(edit_, EL_GETCFN, &TerminalReader::read_character);
    ::el_wset(edit_, EL_BIND, L"^I", L"ed-insert", nullptr);  // a tabulator is text here
    ::el_source(edit_, nullptr);                              // the person's own ~/.editrc
    columns_ = width();
  }

  [[nodiscard]] int width() const {
    winsize size{};
    return ::ioctl(shown_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kColumns;
  }

  // Where the cursor is, on a screen with so many columns: as libedit lays a line out.
  [[nodiscard]] Position position(int columns) const {
    Position at{.column = kPromptWidth};
    const auto forward = [&](int cells) {
      if (at.column + cells > columns) at = {.row = at.row + 1};
      at.column += cells;
      if (at.column >= columns) at = {.row = at.row + 1};
    };
    const auto* const line = ::el_wline(edit_);
    for (const auto* one = line->buffer; one < line->cursor; ++one) {
      if (*one == L'\t') {
        do forward(1);
        while (at.column % 8 != 0);
      } else if (const int cells = ::wcwidth(*one); cells >= 0) {
        forward(cells);
      } else {
        const int spelled = *one < 0x80 ? 2 : *one <= 0xffff ? 7 : 8;  // ^A, \U+dcfc
        for (int i = 0; i < spelled; ++i) forward(1);
      }
    }
    return at;
  }

  [[nodiscard]] std::string capability(const char* name) const {
    char* text = nullptr;
    ::el_get(edit_, EL_GETTC, name, &text, nullptr);
    return text == nullptr ? "" : text;
  }

  // The prompt and all that is typed, whose cursor stands `rows` below the prompt.
  void erase(int rows) const {
    const auto up = capability("up");
    const auto clear = capability("cd");
    std::string keys = "\r";
    if (up.empty() || clear.empty()) {
      keys = "\n";  // a terminal that cannot go back
    } else {
      for (int i = 0; i < rows; ++i) keys += up;
      keys += clear;
    }
    static_cast<void>(::write(shown_, keys.data(), keys.size()));
  }

  static wchar_t* prompt(EditLine*) {
    static std::array<wchar_t, 3> text = {L'>', L' ', L'\0'};
    return text.data();
  }

  // Between lines, and behind a prompt just shown, libedit leaves the keys to the terminal, where a Ctrl-D that nobody
  // reads yet turns into a NUL, which libedit takes for "quote the next key".
  void take_keys() { ::el_wset(edit_, EL_PREP_TERM, 1); }

  // A character of the locale; a byte that is none of one becomes U+DC80 to U+DCFF, which no text has, and a byte again
  // in to_bytes. 1, or 0 at the end.
  static int read_character(EditLine* edit, wchar_t* character) {
    TerminalReader* self = nullptr;
    ::el_wget(edit, EL_CLIENTDATA, &self);
    return self->next_character(*character) ? 1 : 0;
  }

  bool next_character(wchar_t& character) {
    for (;;) {
      if (!typed_.empty()) {
        std::mbstate_t state{};
        const auto size =
            std::mbrtowc(&character, typed_.data(), typed_.size(), &state);  // NOLINT(concurrency-mt-unsafe)
        const bool is_invalid = size == static_cast<std::size_t>(-1);
        const bool is_incomplete = size == static_cast<std::size_t>(-2) && typed_.size() < MB_LEN_MAX;
        if (is_invalid) character = static_cast<wchar_t>(kByte + static_cast<unsigned char>(typed_.front()));
        if (!is_incomplete) {
          typed_.erase(0, is_invalid || size == 0 || size > typed_.size() ? 1 : size);
          return true;
        }
      }
      if (!wait_for_key()) return false;
    }
  }

  static std::string to_bytes(std::wstring_view text) {
    std::string bytes;
    for (const wchar_t character : text) {
      std::array<char, MB_LEN_MAX> encoded{};
      std::mbstate_t state{};
      const auto size = std::wcrtomb(encoded.data(), character, &state);  // NOLINT(concurrency-mt-unsafe)
      if (character >= kByte + 0x80 && character <= kByte + 0xff)
        bytes += static_cast<char>(character - kByte);
      else if (size != static_cast<std::size_t>(-1))
        bytes.append(encoded.data(), size);
    }
    return bytes;
  }

  // Waits until there is something in typed_. Meanwhile others may show something. False at the end.
  bool wait_for_key() {
    for (;;) {
      is_waiting_ = true;
      terminal_.unlock();
      const auto ready = input_.wait(is_away_ ? -1 : STDIN_FILENO, signals_.fd(), timeout());
      terminal_.lock();
      is_waiting_ = false;
      if (ready == StoppableInput::Ready::stopped) return false;
      if (ready == StoppableInput::Ready::signal) act();
      if (ready == StoppableInput::Ready::nothing) look_around();
      if (ready != StoppableInput::Ready::input) continue;
      if (!is_in_foreground(STDIN_FILENO)) {  // the keys are somebody else's
        is_away_ = true;
        continue;
      }
      std::array<char, 256> keys{};
      // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection): poll has said that there is something
      const auto count = ::read(keys_.get() < 0 ? STDIN_FILENO : keys_.get(), keys.data(), asked_at_ ? keys.size() : 1);
      if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (count <= 0) return false;
      typed_.append(keys.data(), static_cast<std::size_t>(count));
      if (asked_at_ && !take_answer()) continue;
      if (!typed_.empty()) return true;
    }
  }

  // Before the first line, and between lines: until this process may use the terminal.
  bool wait_for_turn() {
    while (is_away_ || !is_in_foreground(STDIN_FILENO)) {
      is_away_ = true;
      terminal_.unlock();
      const auto ready = input_.wait(-1, signals_.fd(), timeout());
      terminal_.lock();
      if (ready == StoppableInput::Ready::stopped) return false;
      if (ready == StoppableInput::Ready::signal) act();
      if (ready == StoppableInput::Ready::nothing) look_around();
    }
    return true;
  }

  // No signal tells a process that goes on in the background when it comes to the front.
  [[nodiscard]] int timeout() const { return is_away_ ? kLook : asked_at_ ? kAnswer : -1; }

  void look_around() {
    if (is_away_ && is_in_foreground(STDIN_FILENO)) return come_back();
    if (asked_at_) redraw(std::exchange(asked_at_, std::nullopt)->row);  // it does not answer
  }

  void act() {
    bool is_resized = false;
    while (const int signal = signals_.take()) {
      if (signal == SIGTSTP) stop();
      if (signal == SIGCONT) come_back();
      is_resized = is_resized || signal == SIGWINCH;
    }
    if (is_resized) resize();
  }

  void stop() {
    if (edit_ != nullptr && !is_away_) {
      ::el_wset(edit_, EL_PREP_TERM, 0);
      modes_.restore();
      static_cast<void>(::write(shown_, "\n", 1));
    }
    stop_by_signal();
    is_away_ = true;
    come_back();
  }

  void come_back() {
    is_away_ = !is_in_foreground(STDIN_FILENO);
    if (is_away_ || edit_ == nullptr) return;
    modes_.find();
    modes_.set_by_others();
    ::el_wset(edit_, EL_PREP_TERM, 0);  // it believes that nothing has changed
    take_keys();
    columns_ = width();
    ::el_resize(edit_);
    static_cast<void>(::write(shown_, "\r", 1));
    if (is_typing_) ::el_wset(edit_, EL_REFRESH);
  }

  // Some terminals wrap the rows above anew, others cut them off. Where the cursor stands now tells which.
  void resize() {
    if (edit_ == nullptr || is_away_) return;
    if (!is_typing_) {
      columns_ = width();
      ::el_resize(edit_);
      return;
    }
    const auto before = asked_at_ ? *asked_at_ : position(columns_);
    const bool can_move = !capability("up").empty() && !capability("cd").empty();
    columns_ = width();
    const auto wrapped = position(columns_);
    if (!can_move || wrapped.row == before.row) {
      asked_at_.reset();
      return redraw(before.row);
    }
    asked_at_ = before;
    constexpr std::string_view kWhere = "\x1b[6n";
    static_cast<void>(::write(shown_, kWhere.data(), kWhere.size()));
  }

  // ESC [ row ; column R among the keys, if it has come.
  bool take_answer() {
    const auto begin = typed_.find("\x1b[");
    const auto end = typed_.find('R', begin == std::string::npos ? 0 : begin);
    if (begin == std::string::npos || end == std::string::npos) return false;
    const auto semicolon = typed_.find(';', begin);
    if (semicolon > end) return false;
    const int column = std::atoi(typed_.c_str() + semicolon + 1) - 1;  // NOLINT(cert-err34-c): 0 for what is none
    typed_.erase(begin, end - begin + 1);
    const auto before = *std::exchange(asked_at_, std::nullopt);
    const auto wrapped = position(columns_);
    const auto cut_off = std::min(before.column, columns_ - 1);
    if (column == wrapped.column && column != cut_off)
      redraw(wrapped.row);
    else if (column == cut_off && column != wrapped.column)
      redraw(before.row);
    else
      redraw(std::min(before.row, wrapped.row));  // whatever it is, no line of the conversation goes
    return true;
  }

  void redraw(int rows) {
    erase(rows);
    ::el_resize(edit_);
    ::el_wset(edit_, EL_REFRESH);
  }

  static constexpr int kColumns = 80;
  static constexpr int kPromptWidth = 2;
  static constexpr int kLook = 250;    // ms
  static constexpr int kAnswer = 300;  // ms, for a terminal to say where its cursor is
  static constexpr wchar_t kByte = 0xdc00;

  StoppableInput& input_;
  std::size_t longest_;
  int shown_;
  SignalPipe signals_{SIGTSTP, SIGCONT, SIGWINCH};
  TerminalModes modes_{STDIN_FILENO};
  UniqueFd keys_ = open_keys(STDIN_FILENO);
  std::mutex terminal_;               // held while libedit is at work
  bool is_waiting_ = false;           // for a key, with the lock open
  bool is_typing_ = false;            // prompt and line are on the screen
  bool is_away_ = false;              // the terminal is somebody else's
  int columns_ = kColumns;            // when prompt and line were drawn
  std::optional<Position> asked_at_;  // the cursor's, before a terminal was asked for it
  std::string typed_;                 // bytes that are no character yet
  EditLine* edit_ = nullptr;
  HistoryW* history_ = nullptr;
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
  ~Thread() { input_.stop(); }

  void ask() { static_cast<void>(::eventfd_write(wanted_.get(), 1)); }
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
    for (;;) {
      const auto ready = input_.wait(wanted_.get(), reader_->signals(), -1);
      if (ready == StoppableInput::Ready::stopped) return false;
      if (ready == StoppableInput::Ready::signal) reader_->act_on_signals();
      eventfd_t ignored = 0;
      if (ready == StoppableInput::Ready::input) return ::eventfd_read(wanted_.get(), &ignored) == 0;
    }
  }

  StoppableInput input_;
  bool interactive_;
  std::function<void(Line)> arrived_;
  std::unique_ptr<Reader> reader_;
  UniqueFd wanted_{::eventfd(0, EFD_CLOEXEC)};
  std::jthread thread_;  // joined first of all
};

LineSource::LineSource(std::size_t longest, std::function<void(Line)> arrived)
    : thread_(std::make_unique<Thread>(longest, std::move(arrived))) {}
LineSource::~LineSource() = default;
void LineSource::ask() { thread_->ask(); }
int LineSource::show_above(const std::function<int()>& write) { return thread_->show_above(write); }
bool LineSource::is_interactive() const noexcept { return thread_->is_interactive(); }

}  // namespace pake::cli
