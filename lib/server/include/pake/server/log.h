// What the server says about itself: one event a line, as text or as JSON. Never a secret, never bytes of a message.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace pake::server {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

/// A field of an event. Text is escaped: what a peer sent cannot begin a line or move a terminal's cursor.
struct LogField {
  std::string_view key;
  std::variant<std::string_view, std::int64_t> value;
};

struct LogOptions {
  LogFormat format = LogFormat::text;
  LogLevel level = LogLevel::info;
  std::string file = {};  // empty: stderr
};

/// Any thread may write. A thread of its own writes the lines out: a reader that stands still holds no loop up. The
/// queue is bounded; what does not fit is dropped, and the number of it is said later.
class Log {
 public:
  /// @return the log, or why the file cannot be written
  [[nodiscard]] static std::variant<std::shared_ptr<Log>, std::string> open(const LogOptions& options);
  /// A log that hands each line (without a newline) to `sink`, on the thread that writes it.
  [[nodiscard]] static std::shared_ptr<Log> to_function(const LogOptions& options,
                                                        std::function<void(std::string_view)> sink);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  /// All that was written has left, or a second has passed.
  ~Log();

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {}) noexcept;
  void set_level(LogLevel level) noexcept;
  /// Whether an event of this level is written at all.
  [[nodiscard]] bool writes(LogLevel level) const noexcept;

 private:
  struct Impl;
  explicit Log(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pake::server
