#include "draw/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace pake::cli::draw {
namespace {

using trace::Field;
using trace::Frame;

// In pixels. Letters are of a fixed width, so that boxes fit without asking a browser.
constexpr int kColumn = 720, kMargin = 24, kLifeline = 88;  // of a run; around it; from its edge to a lifeline
constexpr int kLetter = 7;                                  // the width of one, generously, at 11 px
constexpr int kChip = 18, kChipGap = 6, kChipLine = 24, kChipPadding = 6;
constexpr int kHead = 28;
constexpr std::size_t kTextShown = 24, kNameShown = 40, kHexShown = 48, kSentences = 100;

// Kinds differ in their borders too: for paper, and for who sees no colours.
constexpr std::string_view kStyle = R"(
text { font: 11px "DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace; fill: #1b1f24; }
.page { fill: #ffffff; }
.over { paint-order: stroke; stroke: #ffffff; stroke-width: 5px; stroke-linejoin: round; }
.title { font-size: 15px; font-weight: bold; }
.name { font-size: 13px; font-weight: bold; }
.quiet { fill: #57606a; }
.life, .arrow, .head { stroke: #1b1f24; fill: none; stroke-width: 1.5; }
.life { stroke: #8c959f; }
.observer { stroke-dasharray: 3 4; }
.head { fill: #f6f8fa; }
.tip { fill: #1b1f24; }
.dot { fill: #ffffff; stroke: #8c959f; stroke-width: 1.5; }
.public { fill: #eef2f7; stroke: #6e7f93; }
.password { fill: #ffe9cc; stroke: #b35900; stroke-width: 2; stroke-dasharray: 6 2; }
.session { fill: #d9f2df; stroke: #1a7f37; stroke-width: 2; }
.clear { fill: #ffe0e3; stroke: #cf222e; stroke-width: 2; stroke-dasharray: 2 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .page { fill: #0d1117; }
  .over { stroke: #0d1117; }
  .quiet { fill: #9da7b3; }
  .life, .arrow, .head { stroke: #e6edf3; }
  .life { stroke: #6e7681; }
  .head { fill: #161b22; }
  .tip { fill: #e6edf3; }
  .dot { fill: #0d1117; stroke: #6e7681; }
  .public { fill: #1c2530; stroke: #8b9bb0; }
  .password { fill: #3d2a10; stroke: #f0a04b; }
  .session { fill: #12331c; stroke: #3fb950; }
  .clear { fill: #42171b; stroke: #ff7b72; }
}
)";

// How wide a text is, once what stands for one character in XML counts as one.
int width_of(std::string_view xml) {
  int letters = 0;
  bool is_inside = false;  // of &amp; and its like
  for (const char c : xml) {
    if (c == '&') is_inside = true;
    if (!is_inside && (static_cast<std::uint8_t>(c) & 0xc0U) != 0x80U) ++letters;
    if (c == ';' && std::exchange(is_inside, false)) ++letters;
  }
  return letters * kLetter;
}

class Drawing {
 public:
  explicit Drawing(DrawOptions options) : options_(options) {}

  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(body_), format, std::forward<Args>(args)...);
    body_ += '\n';
  }

  /// @return how far down it goes
  int run(const Run& run, int left) {
    const int x1 = left + kLifeline;
    const int x2 = left + kColumn - kLifeline;
    const int middle = (x1 + x2) / 2;
    int y = kMargin + 16;
    add(R"(<text class="title" x="{}" y="{}" text-anchor="middle">{}</text>)", middle, y, heading(run));
    y += 20;
    const int heads = y;
    y += kHead + 8;
    const auto lifelines = body_.size();
    std::uint64_t connection = run.frames.empty() ? 0 : run.frames.front().connection;
    std::size_t number = 0;
    for (const auto& frame : run.frames) {
      if (frame.connection != connection) {
        connection = frame.connection;
        y += 22;
        add(R"(<text class="quiet over" x="{}" y="{}" text-anchor="middle">connection {}</text>)", middle, y,
            connection);
      }
      y = message(run, frame, ++number, x1, x2, y);
    }
    y += 16;
    if (const auto more = remarks(run); !more.empty()) {
      y += 12;
      add(R"(<text x="{}" y="{}" text-anchor="middle">{}</text>)", middle, y, more);
      y += 8;
    }
    std::swap(body_, above_);
    const auto parties = parties_of(run);
    lifeline(x1, heads, y, parties.client, "");
    lifeline(x2, heads, y, parties.server, "");
    if (options_.eavesdropper) lifeline(middle, heads, y, "eavesdropper", " observer");
    std::swap(body_, above_);
    body_.insert(lifelines, above_);
    above_.clear();
    return y;
  }

  /// @return how far down it goes
  int legend(int left, int y) {
    for (const auto& words : kinds()) {
      add(R"(<rect class="{}" x="{}" y="{}" width="28" height="14" rx="3"/>)", words.name, left, y);
      add(R"(<text x="{}" y="{}">{}: {}</text>)", left + 38, y + 11, words.name, words.meaning);
      y += 22;
    }
    return y;
  }

  [[nodiscard]] const std::string& body() const noexcept { return body_; }

 private:
  void lifeline(int x, int top, int bottom, std::string_view name, std::string_view extra) {
    const int half = std::max(width_of(name) + 20, 60) / 2;
    add(R"(<line class="life{}" x1="{}" y1="{}" x2="{}" y2="{}"/>)", extra, x, top + kHead, x, bottom);
    add(R"(<rect class="head" x="{}" y="{}" width="{}" height="{}" rx="4"/>)", x - half, top, 2 * half, kHead - 4);
    add(R"(<text x="{}" y="{}" text-anchor="middle">{}</text>)", x, top + 16, name);
  }

  int message(const Run& run, const Frame& frame, std::size_t number, int x1, int x2, int y) {
    const bool there = goes_to_server(run, frame);
    const int from = there ? x1 : x2;
    const int to = there ? x2 : x1;
    const int back = there ? -10 : 10;
    add("<g><title>{}</title>", sentence(run, frame, number));
    y += 24;
    add(R"(<text class="over" x="{}" y="{}" text-anchor="middle"><tspan class="name">{} {}</tspan> <tspan class="quiet">{}, {}</tspan></text>)",
        (x1 + x2) / 2, y, number, shown(frame.name, kNameShown), size_text(frame.bytes.size()), time_text(frame.us));
    y += 10;
    add(R"(<line class="arrow" x1="{}" y1="{}" x2="{}" y2="{}"/>)", from, y, to + back, y);
    add(R"(<polygon class="tip" points="{},{} {},{} {},{}"/>)", to, y, to + back, y - 5, to + back, y + 5);
    if (options_.eavesdropper) add(R"(<circle class="dot" cx="{}" cy="{}" r="4"/>)", (x1 + x2) / 2, y);
    add("</g>");
    return chips(frame, x1 + 12, x2 - 12, y + 8);
  }

  struct Chip {
    const Field* field;
    std::string label;
    int width;
  };

  // In lines, each in the middle.
  int chips(const Frame& frame, int left, int right, int y) {
    std::vector<Chip> line;
    int width = 0;
    for (const auto& field : frame.fields) {
      if (is_length(field)) continue;
      auto label = fmt::format("{} {}", label_of(frame, field, kTextShown), field.size);
      const int own = std::min(width_of(label) + 2 * kChipPadding, right - left);
      if (!line.empty() && width + own > right - left) {
        chip_line(frame, std::exchange(line, {}), left + (right - left - width + kChipGap) / 2, y);
        y += kChipLine;
        width = 0;
      }
      width += own + kChipGap;
      line.push_back({.field = &field, .label = std::move(label), .width = own});
    }
    if (line.empty()) return y;
    chip_line(frame, line, left + (right - left - width + kChipGap) / 2, y);
    return y + kChipLine;
  }

  void chip_line(const Frame& frame, const std::vector<Chip>& line, int x, int y) {
    for (const auto& chip : line) {
      const auto note = note_of(*chip.field);
      add("<g><title>{}: {}</title>", note.empty() ? meaning_of(chip.field->kind) : note,
          hex(bytes_of(frame, *chip.field), kHexShown));
      add(R"(<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="3"/>)", trace::name_of(chip.field->kind), x, y,
          chip.width, kChip);
      add(R"(<text x="{}" y="{}">{}</text></g>)", x + kChipPadding, y + 13, chip.label);
      x += chip.width + kChipGap;
    }
  }

  DrawOptions options_;
  std::string body_;
  std::string above_;
};

// All of it in words.
std::string description_of(const std::vector<Run>& runs) {
  std::string text;
  for (const auto& run : runs) {
    text += heading(run) + ".\n";
    for (std::size_t i = 0; i < run.frames.size() && i < kSentences; ++i)
      text += sentence(run, run.frames[i], i + 1) + "\n";
    if (run.frames.size() > kSentences)
      text += fmt::format("{} messages more are drawn.\n", run.frames.size() - kSentences);
    if (const auto more = remarks(run); !more.empty()) text += more + "\n";
  }
  return text;
}

}  // namespace

std::string to_svg(const std::vector<Run>& runs, DrawOptions options) {
  Drawing drawing(options);
  int bottom = 0;
  int left = kMargin;
  std::string title;
  for (const auto& run : runs) {
    bottom = std::max(bottom, drawing.run(run, left));
    left += kColumn + kMargin;
    title += (title.empty() ? "" : ", ") + heading(run);
  }
  const int height = drawing.legend(kMargin + kLifeline, bottom + kMargin) + kMargin;
  return fmt::format(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img" aria-labelledby="title desc" xml:lang="en">
<title id="title">{2}</title>
<desc id="desc">{3}</desc>
<style>{4}</style>
<rect class="page" width="{0}" height="{1}"/>
{5}</svg>
)",
      left, height, title, description_of(runs), kStyle, drawing.body());
}

}  // namespace pake::cli::draw
