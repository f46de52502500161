// Two channels joined in memory, and one channel against a peer that seals whatever a test wants.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pake/base/writer.h"
#include "pake/channel/channel.h"
#include "pake/channel/frame.h"
#include "pake/channel/record.h"
#include "stream_frame.h"

namespace pake::channel::testing {

inline TrafficKey traffic_key(std::uint8_t byte) {
  return TrafficKey::make([byte](MutableBytes out) { std::ranges::fill(out, byte); });
}

inline ChannelKeys some_keys(AeadId aead = AeadId::aes_256_gcm) {
  return {.aead = aead,
          .client = traffic_key(1),
          .server = traffic_key(2),
          .exporter_secret = ExporterSecret::make([](MutableBytes out) { out[0] = 3; }),
          .resumption_secret = ResumptionSecret::make([](MutableBytes out) { out[0] = 4; })};
}

/// One channel with an application that notes what it is told, and reads everything unless it is told to stall.
struct Side {
  Side(Role role, KeyCache& cache, AeadId aead = AeadId::aes_256_gcm)
      : channel(some_keys(aead), role, cache, Instant{}) {}

  /// Reads what of the stream is there.
  void read(StreamId stream) {
    for (auto bytes = channel.unread(stream); !bytes.empty(); bytes = channel.unread(stream)) {
      text[stream] += as_text(bytes);
      channel.consume(stream, bytes.size());
    }
  }

  void drain_events() {
    while (auto event = channel.next_event()) {
      if (const auto* opened = std::get_if<Opened>(&*event)) {
        note("opened", opened->stream,
             std::string(as_text(opened->service)) + "/" + std::string(as_text(opened->argument)));
      } else if (const auto* readable = std::get_if<Readable>(&*event)) {
        if (!stalls(readable->stream)) read(readable->stream);
      } else if (const auto* finished = std::get_if<Finished>(&*event)) {
        note("finished", finished->stream);
      } else if (const auto* was_reset = std::get_if<WasReset>(&*event)) {
        note("reset", was_reset->stream, std::to_string(std::to_underlying(was_reset->code)));
      } else if (const auto* written = std::get_if<Written>(&*event)) {
        note("written", written->stream);
      } else if (const auto* ticket = std::get_if<TicketArrived>(&*event)) {
        note("ticket", ticket->lifetime, std::string(as_text(ticket->ticket)));
      } else if (const auto* closed = std::get_if<Closed>(&*event)) {
        note("closed", std::to_underlying(closed->code));
        if (answers_close) channel.close(CloseCode::done);
      }
    }
  }

  /// Hands in bytes as a driver would, keeping what is not a whole record yet.
  Status receive(Bytes bytes, Instant now = {}) {
    input.insert(input.end(), bytes.begin(), bytes.end());
    MutableBytes rest(input);
    Status status;
    while (!rest.empty()) {
      const auto taken = channel.receive(rest, now);
      if (!taken) status = fail(taken.error());
      if (!taken || *taken == 0) break;
      drain_events();
      rest = rest.subspan(*taken);
    }
    input.erase(input.begin(), input.end() - static_cast<std::ptrdiff_t>(rest.size()));
    drain_events();
    return status;
  }

  /// All that the channel has to send, in pieces of `room` bytes.
  Buffer produce(std::size_t room = 65'536, Instant now = {}) {
    Buffer all, piece(room);
    while (channel.wants_to_send()) {
      const auto size = channel.produce(piece, now);
      all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(size));
      drain_events();
      if (size == 0) {
        ADD_FAILURE() << "wants to send, and does not";
        break;
      }
    }
    return all;
  }

  /// The events so far that are not Readable, and forgets them.
  std::string events() { return std::exchange(log, {}); }

  void note(std::string_view what, std::uint32_t number, const std::string& more = {}) {
    log +=
        (log.empty() ? "" : ", ") + std::string(what) + " " + std::to_string(number) + (more.empty() ? "" : " " + more);
  }
  [[nodiscard]] bool stalls(StreamId stream) const {
    return stalls_all || std::ranges::find(stalled, stream) != stalled.end();
  }

  Channel channel;
  std::map<StreamId, std::string> text;  // what was read
  std::vector<StreamId> stalled;
  bool stalls_all = false;
  bool answers_close = true;
  Buffer input;
  std::string log;
};

struct Pair {
  explicit Pair(AeadId aead = AeadId::aes_256_gcm)
      : client(Role::client, cache, aead), server(Role::server, cache, aead) {}

