// The receiver's side of a transfer, over as many channels as it takes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "files/options.h"
#include "files/report.h"
#include "pake/files/exchange.h"
#include "pake/files/target.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "process/blocking_file.h"
#include "process/problem.h"

namespace pake::cli::files {

/// What is received. Shared by its coroutines.
struct Receivable {
  Receivable(const ReceiveOptions& as, std::optional<pake::files::Target> folder, Report& to)
      : options(as), target(std::move(folder)), report(to) {}
  Receivable(const Receivable&) = delete;
  Receivable& operator=(const Receivable&) = delete;

  enum class Fate : std::uint8_t { open, stored, unchanged, missing };
  /// What has come whole, and gets its name with others.
  struct SetDown {
    std::uint32_t index;
    std::uint64_t size;
  };

  const ReceiveOptions& options;
  std::optional<pake::files::Target> target;  // none: stdout
  std::shared_ptr<BlockingFile> out = {};     // stdout, for what goes there
  Report& report;
  std::vector<pake::files::Entry> entries = {};  // once they are accepted
  std::vector<Fate> fates = {};
  std::vector<SetDown> set_down = {};  // in the target too, in the same order
  pake::files::Missing reason = pake::files::Missing::nothing;
  bool is_out_begun = false;  // bytes have gone to stdout: they cannot be taken back
  bool is_folder_missing = false;
  bool is_told = false;  // the summary has been sent

  [[nodiscard]] bool is_accepted() const { return !entries.empty(); }
  [[nodiscard]] bool can_continue() const { return !is_out_begun; }
  [[nodiscard]] pake::files::Summary summary() const;
};

/// Over one channel, from the offer to the other side's end.
[[nodiscard]] net::Awaitable<Expected<void>> receive_over(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                          std::shared_ptr<Receivable> what);

}  // namespace pake::cli::files
