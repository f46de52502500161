// The options of `pake listen` and `pake dial`.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "meeting/via.h"
#include "network/local_port.h"
#include "pake/net/address.h"
#include "pake/net/awaitable.h"
#include "pake/net/channel_link.h"
#include "pake/net/loops.h"
#include "pipe/address_words.h"
#include "process/problem.h"
#include "secrets/secret_source.h"

namespace pake::cli::pipe {

/// What runs over the channel in place of the pipe.
using Use = std::function<net::Awaitable<Expected<void>>(net::Loop&, std::shared_ptr<net::ChannelLink>)>;

/// The commands of both sides, as words on the screen have them.
struct Spellings {
  BothSides commands = {.here = "pake listen", .there = "pake dial"};
  std::string via = "pake dial";      // the other side's, in front of --via
  std::string start = "pake listen";  // shows another code
};

struct CommonOptions {
  net::Address address;
  std::optional<std::string> trace;              // a file for what passes
  std::optional<std::string> export_label = {};  // print a key of the channel instead
  meeting::ViaOptions via = {};
  Use use = {};  // none: the pipe
  Spellings spellings = {};
};

/// What --tries allows. A code is one of 94 million, and each try is a guess of an attacker's.
inline constexpr std::size_t kMostTries = 5;

struct ListenOptions : CommonOptions {
  bool is_plain = false;  // no ADDRESS was typed
  std::size_t tries = 1;
  bool qr = false;
  std::optional<net::Address> service = {};  // the other side reaches it, and passes no pipe
};

struct DialOptions : CommonOptions {
  SecretOptions secret{.kind = SecretKind::code};
  std::chrono::seconds deadline{10};
  std::vector<LocalPort> locals = {};  // ports that lead to the other side's service; then there is no pipe
  bool any_user = false;
};

}  // namespace pake::cli::pipe
