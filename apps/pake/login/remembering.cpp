#include "login/remembering.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <utility>

#include "pake/internal/try.h"
#include "pake/net/address.h"
#include "process/output.h"

namespace pake::cli::login {
namespace {

std::string_view environment(const char* name) {
  const char* const value = ::secure_getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return value == nullptr ? std::string_view() : std::string_view(value);
}

Problem server_has_changed(const client::HostId& id) {
  return {
      .exit_code = kExitAuthFailed,
      .error = fmt::format("{} is not the server that is remembered for {}: its key has changed, and nothing was sent",
                           id.address, id.user),
      .hint = fmt::format("if its operator says that it was made anew, pake hosts forget {}; if not, somebody who "
                          "knows this password plays the server: use it nowhere any more",
                          to_string(id))};
}

}  // namespace

std::optional<std::filesystem::path> state_directory() {
  if (const auto state = environment("XDG_STATE_HOME"); state.starts_with('/'))
    return std::filesystem::path(state) / "pake";
  const auto home = environment("HOME");
  if (!home.starts_with('/')) return std::nullopt;
  return std::filesystem::path(home) / ".local" / "state" / "pake";
}

std::optional<client::HostMemory> host_memory() {
  const auto directory = state_directory();
  if (!directory) return std::nullopt;
  return client::HostMemory(*directory / "hosts");
}

client::HostId host_id(const Destination& destination) {
  return {.user = destination.name, .address = net::to_string(destination.address)};
}

std::string to_string(const client::HostId& id) { return id.user + '@' + id.address; }

Problem cannot_remember(const client::MemoryFailure& failure) {
  using enum client::MemoryFailure::What;
  const auto path = failure.path.string();
  switch (failure.what) {
    case unreadable:
      return {.exit_code = kExitStore,
              .error = fmt::format("cannot read what is remembered in {}: {}", path, explain_errno(failure.error)),
              .hint = "make it readable for yourself, or delete it: the server is then met as for the first time"};
    case unwritable:
      return {.exit_code = kExitStore,
              .error = fmt::format("cannot remember the server in {}: {}", path, explain_errno(failure.error)),
              .hint = "without --remember nothing is kept"};
    case exposed:
      return {.exit_code = kExitStore,
              .error = fmt::format("others on this machine may read or write {}, which lets in whoever has it", path),
              .hint = fmt::format("if nobody has, chmod 600 {0}; otherwise delete it, and change the password", path)};
    case corrupt:
      break;
  }
  return {.exit_code = kExitStore,
          .error = fmt::format("what is remembered in {} is damaged", path),
          .hint = fmt::format("pake hosts forget NAME@HOST, or delete {}: the server is then met as for the first time",
                              path)};
}

Expected<Remembering> Remembering::open(const Destination& destination, bool may_write) {
  auto memory = host_memory();
  if (!memory && may_write)
    return std::unexpected(Problem{.exit_code = kExitStore,
                                   .error = "there is no place to remember the server in",
                                   .hint = "set HOME or XDG_STATE_HOME, or leave --remember out"});
  Remembering remembering(host_id(destination), std::move(memory), may_write);
  if (remembering.memory_) {
    auto found = remembering.memory_->find(remembering.id_);
    if (!found) return std::unexpected(cannot_remember(found.error()));
    remembering.host_ = std::move(*found);
  }
  return remembering;
}

std::optional<client::RememberedTicket> Remembering::take_ticket() {
  if (!may_write_ || !host_) return std::nullopt;
  return std::exchange(host_->ticket, std::nullopt);
}

Expected<void> Remembering::prepare() {
  if (place_ || (!host_ && !may_write_)) return {};
  auto place = memory_->prepare(id_);
  if (!place) return std::unexpected(cannot_remember(place.error()));
  place_ = std::move(*place);
  return {};
}

Expected<void> Remembering::keep(client::RememberedHost host) {
  auto place = std::exchange(place_, std::nullopt);
  if (auto kept = place ? place->keep(host) : memory_->keep(host); !kept)
    return std::unexpected(cannot_remember(kept.error()));
  host_ = std::move(host);
  return {};
}

Expected<void> Remembering::check_server(const Buffer& public_key) {
  if (host_ && host_->server_public_key == public_key) return {};
  if (host_) return std::unexpected(server_has_changed(id_));
  if (!may_write_) return {};
  PAKE_TRYV(keep({.id = id_, .server_public_key = public_key}));
  say_note(
      fmt::format("the key of {} is remembered for {}; another server is refused from now on", id_.address, id_.user));
  return {};
}

Expected<void> Remembering::replace_server(const Buffer& public_key) {
  if (!host_ && !may_write_) return {};
  return keep({.id = id_, .server_public_key = public_key});
}

Expected<void> Remembering::keep_ticket(const client::RememberedTicket& ticket) {
  if (!may_write_ || !host_) return {};
  return keep({.id = id_,
               .server_public_key = host_->server_public_key,
               .ticket = client::RememberedTicket{
                   .stored = {.ticket = ticket.stored.ticket,
                              .secret = channel::ResumptionSecret::copy_of(ticket.stored.secret.reveal())},
                   .lent_at = ticket.lent_at,
                   .lifetime = ticket.lifetime}});
}

}  // namespace pake::cli::login
