// Finding each other in one network by DNS-SD, through Avahi's daemon: docs/files.md, section 8. If the daemon does not
// run, nothing is announced and nothing found, and nobody is told.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pake::cli::files {

/// An address of a machine, and the link on which it is good.
struct LinkAddress {
  unsigned interface = 0;  // as the system counts them
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // the first four of them, if it is IPv4
};

struct DnsSdService {
  std::string name;  // of the service and of the host that it is said to be on, which no machine is called
  std::uint16_t port = 0;
  std::vector<LinkAddress> addresses;
};

/// Announces a service while it lives.
class DnsSdAnnouncer {
 public:
  explicit DnsSdAnnouncer(DnsSdService service);
  DnsSdAnnouncer(const DnsSdAnnouncer&) = delete;
  DnsSdAnnouncer& operator=(const DnsSdAnnouncer&) = delete;
  ~DnsSdAnnouncer();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

/// Looks for services whose names begin with a prefix while it lives. Whoever is in the network writes what it finds.
class DnsSdBrowser {
 public:
  struct Found {
    LinkAddress address;
    std::uint16_t port = 0;
  };

  explicit DnsSdBrowser(std::string prefix);
  DnsSdBrowser(const DnsSdBrowser&) = delete;
  DnsSdBrowser& operator=(const DnsSdBrowser&) = delete;
  ~DnsSdBrowser();

  /// What was found next, if anything was. Never waits.
  [[nodiscard]] std::optional<Found> take();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace pake::cli::files
