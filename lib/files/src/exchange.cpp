#include "pake/files/exchange.h"

#include <utility>

#include "pake/internal/try.h"

namespace pake::files {

Status OfferCollector::receive(const Message& message) {
  if (const auto* const offer = std::get_if<Offer>(&message)) {
    if (offer_) return fail(Errc::malformed);
    offer_ = *offer;
    return {};
  }
  const auto* const entries = std::get_if<Entries>(&message);
  if (entries == nullptr || !offer_) return fail(Errc::malformed);
  for (const auto& entry : entries->list) PAKE_TRYV(add(entry));
  if (is_whole() && total_ != offer_->total) return fail(Errc::malformed);
  return {};
}

Status OfferCollector::add(const Entry& entry) {
  if (entries_.size() == offer_->entries) return fail(Errc::malformed);
  const bool is_alone = entry.kind == EntryKind::stream || entry.kind == EntryKind::text;
  if (is_alone && offer_->entries != 1) return fail(Errc::malformed);
  if (!entries_.empty() && entry.path <= entries_.back().path) return fail(Errc::malformed);
  total_ += entry.size;  // both below 2^62, since it has not passed the total before
  if (total_ > offer_->total) return fail(Errc::malformed);
  list_size_ += encoded_size(entry);
  if (list_size_ > kMaxListSize) return fail(Errc::exhausted);
  entries_.push_back(entry);
  return {};
}

Buffer OfferEncoder::next() {
  if (!std::exchange(is_begun_, true)) {
    Offer offer{.entries = static_cast<std::uint32_t>(entries_.size())};
    for (const auto& entry : entries_) offer.total += entry.size;
    return encode(offer);
  }
  Entries some;
  for (std::size_t size = 0; taken_ < entries_.size(); ++taken_) {
    size += encoded_size(entries_[taken_]);
    if (size > kMaxBody) break;
    some.list.push_back(entries_[taken_]);
  }
  return some.list.empty() ? Buffer() : encode(some);
}

SendingRules::SendingRules(const std::vector<Entry>& entries) : entries_(entries), progress_(entries.size()) {
  for (const auto& entry : entries) {
    files_ += entry.kind == EntryKind::folder ? 0 : 1;
    identical_ += entry.kind == EntryKind::file && entry.size == 0 ? 1 : 0;
  }
}

Result<SendingRules::Event> SendingRules::receive(const Message& message) {
  if (state_ == State::offered) {
    if (std::holds_alternative<Accept>(message)) {
      state_ = State::accepted;
      return Accept{};
    }
    if (const auto* const decline = std::get_if<Decline>(&message)) {
      state_ = State::over;
      return *decline;
    }
    return fail(Errc::malformed);
  }
  if (state_ == State::over) return fail(Errc::malformed);
  if (const auto* const wanted = std::get_if<Ask>(&message)) return ask(*wanted);
  if (const auto* const wanted = std::get_if<Fetch>(&message)) return fetch(*wanted);
  if (const auto* const last = std::get_if<Summary>(&message)) return summary(*last);
  return fail(Errc::malformed);
}

Result<SendingRules::Event> SendingRules::ask(const Ask& ask) {
  if (ask.index >= entries_.size() || open_ == kMaxRequests) return fail(Errc::malformed);
  const auto& entry = entries_[ask.index];
  auto& progress = progress_[ask.index];
  if (entry.kind != EntryKind::file || ask.length > entry.size || progress.asked != 0 || progress.is_fetched)
    return fail(Errc::malformed);
  progress.asked = ask.length;
  ++open_;
  return ask;
}

Result<SendingRules::Event> SendingRules::fetch(const Fetch& fetch) {
  if (fetch.index >= entries_.size() || open_ == kMaxRequests) return fail(Errc::malformed);
  auto& progress = progress_[fetch.index];
  if (entries_[fetch.index].kind == EntryKind::folder || progress.is_fetched) return fail(Errc::malformed);
  if (fetch.offset != 0 && fetch.offset != progress.asked) return fail(Errc::malformed);
  progress.is_fetched = true;
  ++open_;
  return fetch;
}

Result<SendingRules::Event> SendingRules::summary(const Summary& summary) {
  state_ = State::over;
  const auto all = std::uint64_t{summary.stored} + summary.unchanged + summary.missing;
  // What is missing ends it early: requests may wait by then.
  if ((open_ != 0 && summary.missing == 0) || all != files_ || summary.stored > sent_ || summary.unchanged > identical_)
    return fail(Errc::malformed);
  return summary;
}

void SendingRules::answered_ask(std::uint32_t index) {
  --open_;
  auto& progress = progress_[index];
  if (progress.asked == entries_[index].size && !std::exchange(progress.was_identical, true)) ++identical_;
}

void SendingRules::answered_fetch(std::uint32_t index) {
  --open_;
  if (!std::exchange(progress_[index].was_sent, true)) ++sent_;
}

void SendingRules::not_coming() { --open_; }

void SendingRules::begin_again() {
  for (auto& progress : progress_) {
    progress.asked = 0;
    progress.is_fetched = false;
  }
  open_ = 0;
  state_ = State::offered;
}

Status ReceivingRules::asked(const Ask& ask) {
  if (is_full()) return fail(Errc::exhausted);
  due_.push_back({.index = ask.index, .is_fetch = false, .left = 0});
  return {};
}

Status ReceivingRules::fetched(const Fetch& fetch) {
  if (is_full()) return fail(Errc::exhausted);
  const auto& entry = entries_[fetch.index];
  due_.push_back({.index = fetch.index,
                  .is_fetch = true,
                  .left = entry.kind == EntryKind::stream ? kMaxSize : entry.size - fetch.offset});
  return {};
}

Result<ReceivingRules::Answer> ReceivingRules::receive(const Message& message) {
  if (due_.empty()) return fail(Errc::malformed);
  auto& due = due_.front();
  const auto index = due.index;
  const auto takes = [&](std::uint64_t size) -> Status {
    if (!due.is_fetch || size > due.left) return fail(Errc::malformed);
    due.left -= size;
    return {};
  };
  if (const auto* const data = std::get_if<Data>(&message)) {
    PAKE_TRYV(takes(data->bytes.size()));
    return Answer{index, *data};
  }
  if (const auto* const hole = std::get_if<Hole>(&message)) {
    if (entries_[index].kind != EntryKind::file) return fail(Errc::malformed);
    PAKE_TRYV(takes(hole->length));
    return Answer{index, *hole};
  }
  const bool was_fetch = due.is_fetch;
  const bool is_complete = due.left == 0 || entries_[index].kind == EntryKind::stream;
  due_.pop_front();
  if (const auto* const prefix = std::get_if<Prefix>(&message)) {
    if (was_fetch || prefix->index != index) return fail(Errc::malformed);
    return Answer{index, *prefix};
  }
  if (const auto* const end = std::get_if<End>(&message)) {
    if (!was_fetch || !is_complete || end->index != index) return fail(Errc::malformed);
    return Answer{index, *end};
  }
  if (const auto* const gone = std::get_if<NotComing>(&message)) {
    if (gone->index != index) return fail(Errc::malformed);
    return Answer{index, *gone};
  }
  return fail(Errc::malformed);
}

}  // namespace pake::files
