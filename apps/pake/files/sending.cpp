#include "files/sending.h"

#include <fmt/format.h>

#include <algorithm>
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

class SendingRun : public std::enable_shared_from_this<SendingRun> {
 public:
  SendingRun(net::Loop& loop, std::shared_ptr<Sendable> what)
      : loop_(loop), what_(std::move(what)), chunk_(MessageHeader::kSize + kMaxBody) {}

  net::Awaitable<Expected<void>> run(std::shared_ptr<net::ChannelLink> link, net::AcceptedStream accepted) {
    const Buffer version = {kVersion};
    if (accepted.service != kService || accepted.argument != version) {
      accepted.stream->reset(channel::ResetCode::no_such_service);
      co_return std::unexpected(Problem{.exit_code = kExitProtocol,
                                        .error = "the other side does not want files",
                                        .hint = "the other side types: pake receive ADDRESS"});
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
    co_return co_await messages_->write(
        NotComing{.index = index, .reason = has_changed ? Unreadable::changed : Unreadable::cannot_read});
  }

  // Opens a file and hashes its first `length` bytes.
  net::Awaitable<Expected<FileResult<SourceFile>>> open_hashed(std::uint32_t index, std::uint64_t length,
                                                               crypto::Blake2b& hash) {
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
    crypto::Blake2b hash;
    PAKE_CO_TRY(const auto file, co_await open_hashed(ask.index, ask.length, hash));
    if (is_stopped_) co_return Expected<void>();
    if (!file) co_return co_await not_coming(ask.index, file.error());
    hashes_.push_back({.index = ask.index, .hash = hash});
    if (hashes_.size() > kHashesKept) hashes_.pop_front();
    what_->rules.answered_ask(ask.index);
    co_return co_await messages_->write(Prefix{.index = ask.index, .hash = hash.hash()});
  }

  net::Awaitable<Expected<void>> send(Fetch fetch) {
    const auto& entry = what_->source.entries[fetch.index];
    what_->report.working_on(entry.path);
    if (entry.kind == EntryKind::text) co_return co_await send_text(fetch.index);
    if (entry.kind == EntryKind::stream) co_return co_await send_stream(fetch.index);
    co_return co_await send_file(fetch, entry);
  }

  net::Awaitable<Expected<void>> send_file(Fetch fetch, const Entry& entry) {
    crypto::Blake2b hash;
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
    for (auto passed = fetch.offset;;) {
      FileResult<SourceFile::Piece> piece;
      const auto work = [&] {
        piece = next_piece(file, fetch.index, hash, passed == entry.size);
        if (piece && passed + piece->size == entry.size && piece->hole == 0)
          if (const auto same = file->check_unchanged(); !same) piece = std::unexpected(same.error());
      };
      if (!co_await loop_.on_worker(work)) co_return std::unexpected(channel_cut());
      if (is_stopped_) co_return Expected<void>();
      if (!piece) co_return co_await not_coming(fetch.index, piece.error());
      if (piece->hole != 0) {
        PAKE_CO_TRYV(co_await hash_hole(hash, piece->hole));
        PAKE_CO_TRYV(co_await messages_->write(Hole{piece->hole}));
      } else if (piece->size != 0) {
        PAKE_CO_TRYV(co_await write_chunk(piece->size));
      }
      passed += piece->size + piece->hole;
      what_->report.add(piece->size + piece->hole);
      if (passed == entry.size && piece->hole == 0) break;
    }
    co_return co_await end(fetch.index, hash, entry.size);
  }

  // On a worker: opens the file at first; nothing is read at its end.
  FileResult<SourceFile::Piece> next_piece(std::optional<SourceFile>& file, std::uint32_t index, crypto::Blake2b& hash,
                                           bool is_at_end) {
    if (!file) {
      auto opened = SourceFile::open(what_->source.locals[index], what_->source.entries[index]);
      if (!opened) return std::unexpected(opened.error());
      file.emplace(std::move(*opened));
    }
    if (is_at_end) return SourceFile::Piece{};
    auto piece = file->read_some(MutableBytes(chunk_).subspan(MessageHeader::kSize));
    if (piece) hash.update(Bytes(chunk_).subspan(MessageHeader::kSize, piece->size));
    return piece;
  }

  net::Awaitable<Expected<void>> hash_hole(crypto::Blake2b& hash, std::uint64_t length) {
    while (length > 0 && !is_stopped_)
      if (!co_await loop_.on_worker([&] { length -= hash_zeros(hash, length); }))
        co_return std::unexpected(channel_cut());
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> write_chunk(std::size_t size) {
    std::ranges::copy(MessageHeader{.type = MessageType::data, .length = size}.encode(), chunk_.begin());
    return messages_->write(Bytes(chunk_).first(MessageHeader::kSize + size));
  }

  net::Awaitable<Expected<void>> end(std::uint32_t index, const crypto::Blake2b& hash, std::uint64_t size) {
    PAKE_CO_TRYV(co_await messages_->write(End{.index = index, .hash = hash.hash()}));
    what_->rules.answered_fetch(index);
    what_->report.file("sent", what_->source.entries[index].path, size);
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> send_text(std::uint32_t index) {
    crypto::Blake2b hash;
    const auto text = as_bytes(*what_->text);
    hash.update(text);
    if (!text.empty()) PAKE_CO_TRYV(co_await messages_->write(Data{text}));
    co_return co_await end(index, hash, text.size());
  }

  net::Awaitable<Expected<void>> send_stream(std::uint32_t index) {
    what_->is_begun = true;
    crypto::Blake2b hash;
    std::uint64_t size = 0;
    for (;;) {
      const auto into = MutableBytes(chunk_).subspan(MessageHeader::kSize);
      const auto count = co_await what_->in->read_some(into);
      if (!count && count.error() == ECANCELED) co_return std::unexpected(channel_cut());
      if (!count) {
        PAKE_CO_TRYV(co_await not_coming(index, FileError{.number = count.error()}));
        co_return Expected<void>();
      }
      if (is_stopped_) co_return Expected<void>();
      if (*count == 0) break;
      hash.update(Bytes(into).first(*count));
      PAKE_CO_TRYV(co_await write_chunk(*count));
      size += *count;
      what_->report.add(*count);
    }
    co_return co_await end(index, hash, size);
  }

  struct KeptHash {
    std::uint32_t index;
    crypto::Blake2b hash;  // of what was asked about
  };

  net::Loop& loop_;
  std::shared_ptr<Sendable> what_;
  std::optional<MessageStream> messages_;
  Buffer chunk_;  // a header, and the bytes behind it
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
