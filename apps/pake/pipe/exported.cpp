#include "pipe/exported.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "network/problems.h"
#include "pake/crypto/base64.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "process/output.h"

namespace pake::cli::pipe {

Setting export_setting(std::optional<std::string>& label) {
  return {.flag = "--export",
          .value = cli::label(label),
          .help = "Pass no data: print a key of 32 bytes, in base64, that both ends derive under this label, and end"};
}

Expected<ExportedKey> exported_key(const net::ChannelLink& link, std::string_view label) {
  bool is_exported = false;
  auto key = ExportedKey::make([&](std::span<std::uint8_t, ExportedKey::kSize> out) {
    is_exported = link.export_keying_material(label, {}, out).has_value();
  });
  if (!is_exported) return std::unexpected(Problem{.error = "cannot export a key under this label"});
  return key;
}

Expected<void> print_key(const ExportedKey& key) {
  const auto text = crypto::base64_encode(key.reveal());
  Output output(STDOUT_FILENO);
  output.line(as_text(text));
  return output.outcome();
}

net::Awaitable<Expected<void>> print_exported(std::shared_ptr<net::ChannelLink> link, std::string label) {
  PAKE_CO_TRY(const auto key, exported_key(*link, label));
  link->close(channel::CloseCode::done);
  const auto end = co_await link->run();
  if (end.end != channel::EndReason::closed) co_return std::unexpected(channel_ended(end));
  co_return print_key(key);
}

// A Close says that the key has been printed.
net::Awaitable<Expected<void>> print_exported_at_both_ends(std::shared_ptr<net::ChannelLink> link, std::string label) {
  PAKE_CO_TRY(const auto key, exported_key(*link, label));
  const auto printed = print_key(key);
  if (printed)
    link->close(channel::CloseCode::done);
  else
    link->delivery_failed();
  const auto end = co_await link->run();
  if (!printed) co_return printed;
  if (end.end == channel::EndReason::closed) co_return Expected<void>();
  auto problem = channel_ended(end);
  problem.hint = kOneSided;
  co_return std::unexpected(std::move(problem));
}

}  // namespace pake::cli::pipe
