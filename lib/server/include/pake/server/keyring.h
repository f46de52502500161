// The long-term keys of a key file as the protocols use them. A keyring never changes: a reload makes another.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "pake/base/rng.h"
#include "pake/channel/suite.h"
#include "pake/channel/ticket.h"
#include "pake/crypto/ksf.h"
#include "pake/proto/opaque/server_keys.h"
#include "pake/proto/opaque/stored.h"
#include "pake/store/error.h"
#include "pake/store/key_file.h"
#include "pake/store/rows.h"

namespace pake::server {

/// Tickets older than this are opened for nothing any more, not even to know a device.
inline constexpr std::chrono::days kTicketKeyLife{90};

class Keyring {
 public:
  /// key_file_damaged if an epoch's keys are not those of its suite.
  [[nodiscard]] static store::StoreResult<std::shared_ptr<const Keyring>> make(store::KeyFile file);

  /// The keys of one epoch and suite.
  struct Member {
    std::shared_ptr<const opaque::ServerKeys> keys;
    Buffer fake;  // an encoded opaque::StoredRecord
  };

  [[nodiscard]] const store::KeyFile& file() const noexcept { return file_; }
  /// Null if the file has no such epoch and suite.
  [[nodiscard]] const Member* find(std::uint32_t epoch, std::uint8_t suite) const;
  /// The keys by which tickets are sealed on the day of `now`, and opened for kTicketKeyLife. Any thread.
  [[nodiscard]] std::shared_ptr<const channel::TicketKeys> ticket_keys(store::Time now) const;

 private:
  explicit Keyring(store::KeyFile file) : file_(std::move(file)) {}

  store::KeyFile file_;
  std::map<std::pair<std::uint32_t, std::uint8_t>, Member> members_;
  mutable std::mutex mutex_;
  mutable std::uint32_t day_ = 0;
  mutable std::shared_ptr<const channel::TicketKeys> ticket_keys_;
};

/// Fresh keys of an epoch in a suite, for a key file.
[[nodiscard]] store::EpochKeys make_epoch_keys(channel::Suite suite, crypto::KsfProfile ksf, std::uint32_t epoch,
                                               store::Time now, Rng& rng);

}  // namespace pake::server
