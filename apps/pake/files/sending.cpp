#include "files/sending.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "files/channel.h"
#include "files/message_stream.h"
#include "network/problems.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"
#include "process/output.h"

namespace pake::cli::files {
namespace {

using namespace pake::files;

constexpr std::chrono::seconds kStreamOpens{10};
constexpr std::size_t kHashesKept = 64;
constexpr std::size_t kRoomForOther = 64;  // for a message that is not DATA
constexpr std::size_t kSizeAtOnce = 4 * (MessageHeader::kSize + kMaxBody) + kRoomForOther;

Problem declined(Declined reason) {
  switch (reason) {
    case Declined::too_much:
      return {.exit_code = kExitCutShort, .error = "the other side declined: it takes no list of so many files"};
    case Declined::cannot_store:
      return {.exit_code = kExitCutShort, .error = "the other side cannot store this"};
    case Declined::by_person:
      break;
  }
  return {.exit_code = kExitCutShort, .error = "the other side declined: nothing was sent"};
}

// Of who opens a stream for something else.
std::optional<Problem> check_wish(const net::AcceptedStream& accepted) {
  if (accepted.service != kService)
    return Problem{.exit_code = kExitProtocol,
                   .error = "the other side does not want files",
                   .hint = "the other side types: pake receive ADDRESS"};
  if (accepted.argument != Buffer{kVersion}) return another_version();
  return std::nullopt;
}

class SendingRun : public std::enable_shared_from_this<SendingRun> {
 public:
  SendingRun(net::Loop& loop, std::shared_ptr<Sendable> what) : loop_(loop), what_(std::move(what)) {}

  net::Awaitable<Expected<void>> run(std::shared_ptr<net::ChannelLink> link, net::AcceptedStream accepted) {
    if (const auto problem = check_wish(accepted)) {
      accepted.stream->reset(channel::ResetCode::no_such_service);
      co_return std::unexpected(*problem);
    }
    messages_.emplace(std::move(accepted.stream));
    loop_.spawn(refuse_streams(link));
    OfferEncoder encoder(what_->source.entries);
    for (auto some = encoder.next(); !some.empty(); some = encoder.next())
      PAKE_CO_TRYV(co_await messages_->write(some));
    loop_.spawn(read_requests(shared_from_this()));
    for (;;) {
      PAKE_CO_TRY(const auto event, co_await next_event());
      if (std::holds_alternative<Accept>(event)) {
        begin_report();
      } else if (const auto* const decline = std::get_if<Decline>(&event)) {
        messages_->end();
        co_return std::unexpected(declined(decline->reason));
      } else if (const auto* const ask = std::get_if<Ask>(&event)) {
        PAKE_CO_TRYV(co_await answer(*ask));
      } else if (const auto* const fetch = std::get_if<Fetch>(&event)) {
        PAKE_CO_TRYV(co_await send(*fetch));
      } else if (const auto* const summary = std::get_if<Summary>(&event)) {
        what_->summary = *summary;
        PAKE_CO_TRYV(co_await wait_until_written());
        messages_->end();
        co_return Expected<void>();
      }
      if (is_stopped_) events_.erase(events_.begin(), events_.end() - 1);  // the summary is the last
    }
  }

 private:
  void begin_report() {
    std::uint64_t total = 0;
    for (const auto& entry : what_->source.entries) total += entry.size;
    what_->report.begin(total);
  }

  // The rules bound what waits in the queue.
  static net::Awaitable<void> read_requests(std::shared_ptr<SendingRun> self) {
    for (;;) {
      auto message = co_await self->messages_->read();
      if (!message || !*message) {
        self->problem_ = message ? channel_cut() : message.error();
        break;
      }
      const auto event = self->what_->rules.receive(**message);
      if (!event) {
        self->problem_ = broken_rules();
        break;
      }
      if (const auto* const summary = std::get_if<Summary>(&*event)) self->is_stopped_ = summary->missing != 0;
      self->events_.push_back(*event);
      self->changed_.notify();
    }
    self->changed_.notify();
  }

  net::Awaitable<Expected<SendingRules::Event>> next_event() {
    while (events_.empty()) {
      if (problem_) co_return std::unexpected(*problem_);
      if (!co_await changed_.wait(net::kNever)) co_return std::unexpected(channel_cut());
    }
    auto event = events_.front();
    events_.pop_front();
    co_return event;
  }

  net::Awaitable<Expected<void>> not_coming(std::uint32_t index, const FileError& error) {
    const bool has_changed = error == FileError::Kind::changed;
    what_->report.missing(what_->source.entries[index].path,
                          has_changed ? "it changed while it was sent" : error.explain());
    ++what_->unreadable;
    what_->rules.not_coming();
    co_return co_await write(
        NotComing{.index = index, .reason = has_changed ? Unreadable::changed : Unreadable::cannot_read});
  }

