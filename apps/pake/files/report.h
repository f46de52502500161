// What a person, or a program, sees of a transfer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pake/files/messages.h"
#include "process/output.h"

namespace pake::cli::files {

/// "12.3 MB": a thousand bytes are a kB.
[[nodiscard]] std::string size_in_words(std::uint64_t bytes);
/// "3 files and 1 folder, 12.3 MB".
[[nodiscard]] std::string offer_in_words(const std::vector<pake::files::Entry>& entries);
/// What stands at the top of an offer, each with its size, a line each; at most `most`, then how many more there are.
[[nodiscard]] std::vector<std::string> offer_lines(const std::vector<pake::files::Entry>& entries, std::size_t most);

enum class Side : std::uint8_t { sender, receiver };

/// At a terminal one line that is drawn again (name, share, rate, time left), else one note a file; with --json one
/// object a line on stdout. Belongs to one thread.
class Report {
 public:
  Report(Side side, bool json);
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  ~Report();

  /// The transfer is about to begin, or to go on.
  void begin(std::uint64_t total);
  void working_on(std::string_view path);
  /// Bytes that have passed, or were there already.
  void add(std::uint64_t bytes);
  /// Of the file at hand: they count no more.
  void take_back(std::uint64_t bytes);
  /// The line goes from the screen.
  void end();

  void offered(const std::vector<pake::files::Entry>& entries);
  /// @param what  "sent", "stored", "unchanged"
  void file(std::string_view what, std::string_view path, std::uint64_t size);
  void missing(std::string_view path, std::string_view reason);
  void waiting(std::string_view code, std::string_view address);
  /// Of two who have met behind a server.
  /// @param way    "directly", "through"
  /// @param where  the other side's address, or the server
  void way(std::string_view way, std::string_view where);
  void summary(const pake::files::Summary& summary);

  /// `outcome`, or that stdout did not take all steps of --json: the transfer went on.
  [[nodiscard]] Expected<void> finish(Expected<void> outcome) const;

 private:
  class Line;
  Side side_;
  bool json_;
  Output output_;
  std::unique_ptr<Line> line_;
};

}  // namespace pake::cli::files
