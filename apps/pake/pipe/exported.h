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
/// The hint when this end has printed the key, and the other end may not have.
inline constexpr const char* kOneSided = "the other side may not have printed the key: do not use this one";

/// In base64, alone on a line of stdout.
[[nodiscard]] Expected<void> print_key(const ExportedKey& key);

/// Closes the channel, and prints the key if the close was authenticated.
[[nodiscard]] net::Awaitable<Expected<void>> print_exported(std::shared_ptr<net::ChannelLink> link, std::string label);

/// Prints the key that the other end prints for the same label, and closes the channel.
/// @return a problem unless both have printed it
[[nodiscard]] net::Awaitable<Expected<void>> print_exported_at_both_ends(std::shared_ptr<net::ChannelLink> link,
                                                                         std::string label);

/// --export LABEL.
[[nodiscard]] Setting export_setting(std::optional<std::string>& label);

}  // namespace pake::cli::pipe
