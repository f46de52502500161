#include "draw/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "terminal/escape.h"

namespace pake::cli::draw {
namespace {

using trace::Field;
using trace::Frame;
using trace::Kind;

constexpr std::size_t kName = 48;  // characters

// Up to four bytes a character of UTF-8.
std::string_view beginning(std::string_view text, std::size_t characters) { return text.substr(0, 4 * characters); }

bool continues(char c) { return (static_cast<std::uint8_t>(c) & 0xc0U) == 0x80U; }

// `escaped` is UTF-8. The three code points that XML has no place for are the only ones that are replaced.
std::string to_xml(std::string_view escaped) {
  std::string xml;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const char c = escaped[i];
    if (escaped.substr(i).starts_with("\xef\xbf\xbe") || escaped.substr(i).starts_with("\xef\xbf\xbf")) {
      xml += "\xef\xbf\xbd";
      i += 2;
    } else if (c == '&') {
      xml += "&amp;";
    } else if (c == '<') {
      xml += "&lt;";
    } else if (c == '>') {
      xml += "&gt;";
    } else if (c == '"') {
      xml += "&quot;";
    } else if (c == '\'') {
      xml += "&#39;";
    } else {
      xml += c;
    }
  }
  return xml;
}

std::string with_commas(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

}  // namespace

std::string shown(std::string_view text, std::size_t most) {
  auto escaped = escape(beginning(text, most + 1));
  bool is_cut = text.size() > 4 * (most + 1);
  std::size_t characters = 0;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (continues(escaped[i])) continue;
    if (++characters > most) {
      escaped.resize(i);
      is_cut = true;
      break;
    }
  }
  return to_xml(escaped) + (is_cut ? "\u2026" : "");
}

std::string hex(Bytes bytes, std::size_t most) {
  std::string digits;
  const auto count = std::min(most, bytes.size());
  for (std::size_t i = 0; i < count; ++i)
    fmt::format_to(std::back_inserter(digits), "{}{:02x}", i > 0 && i % 4 == 0 ? " " : "", bytes[i]);
  if (count < bytes.size()) digits += fmt::format(" \u2026 {} more", size_text(bytes.size() - count));
  return digits;
}

std::string size_text(std::uint64_t bytes) { return with_commas(bytes) + (bytes == 1 ? " byte" : " bytes"); }

std::string time_text(std::uint64_t us) {
  if (us < 1'000'000) return fmt::format("{}.{:02} ms", us / 1000, us % 1000 / 10);
  return fmt::format("{}.{:02} s", with_commas(us / 1'000'000), us % 1'000'000 / 10'000);
}

const std::array<KindWords, 4>& kinds() noexcept {
  static constexpr std::array<KindWords, 4> kKinds = {{
      {.kind = Kind::open, .name = "public", .meaning = "versions, sizes, random-looking values"},
      {.kind = Kind::password, .name = "password", .meaning = "encrypted under the password"},
      {.kind = Kind::session, .name = "session", .meaning = "encrypted under the session key, or a proof of it"},
      {.kind = Kind::clear, .name = "clear", .meaning = "everybody on the way reads it"},
  }};
  return kKinds;
}

std::string_view meaning_of(Kind kind) noexcept {
  const auto& all = kinds();
  const auto* const found = std::ranges::find(all, kind, &KindWords::kind);
  return found != all.end() ? found->meaning : "";
}

Parties parties_of(const Run& run) noexcept {
  if (run.protocol.starts_with("rsa-eke")) return {.client = "C, connects", .server = "L, listens"};
  return {.client = "client", .server = "server"};
}

Bytes bytes_of(const Frame& frame, const Field& field) noexcept {
  const Bytes all(frame.bytes);
  if (field.at > all.size() || field.size > all.size() - field.at) return {};
  return all.subspan(field.at, field.size);
}

std::string_view note_of(const Field& field) noexcept {
  if (field.name != "masked_response" || field.kind != Kind::password) return "";
  return "under a key made of the password and of a secret of the server: nobody can try a guess without asking the "
         "server";
}

bool is_length(const Field& field) noexcept { return field.kind == Kind::open && field.name.ends_with(" length"); }

std::string label_of(const Frame& frame, const Field& field, std::size_t most) {
  auto label = shown(field.name, kName);
  if (field.kind == Kind::clear) label += fmt::format(" \u201c{}\u201d", shown(as_text(bytes_of(frame, field)), most));
  return label;
}

std::string way_of(const Run& run, const Frame& frame) {
  const auto parties = parties_of(run);
  const bool there = goes_to_server(run, frame);
  return fmt::format("{} to {}", there ? parties.client : parties.server, there ? parties.server : parties.client);
}

std::string sentence(const Run& run, const Frame& frame, std::size_t number) {
  auto text = fmt::format("{}. {}: {}, {}, {}", number, way_of(run, frame), shown(frame.name, kName),
                          size_text(frame.bytes.size()), time_text(frame.us));
  for (const auto& words : kinds()) {
    std::string names;
    for (const auto& field : frame.fields)
      if (field.kind == words.kind && !is_length(field))
        names += (names.empty() ? "" : ", ") + label_of(frame, field, kName);
    if (!names.empty()) text += fmt::format("; {}: {}", words.name, names);
  }
  return text + ".";
}

std::string remarks(const Run& run) {
  std::string text;
  if (run.frames.empty()) text += "The trace has no message. ";
  if (run.not_drawn > 0) text += fmt::format("{} more not drawn. ", with_commas(run.not_drawn));
  if (run.is_cut) text += "The trace ends in the middle of a message. ";
  if (!text.empty()) text.pop_back();
  return text;
}

std::string heading(const Run& run) {
  const auto title = shown(run.title, kName);
  return run.protocol.empty() ? title : fmt::format("{} ({})", title, shown(run.protocol, kName));
}

}  // namespace pake::cli::draw
