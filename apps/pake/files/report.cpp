#include "files/report.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "terminal/escape.h"

namespace pake::cli::files {

using pake::files::Entry;
using pake::files::EntryKind;

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kRateOver = std::chrono::seconds(5);
constexpr std::size_t kDefaultColumns = 80;
constexpr int kMaxHours = 99;

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kDefaultColumns;
}

// The first bytes of `text`, harmless text, that take no more than `width` columns, whatever the letters are.
std::string_view fitting(std::string_view text, std::size_t width) {
  std::size_t used = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    auto next = end + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0U) == 0x80U) ++next;
    used += next - end == 1 ? 1 : 2;  // some letters are two columns wide
    if (used > width) break;
    end = next;
  }
  return text.substr(0, end);
}

std::string hex(std::string_view text) {
  std::string digits;
  for (const char c : text) digits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return digits;
}

nlohmann::ordered_json event(std::string_view name) {
  nlohmann::ordered_json object;
  object["event"] = name;
  return object;
}

// A path that is no UTF-8 is given as path_hex.
void set_path(nlohmann::ordered_json& object, std::string_view path) {
  if (is_utf8(path))
    object["path"] = path;
  else
    object["path_hex"] = hex(path);
}

void tell(Output& output, const nlohmann::ordered_json& object) {
  constexpr bool kAsciiOnly = true;
  output.line(object.dump(-1, ' ', kAsciiOnly));
}

std::string time_in_words(std::chrono::seconds left) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(left);
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(left);
  if (hours.count() > kMaxHours) return "days left";
  if (hours.count() > 0)
    return fmt::format("{}:{:02}:{:02} left", hours.count(), (minutes % 60).count() % 60, left.count() % 60);
  return fmt::format("{}:{:02} left", minutes.count(), left.count() % 60);
}

std::string number(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

}  // namespace

std::string size_in_words(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"kB", "MB", "GB", "TB", "PB", "EB"};
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  auto value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.95 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string offer_in_words(const std::vector<Entry>& entries) {
  std::size_t folders = 0;
  std::uint64_t total = 0;
  for (const auto& entry : entries) {
    folders += entry.kind == EntryKind::folder ? 1 : 0;
    total += entry.size;
  }
  if (entries.size() == 1 && entries[0].kind == EntryKind::stream) return "a stream, whose size is not known";
  if (entries.size() == 1 && entries[0].kind == EntryKind::text) return "a text, " + size_in_words(total);
  const auto files = number(entries.size() - folders, "file", "files");
  return fmt::format("{}{}, {}", files, folders == 0 ? "" : " and " + number(folders, "folder", "folders"),
                     size_in_words(total));
}

std::vector<std::string> offer_lines(const std::vector<Entry>& entries, std::size_t most) {
  struct Top {
    std::size_t files = 0;
    std::uint64_t size = 0;
    bool is_folder = false;
  };
  std::map<std::string_view, Top> tops;
  for (const auto& entry : entries) {
    const std::string_view path = entry.path;
    auto& top = tops[path.substr(0, path.find('/'))];
    top.files += entry.kind == EntryKind::folder ? 0 : 1;
    top.size += entry.size;
    top.is_folder = top.is_folder || entry.kind == EntryKind::folder || path.contains('/');
  }
  std::vector<std::string> lines;
  for (const auto& [name, top] : tops) {
    if (lines.size() == most) {
      lines.push_back(fmt::format("and {} more", tops.size() - most));
      break;
    }
    lines.push_back(top.is_folder ? fmt::format("{}/  {}, {}", escape(name), number(top.files, "file", "files"),
                                                size_in_words(top.size))
                                  : fmt::format("{}  {}", escape(name), size_in_words(top.size)));
  }
  return lines;
}

