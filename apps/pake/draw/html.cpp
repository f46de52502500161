#include "draw/html.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>
#include <utility>

namespace pake::cli::draw {
namespace {

using trace::Frame;

constexpr std::size_t kTextShown = 32, kNameShown = 64, kBytesShown = 512;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --quiet: #57606a; --line: #8c959f; --box: #f6f8fa;
  --public: #eef2f7; --public-line: #6e7f93; --password: #ffe9cc; --password-line: #b35900;
  --session: #d9f2df; --session-line: #1a7f37; --clear: #ffe0e3; --clear-line: #cf222e; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --ink: #e6edf3; --quiet: #9da7b3; --line: #6e7681; --box: #161b22;
    --public: #1c2530; --public-line: #8b9bb0; --password: #3d2a10; --password-line: #f0a04b;
    --session: #12331c; --session-line: #3fb950; --clear: #42171b; --clear-line: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 100rem; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, "DejaVu Sans", sans-serif; print-color-adjust: exact; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; text-align: center; overflow-wrap: anywhere; }
main { display: grid; gap: 2rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); }
code, .chip, .field { font-family: "DejaVu Sans Mono", ui-monospace, Menlo, Consolas, monospace; font-size: .8rem; }
.legend { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; padding: 0; list-style: none; }
.chip { display: inline-block; padding: 0 .4em; border-radius: 3px; border: 2px solid; overflow-wrap: anywhere; }
.public { background: var(--public); border-color: var(--public-line); border-width: 1px; }
.password { background: var(--password); border-color: var(--password-line); border-style: dashed; }
.session { background: var(--session); border-color: var(--session-line); }
.clear { background: var(--clear); border-color: var(--clear-line); border-style: dotted; }
.heads { display: flex; justify-content: space-between; }
.heads span { padding: .1rem .7rem; border: 1.5px solid var(--ink); border-radius: 4px; background: var(--box); }
ol { list-style: none; margin: 0 1.5rem; padding: .5rem 0 1rem; border: solid var(--line); border-width: 0 2px; }
.watched ol { background: repeating-linear-gradient(var(--line) 0 4px, transparent 4px 9px) center / 2px 100% no-repeat; }
li.message { padding: .3rem 0; break-inside: avoid; }
li.connection { text-align: center; color: var(--quiet); }
summary { cursor: pointer; list-style: none; border-radius: 4px; }
summary::-webkit-details-marker { display: none; }
summary:hover { background: var(--box); }
summary:focus-visible { outline: 3px solid var(--session-line); outline-offset: -3px; }
.label, .chips { display: block; text-align: center; padding: 0 .8rem; }
.label small { color: var(--quiet); }
.label b, .label small { background: var(--page); }
summary:hover .label b, summary:hover .label small { background: none; }
.label b::before { content: "\25B8\00A0"; color: var(--quiet); }
details[open] .label b::before { content: "\25BE\00A0"; }
.arrow { display: block; position: relative; margin: .3rem 0 .5rem; border-top: 2px solid var(--ink); }
.arrow::after { content: ""; position: absolute; top: -7px; border: 6px solid transparent; }
.there .arrow::after { right: 0; border-left: 11px solid var(--ink); border-right: 0; }
.back .arrow::after { left: 0; border-right: 11px solid var(--ink); border-left: 0; }
.chips { line-height: 2; }
.bytes { margin: .6rem .8rem; overflow-x: auto; background: var(--page); border: 1px solid var(--line); }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { padding: .25rem .5rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
td.number { text-align: right; }
td .chip { white-space: nowrap; }
td.what { min-width: 16rem; overflow-wrap: anywhere; }
.remark { text-align: center; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 40rem) {
  ol { margin: 0 .4rem; } .bytes { margin: .6rem .3rem; }
  table, tbody, tr, td { display: block; border: 0; } thead { display: none; }
  tr { padding: .3rem 0; border-bottom: 1px solid var(--line); }
  td .chip { white-space: normal; }
  td, td.number { display: inline-block; padding: 0 .5rem; text-align: left; } td.what { display: block; min-width: 0; }
  td.number::before { content: attr(data-head) " "; color: var(--quiet); } }
@media print { main { display: block; } summary { cursor: auto; } .label b::before { content: none; } }
)";

class Page {
 public:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  void legend() {
    add(R"(<ul class="legend" aria-label="What an observer may know">)");
    for (const auto& words : kinds())
      add(R"(<li><span class="chip {0}">{0}</span> {1}</li>)", words.name, words.meaning);
    add("</ul>");
  }

