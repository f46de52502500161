// The handshake's frames: whatever decodes is encoded to the same bytes.
#include <algorithm>

#include "pake/channel/messages.h"
#include "require.h"

using namespace pake;
using namespace pake::channel;

namespace {

constexpr AwaitedFrame kAwaited[] = {
    {.type = FrameType::client_hello, .min_body = 0, .max_body = kMaxHelloSize},
    {.type = FrameType::retry, .min_body = Retry::kSize, .max_body = Retry::kSize},
    {.type = FrameType::server_hello, .min_body = 0, .max_body = kMaxHelloSize},
    {.type = FrameType::alert, .min_body = Alert::kSize, .max_body = Alert::kSize},
};

void require_equal(Bytes whole, Buffer encoded, Bytes pake = {}) {
  encoded.insert(encoded.end(), pake.begin(), pake.end());
  fuzz::require(std::ranges::equal(whole, encoded));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto found = leading_frame({data, size}, kAwaited);
  if (!found || !*found) return 0;
  const auto& [type, body, whole] = **found;
  if (type == FrameType::client_hello) {
    if (const auto hello = ClientHello::decode(body)) {
      fuzz::require(find_suite(hello->kind, hello->suites[0]).has_value());
      require_equal(whole, hello->encode_up_to_pake(hello->pake.size()), hello->pake);
    }
  } else if (type == FrameType::server_hello) {
    if (const auto hello = ServerHello::decode(body))
      require_equal(whole, hello->encode_up_to_pake(hello->pake.size()), hello->pake);
  } else if (type == FrameType::retry) {
    if (const auto retry = Retry::decode(body)) require_equal(whole, retry->encode());
  } else {
    if (const auto alert = Alert::decode(body)) require_equal(whole, alert->encode());
  }
  return 0;
}
