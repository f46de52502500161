// A key of the channel that both ends know and nobody else, for another program: --export LABEL.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "options/setting.h"
#include "pake/base/secret.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "process/problem.h"

namespace pake::cli::pipe {

using ExportedKey = Secret<32, struct ExportedKeyTag>;

/// What both ends of the channel derive under `label`. The labels have a prefix that none of this program's own has.
[[nodiscard]] Expected<ExportedKey> exported_key(const net::ChannelLink& link, std::string_view label);
/// In base64, alone on a line of stdout.
[[nodiscard]] Expected<void> print_key(const ExportedKey& key);

/// Prints the key that the other end prints for the same label, and closes the channel.
/// @return a problem unless the key was written and the close was authenticated
[[nodiscard]] net::Awaitable<Expected<void>> print_exported(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                                            std::string_view label);

/// --export LABEL.
[[nodiscard]] Setting export_setting(std::optional<std::string>& label);

}  // namespace pake::cli::pipe
