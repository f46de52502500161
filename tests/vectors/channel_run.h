// A whole handshake of the channel with every byte of randomness given: docs/wire.md.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/channel/client_handshake.h"
#include "pake/channel/server_handshake.h"

namespace pake::vectors {

/// What both sides are given. What another kind needs is empty.
struct ChannelInputs {
  channel::HandshakeKind kind{};
  Buffer server_name = {}, name = {};
  Buffer client_aeads = {}, server_aeads = {};
  Buffer suites = {};             // the client's, the first one first
  std::uint8_t server_suite = 0;  // what the server wants

  Buffer secret = {};  // password or code
  std::uint8_t ksf = 0;
  Buffer oprf_seed = {}, server_private_key = {}, record = {};  // of server_suite

  // Resume; login from a device that shows its ticket.
  Buffer ticket = {}, ticket_secret = {}, ticket_key_id = {}, ticket_key = {};
  std::uint64_t device_time = 0;

  // In the order in which they are drawn; scalars are such that the first draw is taken.
  Buffer client_randomness = {}, server_randomness = {};
};

/// What was on the wire, and what both sides have in the end.
struct ChannelRun {
  std::vector<Buffer> frames;
  channel::ChannelKeys client_keys, server_keys;
  channel::ClientOutcome client;
  channel::ServerOutcome server;
  std::optional<channel::ShownDevice> device;
};

/// The error of the first step that fails; Errc::misuse if other randomness was drawn than there is.
[[nodiscard]] Result<ChannelRun> run_channel(const ChannelInputs& inputs);

}  // namespace pake::vectors
