// What a user's machine remembers of servers: their public keys, and the last ticket of each. A directory with a file
// for each user and address, mode 0600.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/base/secret.h"
#include "pake/channel/client_handshake.h"

namespace pake::client {

/// Which login it is.
struct HostId {
  std::string user;     // normalised, 1 to 255 bytes
  std::string address;  // as net::to_string writes it: "box:8088"; at most 1,024 bytes

  friend bool operator==(const HostId&, const HostId&) = default;
  friend auto operator<=>(const HostId&, const HostId&) = default;
};

/// A ticket, with what it takes to use it.
struct RememberedTicket {
  channel::StoredTicket stored;
  std::uint64_t lent_at = 0;   // seconds since 1970, UTC
  std::uint64_t lifetime = 0;  // seconds

  [[nodiscard]] bool is_good_at(std::uint64_t now) const noexcept { return now < lent_at + lifetime; }
};

struct RememberedHost {
  HostId id;
  Buffer server_public_key;  // that the server proved to have when it answered the password; 1 to 255 bytes
  std::optional<RememberedTicket> ticket = {};
};

/// Why the directory or a file of it cannot be used.
struct MemoryFailure {
  enum class What : std::uint8_t {
    unreadable,  // `error` says why
    unwritable,  // the same
    corrupt,     // what is in the file was not written by this version of this program
    exposed,     // others may read or write the file
  };
  What what{};
  std::filesystem::path path;  // which
  int error = 0;               // an errno
};
template <class T>
using Remembered = std::expected<T, MemoryFailure>;

/// A file as it stands on disk:
///   "pake known host" || version (1) || lp1(user) || lp2(address) || lp1(server_public_key)
///     || lp2(ticket; empty: none) || secret (64) || lent_at (8) || lifetime (8) || SHA-256 of all before
inline constexpr std::size_t kMaxRememberedHostSize = 4096;
[[nodiscard]] SecretBuffer encode(const RememberedHost& host);
/// Nothing for any other bytes.
[[nodiscard]] std::optional<RememberedHost> decode_remembered_host(Bytes bytes);

/// A place in the memory for one host, taken before it is known what is to be kept there. It is given back unless used.
class PreparedHost {
 public:
  PreparedHost(PreparedHost&&) noexcept;
  PreparedHost& operator=(PreparedHost&&) noexcept;
  ~PreparedHost();

  /// Replaces what was known of it; on disk when this returns. Once.
  [[nodiscard]] Remembered<void> keep(const RememberedHost& host);

 private:
  friend class HostMemory;
  class File;
  explicit PreparedHost(std::unique_ptr<File> file) noexcept;
  std::unique_ptr<File> file_;
};

/// The directory. Any number of processes may use it at once: a file is replaced as a whole, and the last one wins.
class HostMemory {
 public:
  /// @param directory  made, with mode 0700, when something is to be remembered
  explicit HostMemory(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Nothing if this host is not known.
  [[nodiscard]] Remembered<std::optional<RememberedHost>> find(const HostId& id) const;
  /// Replaces what was known of it; on disk when this returns.
  [[nodiscard]] Remembered<void> keep(const RememberedHost& host) const;
  /// Fails if `keep` would, for want of a directory, of room or of a descriptor.
  [[nodiscard]] Remembered<PreparedHost> prepare(const HostId& id) const;
  /// Whether it was known. What cannot be read is forgotten too.
  [[nodiscard]] Remembered<bool> forget(const HostId& id) const;

  struct Listed {
    std::vector<RememberedHost> hosts = {};    // by user and address
    std::vector<MemoryFailure> failures = {};  // files that cannot be used
  };
  [[nodiscard]] Remembered<Listed> list() const;

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
  [[nodiscard]] std::filesystem::path path_of(const HostId& id) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace pake::client
