// Finding each other in one network: docs/files.md, section 8. What is announced is a public selector and a port, by
// datagrams of our own and, if Avahi's daemon runs, by DNS-SD too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "files/dns_sd.h"
#include "pake/base/rng.h"
#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/clock.h"
#include "pake/net/loops.h"
#include "process/problem.h"

namespace pake::cli::files {

inline constexpr std::uint32_t kMostSelector = 999;

/// 1 to 999.
[[nodiscard]] std::uint32_t draw_selector(Rng& rng);

/// Announces while it lives: once a second on every interface that there is then, and by DNS-SD on those that there are
/// now.
class Announcer {
 public:
  Announcer(net::Loop& loop, Rng& rng, std::uint32_t selector, std::uint16_t port);
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;
  ~Announcer();

 private:
  struct State;
  std::shared_ptr<State> state_;
  DnsSdAnnouncer dns_sd_;
};

/// Hears announcements of one selector, of either kind.
class AnnouncementListener {
 public:
  [[nodiscard]] static Expected<AnnouncementListener> open(net::Loop& loop, std::uint32_t selector);
  AnnouncementListener(AnnouncementListener&&) noexcept;
  ~AnnouncementListener();

  /// The next announcer that has not been returned before, of an address on one of this machine's links; nothing at the
  /// deadline.
  [[nodiscard]] net::Awaitable<std::optional<net::TcpAddress>> next(net::Deadline deadline);
  /// `next` may return it once more.
  void forget(const net::TcpAddress& announcer);

 private:
  struct State;
  explicit AnnouncementListener(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace pake::cli::files
