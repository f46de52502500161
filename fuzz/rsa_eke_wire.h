// A peer of an RSA-EKE machine as libFuzzer writes it: pieces of bytes and pauses, raw or encrypted under the password
// or under Ks, so that what lies behind the cipher is reached too.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <string_view>

#include "pake/proto/eke/rsa_eke.h"
#include "pake/testing/fixed_rng.h"
#include "require.h"
#include "rsa_vectors.h"
#include "src/eke/cipher.h"

namespace pake::fuzz {

inline constexpr std::string_view kPassword = "12345678";

/// What the machine told of its secrets.
class Told final : public eke::Observer {
 public:
  void learnt(eke::Value value, std::string_view text) override {
    if (value == eke::Value::Ks) Ks = text;
    if (value == eke::Value::NC) NC = text;
  }
  std::string Ks, NC;
};

/// Drives the machine to its end or to the end of the input, and checks what machine.h promises.
/// @param craft  craft(last): the right message for this moment, after the machine has sent `last`
template <class Craft>
void talk(eke::RsaMachine& machine, FuzzedDataProvider& input, eke::CipherMode mode, const Told& told,
          const Craft& craft) {
  Buffer pending, last;
  for (;;) {
    const auto want = machine.want();
    require(machine.failure().has_value() <= (want == Want::failed) &&
            machine.error().has_value() == (want == Want::failed));
    if (want == Want::done) return require(machine.take_session_key()->size() == 10 && !machine.take_session_key());
    if (want == Want::failed) return require(!machine.take_session_key());
    if (want == Want::send) {
      last = machine.take_message().value();
      require(!last.empty());
      continue;
    }
    if (input.remaining_bytes() == 0) return;
    auto arrived = Arrived::more_may_come;
    const auto text = [&] { return input.ConsumeRandomLengthString(1100); };
    Buffer piece;
    switch (input.ConsumeIntegralInRange(0, 4)) {
      case 0:
        piece = to_buffer(as_bytes(text()));
        break;
      case 1:
        piece = eke::encrypt(mode, as_bytes(kPassword), as_bytes(text()));
        break;
      case 2:
        piece = eke::encrypt(mode, as_bytes(told.Ks), as_bytes(text()));
        break;
      case 3:
        piece = craft(last);
        break;
      default:
        arrived = Arrived::silence;
    }
    pending.insert(pending.end(), piece.begin(), piece.end());
    if (arrived == Arrived::silence && !machine.incoming().silence_ends) continue;
    const auto used = machine.receive(pending, arrived);
    require(used.has_value() == (machine.want() != Want::failed));
    if (!used) continue;
    require(*used <= std::min(pending.size(), 1100UL));
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(*used));
  }
}

}  // namespace pake::fuzz