/// The line at the bottom of the screen.
class Report::Line {
 public:
  explicit Line(std::uint64_t total) : total_(total), since_(Clock::now()), drawn_(since_) {
    guard_screen([this](const std::function<int()>& write) {
      wipe();
      const int result = write();
      draw();
      return result;
    });
    draw();
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() {
    guard_screen({});
    wipe();
  }

  void name(std::string_view path) { name_ = escape(path.substr(path.rfind('/') + 1)); }
  void add(std::uint64_t bytes) {
    done_ += bytes;
    const auto now = Clock::now();
    if (now - drawn_ < kRedraw) return;
    drawn_ = now;
    rate(now);
    draw();
  }
  void take_back(std::uint64_t bytes) { done_ -= std::min(bytes, done_); }

 private:
  void rate(Clock::time_point now) {
    marks_.emplace_back(now, done_);
    while (marks_.size() > 2 && now - marks_.front().first > kRateOver) marks_.erase(marks_.begin());
  }

  [[nodiscard]] double per_second() const {
    const auto from = marks_.size() < 2 ? std::pair{since_, std::uint64_t{0}} : marks_.front();
    const std::chrono::duration<double> passed = (marks_.empty() ? since_ : marks_.back().first) - from.first;
    if (passed.count() <= 0 || done_ < from.second) return 0;
    return static_cast<double>(done_ - from.second) / passed.count();
  }

  void draw() {
    const auto speed = per_second();
    std::string text;
    if (total_ > 0)
      text = fmt::format("{:3}%  {} of {}", std::min<std::uint64_t>(100, 100 * (done_ / 1024) / (total_ / 1024 + 1)),
                         size_in_words(done_), size_in_words(total_));
    else
      text = size_in_words(done_);
    if (speed >= 1) {
      text += fmt::format("  {}/s", size_in_words(static_cast<std::uint64_t>(speed)));
      if (total_ > done_) {
        const auto left = static_cast<double>(total_ - done_) / speed;
        text += "  " + time_in_words(std::chrono::seconds(static_cast<std::int64_t>(std::min(left, 1e9))));
      }
    }
    const auto width = columns() - 1;
    if (text.size() + 2 < width) text += fmt::format("  {}", fitting(name_, width - text.size() - 2));
    show(fmt::format("\r\x1b[K{}", fitting(text, width)));
    is_drawn_ = true;
  }

  void wipe() {
    if (std::exchange(is_drawn_, false)) show("\r\x1b[K");
  }

  static void show(std::string_view text) { static_cast<void>(::write(STDERR_FILENO, text.data(), text.size())); }

  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::string name_;
  Clock::time_point since_, drawn_;
  std::vector<std::pair<Clock::time_point, std::uint64_t>> marks_;
  bool is_drawn_ = false;
};

Report::Report(Side side, bool json) : side_(side), json_(json), output_(STDOUT_FILENO) {}
Report::~Report() = default;

void Report::begin(std::uint64_t total) {
  if (::isatty(STDERR_FILENO) == 1) line_ = std::make_unique<Line>(total);
}
void Report::working_on(std::string_view path) {
  if (line_) line_->name(path);
}
void Report::add(std::uint64_t bytes) {
  if (line_) line_->add(bytes);
}
void Report::take_back(std::uint64_t bytes) {
  if (line_) line_->take_back(bytes);
}
void Report::end() { line_.reset(); }

Expected<void> Report::finish(Expected<void> outcome) const { return outcome ? output_.outcome() : outcome; }

void Report::offered(const std::vector<Entry>& entries) {
  if (!json_) return;
  auto object = event("offer");
  std::size_t folders = 0;
  std::uint64_t total = 0;
  for (const auto& entry : entries) {
    folders += entry.kind == EntryKind::folder ? 1 : 0;
    total += entry.size;
  }
  object["files"] = entries.size() - folders;
  object["folders"] = folders;
  object["bytes"] = total;
  tell(output_, object);
}

void Report::file(std::string_view what, std::string_view path, std::uint64_t size) {
  if (json_) {
    auto object = event(what);
    set_path(object, path);
    object["bytes"] = size;
    tell(output_, object);
  } else if (!line_) {
    say_note(fmt::format("{} {} ({})", what, escape(path), size_in_words(size)));
  }
}

void Report::missing(std::string_view path, std::string_view reason) {
  if (json_) {
    auto object = event("missing");
    set_path(object, path);
    object["reason"] = reason;
    tell(output_, object);
  }
  say_error(fmt::format("{}: {}", escape(path), reason));
}

void Report::waiting(std::string_view code, std::string_view address) {
  if (!json_) return;
  auto object = event("waiting");
  object["code"] = code;
  object["address"] = address;
  tell(output_, object);
}

void Report::way(std::string_view way, std::string_view where) {
  if (!json_) return;
  auto object = event("way");
  object["way"] = way;
  object[way == "directly" ? "address" : "server"] = where;
  tell(output_, object);
}

void Report::summary(const pake::files::Summary& summary) {
  end();
  if (json_) {
    auto object = event("done");
    object["stored"] = summary.stored;
    object["unchanged"] = summary.unchanged;
    object["missing"] = summary.missing;
    return tell(output_, object);
  }
  std::string text = number(summary.stored, "file", "files") + (side_ == Side::sender ? " sent" : " stored");
  if (summary.unchanged != 0) text += fmt::format(", {} unchanged", summary.unchanged);
  if (summary.missing != 0) text += fmt::format(", {} missing", summary.missing);
  say_note(text);
}

}  // namespace pake::cli::files
