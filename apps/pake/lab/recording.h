// A recorded run, read from a trace (docs/traces.md): one of the protocol of 1992, or the hello of today's channel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pake/base/bytes.h"
#include "pake/channel/messages.h"
#include "process/problem.h"
#include "trace/frame.h"

namespace pake::cli::lab {

/// docs/rsa-eke.md. A message that was not recorded is empty.
struct SeedRun {
  struct Said {
    bool by_connector = false;
    Buffer text;
    friend bool operator==(const Said&, const Said&) = default;
  };

  Buffer user;              // message 1
  Buffer encrypted_key;     // message 3: the cipher blocks of E_pw(PK), at least one
  Buffer encrypted_secret;  // message 4: those of E_pw(Base64(...))
  Buffer E_NC;              // message 5: one block
  Buffer E_NC_NS;           // message 6: two
  Buffer E_NS;              // message 7: one
  std::vector<Said> chat;
};

/// What today's protocols show of a password or code.
struct ChannelRun {
  channel::HandshakeKind kind{};
  channel::Suite suite{};
  Buffer hello;        // the body of the ClientHello
  bool is_answered{};  // a ServerHello follows
};

using Recording = std::variant<SeedRun, ChannelRun>;

/// Of `frames`, all of one connection and in their order: the run, or a sentence that says what is missing.
[[nodiscard]] std::expected<Recording, std::string> recording_of(const std::vector<trace::Frame>& frames);

/// Reads a trace of at most 128 MiB.
/// @param connection  which, where it holds several; none: the first of which something can be made
[[nodiscard]] Expected<Recording> read_recording(const std::string& path, std::optional<std::uint64_t> connection);

}  // namespace pake::cli::lab
