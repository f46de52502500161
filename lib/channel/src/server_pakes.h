// Private to the room: what differs between the kinds, at the server.
#pragma once

#include <memory>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/base/rng.h"
#include "pake/channel/messages.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/hash.h"
#include "pake/proto/opaque/server.h"
#include "transcript.h"

namespace pake::channel {

/// The ServerHello is made; the third PAKE message decides.
class AwaitingFinish {
 public:
  AwaitingFinish() = default;
  AwaitingFinish(const AwaitingFinish&) = delete;
  AwaitingFinish& operator=(const AwaitingFinish&) = delete;
  virtual ~AwaitingFinish() = default;

  /// @return the PAKE key; Errc::auth_failed if `message` (of sizes_of(suite).finish bytes) proves nothing
  [[nodiscard]] virtual Result<SessionKey> finish(Bytes message) = 0;
};

struct Answered {
  Buffer message;  // the second PAKE message
  std::unique_ptr<AwaitingFinish> next;
};

// `hello` is the decoded ClientHello, `up_to_pake` holds both hellos as far as the second PAKE message. All spend the
// permit when they succeed.

/// Answered, or the holder of the keys is to be asked.
[[nodiscard]] Result<std::variant<Answered, opaque::AwaitingKeyOperation>> answer_login(const ClientHello& hello,
                                                                                        LoginAnswer answer,
                                                                                        const Transcript& up_to_pake,
                                                                                        Rng& rng);
[[nodiscard]] Result<Answered> finish_login(opaque::AwaitingKeyOperation login,
                                            const opaque::KeyOperationAnswer& answer);

[[nodiscard]] Result<Answered> answer_code(const ClientHello& hello, const crypto::Digest& H0, CodeAnswer answer,
                                           const Transcript& up_to_pake, Rng& rng);

[[nodiscard]] Result<Answered> answer_ticket(const ClientHello& hello, const ResumptionSecret& ticket_secret,
                                             const Transcript& up_to_pake, Rng& rng);

}  // namespace pake::channel
