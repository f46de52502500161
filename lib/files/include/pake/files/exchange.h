// What each side of a transfer may say, and when: docs/files.md, section 4. No I/O: messages in, what they mean out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "pake/base/result.h"
#include "pake/files/messages.h"

namespace pake::files {

/// An offer, as it arrives: one OFFER, then ENTRIES until all are there.
class OfferCollector {
 public:
  /// Any error is final: Errc::malformed for a message that does not belong here, paths out of their order, a stream or
  /// a text that is not alone, sizes that are not the total, more entries than were told; Errc::exhausted for too long
  /// a list.
  [[nodiscard]] Status receive(const Message& message);
  [[nodiscard]] bool is_whole() const noexcept { return offer_ && entries_.size() == offer_->entries; }
  /// Nothing before OFFER has come.
  [[nodiscard]] const std::optional<Offer>& offer() const noexcept { return offer_; }
  [[nodiscard]] std::vector<Entry> take() noexcept { return std::move(entries_); }

 private:
  [[nodiscard]] Status add(const Entry& entry);

  std::optional<Offer> offer_;
  std::vector<Entry> entries_;
  std::uint64_t total_ = 0;
  std::size_t list_size_ = 0;
};

/// An offer's messages, in their order: OFFER, then as few ENTRIES as hold all.
class OfferEncoder {
 public:
  /// @param entries  outlive it
  explicit OfferEncoder(const std::vector<Entry>& entries) noexcept : entries_(entries) {}
  /// Empty when all have been taken.
  [[nodiscard]] Buffer next();

 private:
  const std::vector<Entry>& entries_;
  std::size_t taken_ = 0;
  bool is_begun_ = false;
};

/// The sender's side, after the offer: what the receiver asks for, and whether it may.
class SendingRules {
 public:
  /// @param entries  what was offered; outlive it
  explicit SendingRules(const std::vector<Entry>& entries);

  using Event = std::variant<Accept, Decline, Ask, Fetch, Summary>;
  /// Errc::malformed, final, for what the receiver may not say now: a request before it has accepted, for no file,
  /// for the same again, beyond its end, at an offset it has not asked about, more than 64 at once, a summary that
  /// cannot be true.
  [[nodiscard]] Result<Event> receive(const Message& message);

  /// A request has been answered, in the order in which they came.
  void answered_ask(std::uint32_t index);
  void answered_fetch(std::uint32_t index);  // END has been sent
  void not_coming();                         // UNREADABLE, to either
  [[nodiscard]] bool has_accepted() const noexcept { return state_ != State::offered; }

  /// The transfer goes on in another channel, from the offer on. What was sent in earlier ones may be stored.
  void begin_again();

 private:
  enum class State : std::uint8_t { offered, accepted, over };
  struct Progress {
    std::uint64_t asked = 0;  // this length; 0: not yet
    bool is_fetched = false;
    bool was_sent = false;       // in any channel of this transfer
    bool was_identical = false;  // as far as this side told
  };
  [[nodiscard]] Result<Event> ask(const Ask& ask);
  [[nodiscard]] Result<Event> fetch(const Fetch& fetch);
  [[nodiscard]] Result<Event> summary(const Summary& summary);

  const std::vector<Entry>& entries_;
  std::vector<Progress> progress_;
  std::size_t open_ = 0;         // requests that wait
  std::uint64_t files_ = 0;      // of the offer
  std::uint64_t sent_ = 0;       // of which every byte was sent
  std::uint64_t identical_ = 0;  // about the whole of which was asked, or empty
  State state_ = State::offered;
};

/// The receiver's side, after it has accepted: which answers are due, and how many bytes may come.
class ReceivingRules {
 public:
  /// @param entries  what was offered; outlive it
  explicit ReceivingRules(const std::vector<Entry>& entries) noexcept : entries_(entries) {}

  /// Errc::exhausted if 64 wait already.
  [[nodiscard]] Status asked(const Ask& ask);
  [[nodiscard]] Status fetched(const Fetch& fetch);
  [[nodiscard]] std::size_t open() const noexcept { return due_.size(); }
  [[nodiscard]] bool is_full() const noexcept { return due_.size() >= kMaxRequests; }

  using Event = std::variant<Prefix, Data, Hole, End, NotComing>;
  struct Answer {
    std::uint32_t index;
    Event event;
  };
  /// Errc::malformed, final, for what is not the answer that is due: another index, bytes beyond the size that was
  /// offered, an end before it.
  [[nodiscard]] Result<Answer> receive(const Message& message);

 private:
  struct Due {
    std::uint32_t index;
    bool is_fetch;
    std::uint64_t left;  // bytes that are still to come
  };
  const std::vector<Entry>& entries_;
  std::deque<Due> due_;
};

}  // namespace pake::files
