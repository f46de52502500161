// A peer that has the keys and keeps no rule: the frames inside its records are the input, and so is what the
// application behind the channel does.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>

#include "pake/base/writer.h"
#include "pake/channel/channel.h"
#include "pake/channel/record.h"
#include "require.h"
#include "streams.h"

using namespace pake;
using namespace pake::channel;

namespace {

constexpr auto kAead = AeadId::aes_256_gcm;
constexpr std::size_t kMostBuffered = kMaxStreams * kInitialStreamWindow + kSharedWindow;

TrafficKey key_of(Role role) {
  return TrafficKey::make([role](MutableBytes out) { out[0] = role == Role::client ? 1 : 2; });
}

ChannelKeys some_keys() {
  ChannelKeys keys;
  keys.aead = kAead;
  keys.client = key_of(Role::client);
  keys.server = key_of(Role::server);
  return keys;
}

class Run {
 public:
  Run(FuzzedDataProvider& input, Role role)
      : input_(input),
        channel_(some_keys(), role, cache_, {}),
        sealer_(cache_, kAead, key_of(role == Role::client ? Role::server : Role::client)),
        opener_(cache_, kAead, key_of(role)) {}

  void step() {
    switch (input_.ConsumeIntegralInRange<int>(0, 9)) {
      case 0:
        return receive(arbitrary_plaintext(), FrameType::data);
      case 1:
      case 2:
      case 3:
        return receive(likely_plaintext(), FrameType::data);
      case 4:
        return act();
      case 5:
        return produce();
      case 6:
        now_ += std::chrono::seconds(input_.ConsumeIntegralInRange(0, 20));
        return channel_.tick(now_);
      case 7:
        if (input_.ConsumeBool()) receive({input_.ConsumeIntegral<std::uint8_t>()}, FrameType::close);
        return;
      default:
        return act();
    }
  }

 private:
  StreamId some_stream() { return input_.ConsumeIntegralInRange<StreamId>(0, 7); }

  Buffer arbitrary_plaintext() {
    return input_.ConsumeBytes<std::uint8_t>(input_.ConsumeIntegralInRange<std::size_t>(1, 300));
  }

  /// Frames whose lengths are those that they say.
  Buffer likely_plaintext() {
    Writer plaintext;
    for (auto frames = input_.ConsumeIntegralInRange<int>(1, 4); frames > 0; --frames) {
      const auto type = input_.ConsumeIntegralInRange<std::uint32_t>(1, 8);
      Buffer payload = input_.ConsumeBool()
                           ? input_.ConsumeBytes<std::uint8_t>(input_.ConsumeIntegralInRange<std::size_t>(0, 12))
                           : Buffer(input_.ConsumeIntegralInRange<std::size_t>(0, 7'000), 'x');
      plaintext.u32((type << 24U) | static_cast<std::uint32_t>(payload.size())).u32(some_stream()).put(payload);
    }
    return plaintext.take();
  }

  void receive(const Buffer& plaintext, FrameType type) {
    Buffer record(plaintext.size() + kRecordOverhead);
    std::ranges::copy(plaintext, record.begin() + FrameHeader::kSize);
    if (!sealer_.seal(type, record)) return;  // after its Close
    const bool had_failed = channel_.end() && *channel_.end() != EndReason::closed;
    const auto taken = channel_.receive(record, now_);
    fuzz::require(!had_failed || !taken);
    fuzz::require(taken.has_value() || channel_.end().has_value());
    if (!taken) {
      fuzz::require(!channel_.next_event() && channel_.buffered() == 0);
    }
    drain_events();
    std::ranges::fill(record, 0xee);  // no view of it may be in use
  }

  void drain_events() {
    while (const auto event = channel_.next_event()) {
      if (const auto* opened = std::get_if<Opened>(&*event)) fuzz::require(opened->service.size() <= 255);
      if (const auto* readable = std::get_if<Readable>(&*event)) act_on(readable->stream);
    }
    fuzz::require(channel_.buffered() <= kMostBuffered);
  }

  void act() { act_on(some_stream()); }

  void act_on(StreamId stream) {
    switch (input_.ConsumeIntegralInRange<int>(0, 8)) {
      case 0:
        static_cast<void>(channel_.open(as_bytes("service")));
        return;
      case 1:
      case 2:
        static_cast<void>(
            channel_.write(stream, Bytes(kText).first(input_.ConsumeIntegralInRange<std::size_t>(0, kText.size()))));
        return;
      case 3:
        static_cast<void>(channel_.finish(stream));
        return;
      case 4:
        return channel_.reset(stream, ResetCode::backend_failed);
      case 5:
        return channel_.release(stream);
      case 6:
        if (input_.ConsumeProbability<float>() < 0.1F) channel_.close(CloseCode::done);
        return;
      case 7:
        static_cast<void>(channel_.withdraw(stream));
        return;
      default:
        return channel_.consume(stream, input_.ConsumeIntegral<std::uint16_t>());
    }
  }

  /// Whatever was done to the channel, what it says is in order.
  void produce() {
    Buffer out(input_.ConsumeIntegralInRange<std::size_t>(Channel::kMinOutput, 40'000));
    const bool wanted = channel_.wants_to_send();
    MutableBytes rest(out);
    rest = rest.first(channel_.produce(rest, now_));
    fuzz::require(wanted == !rest.empty());
    while (!rest.empty()) {
      const auto frame = leading_frame(rest, kAwaitedRecords);
      fuzz::require(frame && *frame);
      const auto size = (*frame)->whole.size();
      const auto record = opener_.open(rest.first(size));
      fuzz::require(record.has_value());
      for (Bytes frames = record->plaintext; record->type == FrameType::data && !frames.empty();)
        fuzz::require(take_stream_frame(frames).has_value());
      rest = rest.subspan(size);
    }
    drain_events();
  }

  static constexpr std::array<std::uint8_t, 40'000> kText{};

  FuzzedDataProvider& input_;
  KeyCache cache_{4};
  Channel channel_;
  RecordSealer sealer_;
  RecordOpener opener_;
  Instant now_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  Run run(input, input.ConsumeBool() ? Role::client : Role::server);
  while (input.remaining_bytes() != 0) run.step();
  return 0;
}