  void run(const Run& run, bool is_watched) {
    const auto parties = parties_of(run);
    add(R"(<section{}>)", is_watched ? R"( class="watched")" : "");
    add("<h2>{}</h2>", heading(run));
    add(R"(<div class="heads"><span>{}</span>{}<span>{}</span></div>)", parties.client,
        is_watched ? "<span>eavesdropper</span>" : "", parties.server);
    add("<ol>");
    std::uint64_t connection = run.frames.empty() ? 0 : run.frames.front().connection;
    std::size_t number = 0;
    for (const auto& frame : run.frames) {
      if (frame.connection != connection) {
        connection = frame.connection;
        add(R"(<li class="connection">connection {}</li>)", connection);
      }
      message(run, frame, ++number);
    }
    add("</ol>");
    if (const auto more = remarks(run); !more.empty()) add(R"(<p class="remark">{}</p>)", more);
    add("</section>");
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  void message(const Run& run, const Frame& frame, std::size_t number) {
    add(R"(<li class="message {}"><details><summary>)", goes_to_server(run, frame) ? "there" : "back");
    add(R"(<span class="label"><b>{} {}</b> <span class="hidden">{}, </span><small>{}, {}</small></span>)", number,
        shown(frame.name, kNameShown), way_of(run, frame), size_text(frame.bytes.size()), time_text(frame.us));
    add(R"(<span class="arrow"></span><span class="chips">)");
    for (const auto& field : frame.fields)
      if (!is_length(field))
        add(R"(<span class="chip {0}" title="{0}, {1}">{2} <small>{3}</small></span>)", trace::name_of(field.kind),
            size_text(field.size), label_of(frame, field, kTextShown), field.size);
    add(R"(</span></summary><div class="bytes"><table>)");
    add("<thead><tr><th>field</th><th>at</th><th>size</th><th>bytes</th></tr></thead><tbody>");
    if (frame.fields.empty()) row("", "all", 0, frame.bytes, "");
    for (const auto& field : frame.fields) {
      const auto bytes = bytes_of(frame, field);
      std::string more(note_of(field));
      if (field.kind == trace::Kind::clear) more = fmt::format("\u201c{}\u201d", shown(as_text(bytes), kBytesShown));
      row(trace::name_of(field.kind), shown(field.name, kNameShown), field.at, bytes, more);
    }
    add("</tbody></table></div></details></li>");
  }

  void row(std::string_view kind, const std::string& name, std::size_t at, Bytes bytes, std::string_view more) {
    add(R"(<tr><td><span class="chip {}">{}</span></td><td class="number" data-head="at">{}</td><td class="number" data-head="size">{}</td><td class="what"><code>{}</code>{}</td></tr>)",
        kind, name, at, bytes.size(), hex(bytes, kBytesShown), more.empty() ? "" : fmt::format("<br>{}", more));
  }

  std::string text_;
};

}  // namespace

std::string to_html(const std::vector<Run>& runs, DrawOptions options) {
  Page page;
  std::string title;
  for (const auto& run : runs) title += (title.empty() ? "" : ", ") + heading(run);
  page.add("<!DOCTYPE html>");
  page.add(
      R"(<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">)");
  page.add(R"(<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">)");
  page.add("<title>{}</title><style>{}</style></head><body>", title, kStyle);
  page.add("<header><h1>What passes, as an observer sees it</h1>");
  page.add("<p>From top to bottom in time. Each message opens, and shows its bytes field by field.</p>");
  page.legend();
  page.add("</header><main>");
  for (const auto& run : runs) page.run(run, options.eavesdropper);
  page.add("</main></body></html>");
  return page.text();
}

}  // namespace pake::cli::draw