  // Opens a file and hashes its first `length` bytes.
  net::Awaitable<Expected<FileResult<SourceFile>>> open_hashed(std::uint32_t index, std::uint64_t length,
                                                               TreeHash& hash) {
    FileResult<SourceFile> file = pake::files::fail(FileError::Kind::system);
    const auto& source = what_->source;
    if (!co_await loop_.on_worker([&] { file = SourceFile::open(source.locals[index], source.entries[index]); }))
      co_return std::unexpected(channel_cut());
    for (bool is_hashed = !file; !is_hashed && !is_stopped_;) {
      FileResult<std::uint64_t> count = 0;
      if (!co_await loop_.on_worker([&] { count = file->hash_some(hash, length); }))
        co_return std::unexpected(channel_cut());
      if (!count) co_return FileResult<SourceFile>(std::unexpected(count.error()));
      is_hashed = *count == 0;
    }
    co_return file;
  }

  net::Awaitable<Expected<void>> answer(Ask ask) {
    what_->report.working_on(what_->source.entries[ask.index].path);
    TreeHash hash;
    PAKE_CO_TRY(const auto file, co_await open_hashed(ask.index, ask.length, hash));
    if (is_stopped_) co_return Expected<void>();
    if (!file) co_return co_await not_coming(ask.index, file.error());
    hashes_.push_back({.index = ask.index, .hash = hash});
    if (hashes_.size() > kHashesKept) hashes_.pop_front();
    what_->rules.answered_ask(ask.index);
    co_return co_await write(Prefix{.index = ask.index, .hash = hash.hash()});
  }

  net::Awaitable<Expected<void>> send(Fetch fetch) {
    const auto& entry = what_->source.entries[fetch.index];
    what_->report.working_on(entry.path);
    if (entry.kind == EntryKind::text) co_return co_await send_text(fetch.index);
    if (entry.kind == EntryKind::stream) co_return co_await send_stream(fetch.index);
    co_return co_await send_file(fetch, entry);
  }

  net::Awaitable<Expected<void>> send_file(Fetch fetch, const Entry& entry) {
    TreeHash hash;
    std::optional<SourceFile> file;
    if (fetch.offset != 0) {
      const auto kept = std::ranges::find(hashes_, fetch.index, &KeptHash::index);
      const bool is_kept = kept != hashes_.end();
      PAKE_CO_TRY(auto opened, co_await open_hashed(fetch.index, is_kept ? 0 : fetch.offset, hash));
      if (is_stopped_) co_return Expected<void>();
      if (!opened) co_return co_await not_coming(fetch.index, opened.error());
      if (is_kept) {
        hash = kept->hash;
        hashes_.erase(kept);
      }
      file.emplace(std::move(*opened));
      file->seek(fetch.offset);
      what_->report.add(fetch.offset);
    }
    for (Filled filled{.passed = fetch.offset}; !filled.is_whole;) {
      FileResult<void> read;
      const auto before = filled.passed;
      if (!co_await loop_.on_worker([&] { read = fill(file, fetch.index, hash, filled); }))
        co_return std::unexpected(channel_cut());
      if (is_stopped_) co_return Expected<void>();
      if (!read) co_return co_await not_coming(fetch.index, read.error());
      PAKE_CO_TRYV(co_await write_chunk(filled.size));
      what_->report.add(filled.passed - before);
    }
    sent(fetch.index, entry.size);
    co_return Expected<void>();
  }

  struct Filled {
    std::size_t size = 0;      // of the chunk
    std::uint64_t passed = 0;  // bytes of the file, in this chunk and those before
    bool is_whole = false;     // END is in the chunk
  };

  // On a worker: as many messages as the chunk holds. The file is opened first, unless it is open.
  FileResult<void> fill(std::optional<SourceFile>& file, std::uint32_t index, TreeHash& hash, Filled& filled) {
    const auto& entry = what_->source.entries[index];
    if (!file) {
      PAKE_TRY(auto opened, SourceFile::open(what_->source.locals[index], entry));
      file.emplace(std::move(opened));
    }
    const auto chunk = chunk_for(entry.size - filled.passed);
    filled.size = 0;
    while (filled.passed < entry.size) {
      const auto room = chunk.subspan(filled.size);
      if (room.size() < kRoomForOther + TreeHash::kLeafSize) return {};
      const auto body = room.subspan(MessageHeader::kSize).first(std::min(kMaxBody, room.size() - kRoomForOther));
      PAKE_TRY(const auto piece, file->read_some(body));
      if (piece.hole != 0) {
        hash.update_zeros(piece.hole);
        append(chunk, filled, encode(Hole{piece.hole}));
      } else {
        if (piece.size == 0) return pake::files::fail(FileError::Kind::changed);
        hash.update(body.first(piece.size));
        append(chunk, filled, MessageHeader{.type = MessageType::data, .length = piece.size}.encode());
        filled.size += piece.size;
      }
      filled.passed += piece.size + piece.hole;
    }
    PAKE_TRYV(file->check_unchanged());
    append(chunk, filled, encode(End{.index = index, .hash = hash.hash()}));
    filled.is_whole = true;
    return {};
  }

