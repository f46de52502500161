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
  if (output.failure() == 0) return {};
  return std::unexpected(Problem{.error = fmt::format("cannot write to stdout: {}", explain_errno(output.failure()))});
}

net::Awaitable<Expected<void>> print_exported(net::Loop&, std::shared_ptr<net::ChannelLink> link,
                                              std::string_view label) {
  PAKE_CO_TRY(const auto key, exported_key(*link, label));
  link->close(channel::CloseCode::done);
  const auto end = co_await link->run();
  // The other end has proved itself by its close: only then is the key one that it has too.
  if (end.end != channel::EndReason::closed) co_return std::unexpected(channel_ended(end));
  co_return print_key(key);
}

}  // namespace pake::cli::pipe
