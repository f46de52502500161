// Any bytes are a message of OPAQUE in exactly one way, or none. The first two bytes pick suite and message, and
// whether what follows is brought to the right length.
#include "pake/proto/opaque/messages.h"
#include "pake/proto/opaque/server_keys.h"

#include <algorithm>
#include <iterator>

#include "require.h"

using namespace pake;
using namespace pake::opaque;

namespace {

template <class Message>
void check(SuiteId suite, Bytes input, std::size_t size) {
  const auto message = Message::decode(suite, input);
  if (!message) return fuzz::require(message.error() == Errc::malformed);
  fuzz::require(input.size() == size);
  fuzz::require(std::ranges::equal(message->encode(suite), input));
}

// How a server asks the holder of its keys, and what it hears: not messages of the RFC, but bytes from elsewhere too.
void check_key_operation(SuiteId suite, Bytes input) {
  const auto operation = KeyOperation::decode(input);
  fuzz::require(operation ? std::ranges::equal(operation->encode(), input) : operation.error() == Errc::malformed);
  const auto answer = KeyOperationAnswer::decode(suite, input);
  fuzz::require(answer ? std::ranges::equal(answer->encode(suite).reveal(), input) : answer.error() == Errc::malformed);
}

struct Format {
  void (*check)(SuiteId suite, Bytes input, std::size_t size);
  std::size_t size;
};

Format format(const Sizes& of, std::uint8_t choice) {
  const Format formats[] = {{check<RegistrationRequest>, of.registration_request()},
                            {check<RegistrationResponse>, of.registration_response()},
                            {check<RegistrationRecord>, of.registration_record()},
                            {check<KE1>, of.KE1()},
                            {check<CredentialResponse>, of.credential_response()},
                            {check<KE2>, of.KE2()},
                            {check<KE3>, of.KE3()}};
  return formats[choice % std::size(formats)];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto suite = *decode_suite_id(static_cast<std::uint8_t>(1 + data[0] % 5));
  const auto chosen = format(sizes(suite), data[1] & 0x7fU);
  Buffer input(data + 2, data + size);
  if ((data[1] & 0x80U) != 0) input.resize(chosen.size);
  chosen.check(suite, input, chosen.size);
  check_key_operation(suite, input);
  return 0;
}