  static void append(MutableBytes chunk, Filled& filled, Bytes message) {
    std::ranges::copy(message, chunk.subspan(filled.size).begin());
    filled.size += message.size();
  }

  // Room for so many bytes of a file, or for as many as are sent at once.
  MutableBytes chunk_for(std::uint64_t bytes) {
    auto& chunk = chunks_[turn_];
    const auto wanted = std::min<std::uint64_t>(kSizeAtOnce, bytes + TreeHash::kLeafSize + 3 * kRoomForOther);
    if (chunk.size() < wanted) chunk.resize(wanted);
    return chunk;
  }

  // Writes the chunk while the next one is filled.
  net::Awaitable<Expected<void>> write_chunk(std::size_t size) {
    PAKE_CO_TRYV(co_await wait_until_written());
    is_writing_ = true;
    loop_.spawn(write_behind(shared_from_this(), Bytes(chunks_[turn_]).first(size)));
    turn_ = 1 - turn_;
    co_return Expected<void>();
  }

  static net::Awaitable<void> write_behind(std::shared_ptr<SendingRun> self, Bytes bytes) {
    self->written_ = co_await self->messages_->write(bytes);
    self->is_writing_ = false;
    self->writing_over_.notify();
  }

  net::Awaitable<Expected<void>> wait_until_written() {
    while (is_writing_)
      if (!co_await writing_over_.wait(net::kNever)) co_return std::unexpected(channel_cut());
    co_return written_;
  }

  net::Awaitable<Expected<void>> write(const Message& message) {
    PAKE_CO_TRYV(co_await wait_until_written());
    co_return co_await messages_->write(message);
  }

  void sent(std::uint32_t index, std::uint64_t size) {
    what_->rules.answered_fetch(index);
    what_->report.file("sent", what_->source.entries[index].path, size);
  }

  net::Awaitable<Expected<void>> end(std::uint32_t index, const TreeHash& hash, std::uint64_t size) {
    PAKE_CO_TRYV(co_await write(End{.index = index, .hash = hash.hash()}));
    sent(index, size);
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> send_text(std::uint32_t index) {
    TreeHash hash;
    const auto text = as_bytes(*what_->text);
    hash.update(text);
    if (!text.empty()) PAKE_CO_TRYV(co_await write(Data{text}));
    co_return co_await end(index, hash, text.size());
  }

  net::Awaitable<Expected<void>> send_stream(std::uint32_t index) {
    what_->is_begun = true;
    TreeHash hash;
    std::uint64_t size = 0;
    for (;;) {
      auto& chunk = chunks_[turn_];
      chunk.resize(MessageHeader::kSize + kMaxBody);
      const auto into = MutableBytes(chunk).subspan(MessageHeader::kSize);
      const auto count = co_await what_->in->read_some(into);
      if (!count && count.error() == ECANCELED) co_return std::unexpected(channel_cut());
      if (!count) {
        PAKE_CO_TRYV(co_await not_coming(index, FileError{.number = count.error()}));
        co_return Expected<void>();
      }
      if (is_stopped_) co_return Expected<void>();
      if (*count == 0) break;
      hash.update(into.first(*count));
      std::ranges::copy(MessageHeader{.type = MessageType::data, .length = *count}.encode(), chunk.begin());
      PAKE_CO_TRYV(co_await write_chunk(MessageHeader::kSize + *count));
      size += *count;
      what_->report.add(*count);
    }
    co_return co_await end(index, hash, size);
  }

  struct KeptHash {
    std::uint32_t index;
    TreeHash hash;  // of what was asked about
  };

  net::Loop& loop_;
  std::shared_ptr<Sendable> what_;
  std::optional<MessageStream> messages_;
  std::array<Buffer, 2> chunks_;  // of messages: one is filled while the other one is written
  std::size_t turn_ = 0;
  bool is_writing_ = false;
  Expected<void> written_;  // how the last writing ended
  net::Signal writing_over_{loop_};
  std::deque<KeptHash> hashes_;
  std::deque<SendingRules::Event> events_;
  net::Signal changed_{loop_};
  std::optional<Problem> problem_;  // of the requests
  bool is_stopped_ = false;         // the receiver takes no more
};

}  // namespace

net::Awaitable<Expected<net::AcceptedStream>> first_stream(std::shared_ptr<net::ChannelLink> link) {
  auto accepted = co_await link->accept(net::after(kStreamOpens));
  if (!accepted) co_return std::unexpected(channel_cut());
  co_return std::move(*accepted);
}

net::Awaitable<Expected<void>> send_over(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                         net::AcceptedStream stream, std::shared_ptr<Sendable> what) {
  const auto run = std::make_shared<SendingRun>(loop, std::move(what));
  co_return co_await run->run(std::move(link), std::move(stream));
}

}  // namespace pake::cli::files