  /// Carries everything both ways until nobody has anything to say.
  void run_until_quiet() {
    while (client.channel.wants_to_send() || server.channel.wants_to_send()) {
      EXPECT_TRUE(server.receive(client.produce()));
      EXPECT_TRUE(client.receive(server.produce()));
    }
  }
  StreamId open(std::string_view service = "echo", std::string_view argument = {}) {
    const auto stream = client.channel.open(as_bytes(service), as_bytes(argument));
    EXPECT_TRUE(stream);
    return stream.value_or(0);
  }

  KeyCache cache;
  Side client;
  Side server;
};

/// Frames in the plaintext of a record.
class Plaintext {
 public:
  Plaintext& frame(std::uint8_t type, StreamId stream, Bytes payload) {
    writer_.u32((std::uint32_t{type} << 24U) | static_cast<std::uint32_t>(payload.size())).u32(stream).put(payload);
    return *this;
  }
  Plaintext& frame(StreamFrameType type, StreamId stream, std::string_view payload = {}) {
    return frame(std::to_underlying(type), stream, as_bytes(payload));
  }
  Plaintext& open(StreamId stream) { return frame(StreamFrameType::open, stream, "\4echo"); }
  Plaintext& data(StreamId stream, std::string_view text) { return frame(StreamFrameType::data, stream, text); }
  Plaintext& fin(StreamId stream) { return frame(StreamFrameType::fin, stream); }
  Plaintext& reset(StreamId stream, ResetCode code = ResetCode::cancelled) {
    const auto byte = std::to_underlying(code);
    return frame(std::to_underlying(StreamFrameType::reset), stream, {&byte, 1});
  }
  Plaintext& window(StreamId stream, std::uint32_t increment) {
    return frame(std::to_underlying(StreamFrameType::window), stream, Writer().u32(increment).bytes());
  }
  Plaintext& raw(Bytes bytes) {
    writer_.put(bytes);
    return *this;
  }
  [[nodiscard]] Bytes bytes() const { return writer_.bytes(); }

 private:
  Writer writer_;
};

/// A channel against a peer that has the keys and keeps no rule.
struct Victim {
  explicit Victim(Role role = Role::server)
      : side(role, cache),
        sealer(cache, AeadId::aes_256_gcm, traffic_key(role == Role::server ? 1 : 2)),
        opener(cache, AeadId::aes_256_gcm, traffic_key(role == Role::server ? 2 : 1)) {}

  Buffer seal(Bytes plaintext, FrameType type = FrameType::data) {
    Buffer record(plaintext.size() + kRecordOverhead);
    std::ranges::copy(plaintext, record.begin() + FrameHeader::kSize);
    EXPECT_TRUE(sealer.seal(type, record));
    return record;
  }
  Status feed(const Plaintext& plaintext, Instant now = {}) { return side.receive(seal(plaintext.bytes()), now); }
  Status feed_close(std::uint8_t code) { return side.receive(seal({&code, 1}, FrameType::close)); }

  /// What the victim sends, in words: "OPEN 1 5, DATA 1 20, CLOSE 2" (type, stream, size or value).
  std::string sent(Instant now = {}) {
    auto wire = side.produce(65'536, now);
    std::string words;
    for (MutableBytes rest(wire); !rest.empty();) {
      const auto frame = leading_frame(rest, kAwaitedRecords);
      const auto size = frame.value().value().whole.size();
      const auto record = opener.open(rest.first(size));
      rest = rest.subspan(size);
      if (!record) return words + "(a record that does not open)";
      if (record->type == FrameType::close) {
        add(words, "CLOSE " + std::to_string(record->plaintext[0]));
        continue;
      }
      for (Bytes frames = record->plaintext; !frames.empty();) add(words, describe(take_stream_frame(frames).value()));
    }
    return words;
  }

  static void add(std::string& words, const std::string& more) { words += (words.empty() ? "" : ", ") + more; }
  static std::string describe(const StreamFrame& frame) {
    static constexpr const char* kNames[] = {"?", "OPEN", "DATA", "FIN", "RESET", "WINDOW", "PING", "PONG", "TICKET"};
    std::string words = kNames[std::to_underlying(frame.type)];
    if (frame.stream != 0) words += " " + std::to_string(frame.stream);
    if (frame.type == StreamFrameType::reset) return words + " " + std::to_string(frame.payload[0]);
    if (frame.type == StreamFrameType::window) return words + " " + std::to_string(decode_u32(frame.payload));
    if (frame.type == StreamFrameType::pong) return words + " " + std::string(as_text(frame.payload));
    return frame.payload.empty() ? words : words + " " + std::to_string(frame.payload.size());
  }

  KeyCache cache;
  Side side;
  RecordSealer sealer;
  RecordOpener opener;
};

}  // namespace pake::channel::testing
