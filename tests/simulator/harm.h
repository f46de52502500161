// What a hostile network does to one direction of a run, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pake/base/bytes.h"
#include "pake/channel/keys.h"
#include "road.h"

namespace pake::channel::simulator {

struct Harm {
  enum class Kind : std::uint8_t {
    // The transport ends in front of a byte.
    cut_by_fin,
    cut_by_rst,
    cut_silently,
    // Bytes of a frame.
    flip_bit,
    lose_bytes,
    repeat_bytes,
    insert_bytes,
    swap_segments,
    // Whole frames.
    lose_frame,
    repeat_frame,
    delay_frame,   // behind the next one
    replay_frame,  // an earlier one of the same direction
    // Someone in the middle.
    edit_hello,
    forge_frame,
    force_retry,           // a hello is answered with a Retry, and kept from the server
    reflect_frame,         // one of the reader's own
    insert_earlier_frame,  // one of an earlier run of the same parties with the same password
    replace_by_earlier,    // the frame of the same number of that run
    take_over_by_earlier,  // all frames from that one on
    splice,                // what this side sends goes to another run that is going on, and the other's to this
  };

  Kind kind{};
  Role sender{};
  std::size_t frame = 0;  // the number of the sender's frame that is hit
  std::size_t byte = 0;   // where in it, modulo its size
  std::size_t count = 1;  // how many bytes
  std::uint64_t salt = 0;
};

[[nodiscard]] std::string_view to_string(Harm::Kind kind) noexcept;
[[nodiscard]] std::string describe(const Harm& harm);

/// The hello with other offers than its sender made, and its length put right. What is no hello comes back unchanged.
[[nodiscard]] Buffer edit_hello(Bytes frame, std::uint64_t salt);
/// A frame that anybody can make: an Alert, a Retry, records that nobody sealed.
[[nodiscard]] Buffer forge_frame(std::uint64_t salt);

/// Where harm finds what it works with.
struct Surroundings {
  Road& road;               // to the reader
  Road& back;               // from the reader
  const Buffer& sent;       // by this direction's sender so far
  const Buffer& reflected;  // by the reader so far
  Road* twin = nullptr;     // to the reader of the other run
  Bytes earlier = {};       // sent in this direction in an earlier run
};

/// Passes one direction's frames on and does the harm, if any.
class Meddler {
 public:
  Meddler(std::optional<Harm> harm, Surroundings surroundings) : harm_(harm), around_(surroundings) {}

  void pass(Bytes frame, Instant now);
  void close(Instant now);

  /// Whether it has done anything that an honest network would not.
  [[nodiscard]] bool has_meddled() const noexcept { return has_meddled_; }

 private:
  void hit(const Harm& harm, Bytes frame, Instant now);
  void put(Bytes bytes, Instant now) { around_.road.put(bytes, now); }
  void put_instead(Bytes frame, const Buffer& changed, Instant now);
  void cut(Ending ending, Bytes before, Instant now);

  std::optional<Harm> harm_;
  Surroundings around_;
  std::size_t number_ = 0;
  std::optional<Buffer> delayed_;
  bool is_blocked_ = false;  // nothing of the sender's passes any more
  bool is_spliced_ = false;
  bool has_meddled_ = false;
};

}  // namespace pake::channel::simulator
