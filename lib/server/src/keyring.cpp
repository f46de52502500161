#include "pake/server/keyring.h"

#include <cstdlib>
#include <vector>

#include "pake/base/writer.h"

namespace pake::server {

store::StoreResult<std::shared_ptr<const Keyring>> Keyring::make(store::KeyFile file) {
  std::shared_ptr<Keyring> ring(new Keyring(std::move(file)));
  for (const auto& epoch : ring->file_.epochs()) {
    auto stored = opaque::StoredKeys::decode(epoch.secrets.reveal());
    const auto& parameters = epoch.parameters;
    if (!stored || stored->epoch != parameters.epoch ||
        static_cast<std::uint8_t>(stored->keys.suite()) != parameters.suite)
      return store::fail(store::StoreErrc::key_file_damaged, "the key file's keys are not those of their suite",
                         "restore the key file from a backup");
    const opaque::StoredRecord fake{
        .suite = stored->keys.suite(), .ksf = stored->ksf, .epoch = stored->epoch, .record = std::move(stored->fake)};
    ring->members_.emplace(
        std::pair(parameters.epoch, parameters.suite),
        Member{.keys = std::make_shared<const opaque::ServerKeys>(std::move(stored->keys)), .fake = fake.encode()});
  }
  return ring;
}

const Keyring::Member* Keyring::find(std::uint32_t epoch, std::uint8_t suite) const {
  const auto found = members_.find({epoch, suite});
  return found == members_.end() ? nullptr : &found->second;
}

// Today's key seals. Tomorrow's is known as well: another node's clock may be ahead.
std::shared_ptr<const channel::TicketKeys> Keyring::ticket_keys(store::Time now) const {
  const auto today = store::KeyFile::day_of(now);
  const std::scoped_lock lock(mutex_);
  if (ticket_keys_ && day_ == today) return ticket_keys_;
  std::vector<channel::TicketKey> keys;
  const auto add = [&](std::uint32_t day) {
    channel::TicketKey key{.id = {}, .key = file_.ticket_key(day)};
    const auto id = Writer(key.id.size()).u32(day).take();
    std::copy(id.begin(), id.end(), key.id.begin());
    keys.push_back(std::move(key));
  };
  for (std::uint32_t age = 0; age <= kTicketKeyLife.count(); ++age) add(today - age);
  add(today + 1);
  day_ = today;
  ticket_keys_ = std::make_shared<const channel::TicketKeys>(std::move(keys));
  return ticket_keys_;
}

store::EpochKeys make_epoch_keys(channel::Suite suite, crypto::KsfProfile ksf, std::uint32_t epoch, store::Time now,
                                 Rng& rng) {
  const auto id = static_cast<opaque::SuiteId>(suite);
  auto keys = opaque::StoredKeys::generate(id, ksf, epoch, rng);
  if (!keys) std::abort();  // the suites of the channel are among those of OPAQUE
  return {.parameters = {.epoch = epoch,
                         .suite = static_cast<std::uint8_t>(suite),
                         .ksf_profile = static_cast<std::uint8_t>(ksf)},
          .created_at = now,
          .public_key = to_buffer(keys->keys.public_key()),
          .secrets = keys->encode()};
}

}  // namespace pake::server
