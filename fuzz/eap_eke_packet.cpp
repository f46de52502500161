// Any bytes are an EAP-EKE packet in exactly one way, or none; and so are the data of an ID exchange, a Failure and
// channel binding values.
#include <algorithm>

#include "pake/proto/eap_eke/packets.h"
#include "require.h"

using namespace pake;
using namespace pake::eap_eke;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const auto announced = packet_size(input);
  if (const auto packet = decode_packet(input)) {
    fuzz::require(announced && *announced == size);
    fuzz::require(
        std::ranges::equal(encode_packet(packet->code, packet->identifier, packet->exchange, packet->data), input));
  }
  if (const auto failure = decode_failure(input)) fuzz::require(std::ranges::equal(encode_failure(*failure), input));
  if (const auto message = decode_id(input)) {
    fuzz::require(message->proposals.size() <= message->number_of_proposals);
    fuzz::require(message->identity.value.size() <= kMaxIdentitySize);
    if (message->proposals.size() == message->number_of_proposals && data[1] == 0)
      fuzz::require(std::ranges::equal(encode_id(message->proposals, message->identity), input));
  }
  // Values behind values are values.
  if (check_channel_binding(input)) {
    Buffer twice(input.begin(), input.end());
    twice.insert(twice.end(), input.begin(), input.end());
    fuzz::require(check_channel_binding(twice).has_value());
  }
  return 0;
}
