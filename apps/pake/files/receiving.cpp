#include "files/receiving.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <ranges>
#include <utility>

#include "files/channel.h"
#include "files/message_stream.h"
#include "network/problems.h"
#include "pake/files/source.h"
#include "pake/internal/try.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/net/signal.h"
#include "process/output.h"
#include "terminal/escape.h"
#include "terminal/prompt.h"

namespace pake::cli::files {
namespace {

using namespace pake::files;
using Fate = Receivable::Fate;

constexpr std::size_t kLinesShown = 10;
constexpr std::size_t kLongestAnswer = 64;
constexpr std::size_t kHashChunk = 256 * 1024;
constexpr std::size_t kMostGathered = 1 << 20U;  // bytes that wait to be written
constexpr std::size_t kMostSetDown = 128;        // two descriptors each
constexpr std::uint64_t kMostBytesSetDown = 16UL << 20U;
constexpr std::chrono::milliseconds kLongestSetDown{500};

Missing reason_for(const FileError& error) {
  if (error == FileError::Kind::no_room) return Missing::no_room;
  if (error == FileError::Kind::exists) return Missing::exists;
  return Missing::cannot_write;
}

std::string words_for(const FileError& error) {
  if (error == FileError::Kind::exists) return "another file has this name (--overwrite replaces it)";
  return error.explain();
}

/// A request whose answer is due.
struct Pending {
  enum class Step : std::uint8_t {
    compare_whole,  // PREFIX of a file that is there already
    compare_part,   // PREFIX of what an earlier transfer left
    fetch,
  };
  std::uint32_t index;
  Step step;
  TreeHash hash = {};             // of what this side has
  std::optional<Part> part = {};  // none: stdout, or what comes is thrown away
  bool is_given_up = false;       // it cannot be written: said already
  std::string text = {};          // of a text, for a terminal
};

class ReceivingRun : public std::enable_shared_from_this<ReceivingRun> {
 public:
  ReceivingRun(net::Loop& loop, std::shared_ptr<Receivable> what) : loop_(loop), what_(std::move(what)) {}

  net::Awaitable<Expected<void>> run(std::shared_ptr<net::ChannelLink> link) {
    auto outcome = co_await run_to_its_end(std::move(link));
    static_cast<void>(co_await wait_until_written());
    static_cast<void>(co_await store_what_was_set_down());  // what is whole gets its name after a cut, too
    co_return outcome;
  }

 private:
  net::Awaitable<Expected<void>> run_to_its_end(std::shared_ptr<net::ChannelLink> link) {
    const Buffer version = {kVersion};
    auto stream = link->open(kService, version);
    if (!stream) co_return std::unexpected(channel_cut());
    messages_.emplace(std::move(*stream));
    loop_.spawn(refuse_streams(link));
    PAKE_CO_TRYV(co_await take_offer());
    PAKE_CO_TRYV(co_await messages_->write(Accept{}));
    rules_.emplace(what_->entries);
    what_->report.begin(total());
    for (std::uint32_t next = 0; !is_stopped_;) {
      while (!is_stopped_ && !rules_->is_full() && next < what_->entries.size()) {
        const auto index = next++;
        if (what_->fates[index] != Fate::open) {
          what_->report.add(what_->entries[index].size);
          continue;
        }
        PAKE_CO_TRYV(co_await begin(index));
      }
      if (is_stopped_ || pending_.empty()) break;
      PAKE_CO_TRY(const auto message, co_await messages_->read_message());
      const auto answer = rules_->receive(message);
      if (!answer) co_return std::unexpected(broken_rules());
      PAKE_CO_TRYV(co_await take(*answer));
      if (is_time_to_store()) PAKE_CO_TRYV(co_await store_what_was_set_down());
    }
    co_return co_await finish();
  }

  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto& entry : what_->entries) sum += entry.size;
    return sum;
  }
  [[nodiscard]] const Entry& entry(std::uint32_t index) const { return what_->entries[index]; }
  [[nodiscard]] bool goes_to_stdout(std::uint32_t index) const {
    return !what_->target || entry(index).kind == EntryKind::text;
  }
  [[nodiscard]] Overwrite overwrite() const { return what_->options.overwrite ? Overwrite::yes : Overwrite::no; }

  // Runs `work` on a worker, whose end is waited for in any case.
  net::Awaitable<Expected<void>> on_worker(std::function<void()> work) {
    if (!co_await loop_.on_worker(std::move(work))) co_return std::unexpected(channel_cut());
    co_return Expected<void>();
  }

  // --- the offer ---

  net::Awaitable<Expected<void>> take_offer() {
    OfferCollector collector;
    while (!collector.is_whole()) {
      PAKE_CO_TRY(const auto message, co_await messages_->read_message());
      const auto status = collector.receive(message);
      if (!status && status.error() == Errc::exhausted)
        co_return co_await decline(Declined::too_much,
                                   {.exit_code = kExitProtocol, .error = "the list of files is too long to be taken"});
      if (!status) co_return std::unexpected(broken_rules());
    }
    auto entries = collector.take();
    if (what_->is_accepted()) {
      if (entries != what_->entries) co_return std::unexpected(broken_rules());
      co_return Expected<void>();
    }
    what_->report.offered(entries);
    if (!what_->target && (entries.size() != 1 || entries[0].kind == EntryKind::folder))
      co_return co_await decline(Declined::cannot_store, {.exit_code = kExitFailed,
                                                          .error = "these are several files: stdout takes one",
                                                          .hint = "pake receive ADDRESS --out DIR"});
    if (!what_->options.yes) {
      PAKE_CO_TRY(const bool is_wanted, co_await ask(entries));
      if (!is_wanted)
        co_return co_await decline(Declined::by_person,
                                   {.exit_code = kExitFailed, .error = "declined: nothing was stored"});
    } else {
      say_note(fmt::format("the other side sends {}", offer_in_words(entries)));
    }
    what_->entries = std::move(entries);
    what_->fates.assign(what_->entries.size(), Fate::open);
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> decline(Declined reason, Problem problem) {
    PAKE_CO_TRYV(co_await messages_->write(Decline{reason}));
    messages_->end();
    static_cast<void>(co_await messages_->drain());
    co_return std::unexpected(std::move(problem));
  }

  net::Awaitable<Expected<bool>> ask(const std::vector<Entry>& entries) {
    Output screen(STDERR_FILENO);
    screen.line(fmt::format("the other side offers {}:", offer_in_words(entries)));
    for (const auto& line : offer_lines(entries, kLinesShown)) screen.line("  " + line);
    Expected<SecretBuffer> answer = std::unexpected(channel_cut());
    PAKE_CO_TRYV(co_await on_worker([&] { answer = prompt("Accept? [y/N] ", Echo::on, kLongestAnswer); }));
    if (!answer) co_return std::unexpected(answer.error());
    const auto typed = as_text(answer->reveal());
    co_return typed == "y" || typed == "Y" || typed == "yes" || typed == "Yes" || typed == "YES";
  }

  // --- one entry after the other ---

  void note_missing(std::uint32_t index, Missing reason, std::string_view words) {
    what_->fates[index] = Fate::missing;
    what_->reason = what_->reason == Missing::nothing ? reason : std::min(what_->reason, reason);
    what_->report.missing(entry(index).path, words);
  }
  void note_missing(std::uint32_t index, const FileError& error) {
    note_missing(index, reason_for(error), words_for(error));
    if (error == FileError::Kind::no_room) is_stopped_ = true;
  }

  net::Awaitable<Expected<void>> begin(std::uint32_t index) {
    const auto& wanted = entry(index);
    if (wanted.kind == EntryKind::folder) {
      FileResult<void> made;
      PAKE_CO_TRYV(co_await on_worker([&] { made = what_->target->make_folder(wanted.path); }));
      what_->fates[index] = Fate::stored;
      if (!made) {
        what_->report.missing(wanted.path, words_for(made.error()));
        what_->reason = reason_for(made.error());  // what is below it will be missing too
        what_->is_folder_missing = true;
      }
      co_return Expected<void>();
    }
    if (goes_to_stdout(index)) co_return co_await fetch({.index = index, .step = Pending::Step::fetch}, 0);
    FileResult<Found> found;
    PAKE_CO_TRYV(co_await on_worker([&] { found = what_->target->find(wanted.path); }));
    if (!found) {
      note_missing(index, found.error());
      co_return Expected<void>();
    }
    using enum Found::Kind;
    const bool may_be_same = found->kind == file && wanted.kind == EntryKind::file && found->size == wanted.size;
    if (may_be_same) co_return co_await compare_whole(index);
    if (found->kind != nothing && (found->kind != file || overwrite() == Overwrite::no)) {
      note_missing(index, FileError{.kind = FileError::Kind::exists});
      co_return Expected<void>();
    }
    co_return co_await begin_part(index, EarlierPart::kept);
  }

  net::Awaitable<Expected<void>> compare_whole(std::uint32_t index) {
    const auto& wanted = entry(index);
    if (wanted.size == 0) {
      is_unchanged(index);
      co_return Expected<void>();
    }
    Pending pending{.index = index, .step = Pending::Step::compare_whole};
    FileResult<Descriptor> file = pake::files::fail(FileError::Kind::system);
    PAKE_CO_TRYV(co_await on_worker([&] { file = what_->target->open_existing(wanted.path); }));
    for (std::uint64_t hashed = 0; file && hashed < wanted.size;) {
      FileResult<std::uint64_t> count = 0;
      PAKE_CO_TRYV(co_await on_worker([&] { count = hash_at(*file, hashed, wanted.size, pending.hash); }));
      if (!count) file = std::unexpected(count.error());
      hashed += count.value_or(0);
    }
    if (!file) {
      note_missing(index, file.error());
      co_return Expected<void>();
    }
    const Ask question{.index = index, .length = wanted.size};
    static_cast<void>(rules_->asked(question));
    pending_.push_back(std::move(pending));
    co_return co_await messages_->write(question);
  }

  static FileResult<std::uint64_t> hash_at(const Descriptor& file, std::uint64_t offset, std::uint64_t size,
                                           TreeHash& hash) {
    Buffer chunk(kHashChunk);
    const auto wanted = std::min<std::uint64_t>(chunk.size(), size - offset);
    const auto count = ::pread(file.get(), chunk.data(), wanted, static_cast<off_t>(offset));
    if (count < 0) return fail_with(errno);
    if (count == 0) return pake::files::fail(FileError::Kind::changed);
    hash.update(Bytes(chunk).first(static_cast<std::size_t>(count)));
    return static_cast<std::uint64_t>(count);
  }

  enum class EarlierPart : std::uint8_t { kept, dropped };

  // A new part, or what an earlier transfer left of it.
  net::Awaitable<Expected<void>> begin_part(std::uint32_t index, EarlierPart earlier) {
    const auto& wanted = entry(index);
    FileResult<Part> part = pake::files::fail(FileError::Kind::system);
    PAKE_CO_TRYV(co_await on_worker([&] { part = what_->target->open_part(wanted.path); }));
    if (!part && part.error() == FileError::Kind::busy && !what_->set_down.empty()) {
      // On a disk that takes two names for one, the other one may have been set down.
      PAKE_CO_TRYV(co_await store_what_was_set_down());
      PAKE_CO_TRYV(co_await on_worker([&] { part = what_->target->open_part(wanted.path); }));
    }
    PAKE_CO_TRYV(co_await on_worker([&] {
      const bool is_kept =
          earlier == EarlierPart::kept && part && wanted.kind == EntryKind::file && part->size() <= wanted.size;
      if (part && !is_kept)
        if (auto emptied = part->begin_anew(); !emptied) part = std::unexpected(emptied.error());
    }));
    if (!part) {
      note_missing(index, part.error());
      co_return Expected<void>();
    }
    Pending pending{.index = index, .step = Pending::Step::fetch};
    pending.part.emplace(std::move(*part));
    if (pending.part->size() == 0) co_return co_await fetch(std::move(pending), 0);
    FileResult<std::uint64_t> count = 1;
    while (count && *count != 0)
      PAKE_CO_TRYV(co_await on_worker([&] { count = pending.part->hash_some(pending.hash); }));
    if (!count) {
      note_missing(index, count.error());
      co_return Expected<void>();
    }
    const Ask question{.index = index, .length = pending.part->size()};
    static_cast<void>(rules_->asked(question));
    pending.step = Pending::Step::compare_part;
    pending_.push_back(std::move(pending));
    co_return co_await messages_->write(question);
  }

  net::Awaitable<Expected<void>> fetch(Pending pending, std::uint64_t offset) {
    const Fetch request{.index = pending.index, .offset = offset};
    pending.step = Pending::Step::fetch;
    static_cast<void>(rules_->fetched(request));
    pending_.push_back(std::move(pending));
    co_return co_await messages_->write(request);
  }

  // --- answers ---

  net::Awaitable<Expected<void>> take(const ReceivingRules::Answer& answer) {
    what_->report.working_on(entry(answer.index).path);
    if (const auto* const data = std::get_if<Data>(&answer.event)) co_return co_await take_data(data->bytes);
    PAKE_CO_TRYV(co_await wait_until_written());
    if (const auto* const hole = std::get_if<Hole>(&answer.event)) co_return co_await take_hole(hole->length);
    auto pending = std::move(pending_.front());
    pending_.pop_front();
    if (const auto* const prefix = std::get_if<Prefix>(&answer.event))
      co_return co_await take_prefix(std::move(pending), prefix->hash);
    if (const auto* const end = std::get_if<End>(&answer.event))
      co_return co_await take_end(std::move(pending), end->hash);
    if (!pending.is_given_up)
      note_missing(answer.index, Missing::not_sent,
                   std::get<NotComing>(answer.event).reason == Unreadable::changed
                       ? "it changed at the other side while it was sent"
                       : "the other side cannot read it");
    if (pending.part) pending.part->discard();
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> take_prefix(Pending pending, FileHash hash) {
    const auto index = pending.index;
    const bool is_same = pending.hash.hash() == hash;
    if (pending.step == Pending::Step::compare_whole) {
      if (is_same)
        is_unchanged(index);
      else if (overwrite() == Overwrite::no)
        note_missing(index, FileError{.kind = FileError::Kind::exists});
      else
        co_return co_await begin_part(index, EarlierPart::dropped);  // this file was asked about already
      co_return Expected<void>();
    }
    const auto size = pending.part->size();
    if (is_same) {
      say_note(fmt::format("{} goes on behind {}", escape(entry(index).path), size_in_words(size)));
      what_->report.add(size);
      co_return co_await fetch(std::move(pending), size);
    }
    FileResult<void> emptied;
    PAKE_CO_TRYV(co_await on_worker([&] { emptied = pending.part->begin_anew(); }));
    if (!emptied) {
      note_missing(index, emptied.error());
      co_return Expected<void>();
    }
    pending.hash = {};
    co_return co_await fetch(std::move(pending), 0);
  }

  void is_unchanged(std::uint32_t index) {
    what_->fates[index] = Fate::unchanged;
    what_->report.add(entry(index).size);
    what_->report.file("unchanged", entry(index).path, entry(index).size);
  }

  void give_up(Pending& pending, const FileError& error) {
    pending.is_given_up = true;
    note_missing(pending.index, error);
  }

  net::Awaitable<Expected<void>> take_data(Bytes bytes) {
    auto& pending = pending_.front();
    if (pending.is_given_up) co_return Expected<void>();
    what_->report.add(bytes.size());
    if (goes_to_stdout(pending.index)) co_return co_await write_out(pending, bytes);
    gathered_.push_back({.held = messages_->buffer(), .bytes = bytes});
    gathered_size_ += bytes.size();
    if (gathered_size_ >= kMostGathered) PAKE_CO_TRYV(co_await wait_until_free());
    write_gathered();
    co_return Expected<void>();
  }

  // What has come of the file at hand, and is not with a worker yet.
  struct Gathered {
    std::shared_ptr<const Buffer> held;
    Bytes bytes;
  };

  // Lets a worker write and hash it, unless one is at it still, while the next bytes come.
  void write_gathered() {
    if (is_writing_ || gathered_.empty()) return;
    is_writing_ = true;
    gathered_size_ = 0;
    loop_.spawn(write_behind(shared_from_this(), std::exchange(gathered_, {})));
  }

  static net::Awaitable<void> write_behind(std::shared_ptr<ReceivingRun> self, std::vector<Gathered> gathered) {
    auto& pending = self->pending_.front();
    FileResult<void> written;
    const auto ran = co_await self->loop_.on_worker([&] {
      for (const auto& some : gathered) {
        written = pending.part->write(some.bytes);
        if (!written) break;
        pending.hash.update(some.bytes);
      }
    });
    gathered.clear();
    self->is_writing_ = false;
    if (ran && !written) {
      self->give_up(pending, written.error());
      self->gathered_.clear();
    }
    self->writing_over_.notify();
  }

  net::Awaitable<Expected<void>> wait_until_free() {
    while (is_writing_)
      if (!co_await writing_over_.wait(net::kNever)) co_return std::unexpected(channel_cut());
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> wait_until_written() {
    while (is_writing_ || !gathered_.empty()) {
      write_gathered();
      PAKE_CO_TRYV(co_await wait_until_free());
    }
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> write_out(Pending& pending, Bytes bytes) {
    pending.hash.update(bytes);
    if (entry(pending.index).kind == EntryKind::text && ::isatty(STDOUT_FILENO) == 1) {
      pending.text += as_text(bytes);  // at most 64 KiB
      co_return Expected<void>();
    }
    what_->is_out_begun = true;
    const auto written = co_await what_->out->write_all(bytes);
    if (!written && written.error() == ECANCELED) co_return std::unexpected(channel_cut());
    if (!written) {
      pending.is_given_up = true;
      note_missing(pending.index, written.error() == ENOSPC ? Missing::no_room : Missing::cannot_write,
                   fmt::format("cannot write to stdout: {}", explain_errno(written.error())));
      is_stopped_ = true;
    }
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> take_hole(std::uint64_t length) {
    auto& pending = pending_.front();
    if (pending.is_given_up) co_return Expected<void>();
    if (goes_to_stdout(pending.index)) {
      const Buffer zeros(kMaxBody);
      for (; length > 0 && !pending.is_given_up;) {
        const auto size = std::min<std::uint64_t>(length, zeros.size());
        PAKE_CO_TRYV(co_await write_out(pending, Bytes(zeros).first(size)));
        what_->report.add(size);
        length -= size;
      }
      co_return Expected<void>();
    }
    FileResult<void> written;
    PAKE_CO_TRYV(co_await on_worker([&] { written = pending.part->skip(length); }));
    if (!written) {
      give_up(pending, written.error());
      co_return Expected<void>();
    }
    while (length > 0) {
      const auto count = std::min(length, kZerosAtOnce);
      PAKE_CO_TRYV(co_await on_worker([&] { pending.hash.update_zeros(count); }));
      length -= count;
      what_->report.add(count);
    }
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> take_end(Pending pending, FileHash hash) {
    if (pending.is_given_up) co_return Expected<void>();
    const auto index = pending.index;
    const auto& wanted = entry(index);
    if (pending.hash.hash() != hash) {
      if (pending.part) pending.part->discard();
      note_missing(index, Missing::not_sent, "what came is not what the other side read: it was thrown away");
      co_return Expected<void>();
    }
    if (!pending.part) {
      if (!pending.text.empty()) show_text(pending.text);
      what_->fates[index] = Fate::stored;
      co_return Expected<void>();
    }
    const auto size = pending.part->size();
    FileResult<void> is_down;
    PAKE_CO_TRYV(co_await on_worker([&] { is_down = what_->target->set_down(std::move(*pending.part), wanted); }));
    if (!is_down) {
      note_missing(index, is_down.error());
      co_return Expected<void>();
    }
    if (what_->set_down.empty()) store_at_ = net::after(kLongestSetDown);
    what_->set_down.push_back({.index = index, .size = size});
    bytes_set_down_ += size;
    co_return Expected<void>();
  }

  // Of many small files each would wait for the disk anew: they get their names together, soon.
  [[nodiscard]] bool is_time_to_store() const {
    if (what_->set_down.empty()) return false;
    return what_->set_down.size() >= kMostSetDown || bytes_set_down_ >= kMostBytesSetDown ||
           net::Clock::now() >= store_at_;
  }

  net::Awaitable<Expected<void>> store_what_was_set_down() {
    if (what_->set_down.empty()) co_return Expected<void>();
    std::vector<FileResult<void>> results;
    PAKE_CO_TRYV(co_await on_worker([&] { results = what_->target->store_all(overwrite()); }));
    const auto stored = std::exchange(what_->set_down, {});
    bytes_set_down_ = 0;
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const auto [index, size] = stored[i];
      if (!results[i]) {
        note_missing(index, results[i].error());
        continue;
      }
      what_->fates[index] = Fate::stored;
      what_->report.file("stored", entry(index).path, size);
    }
    co_return Expected<void>();
  }

  static void show_text(std::string_view text) {
    Output screen(STDOUT_FILENO);
    while (!text.empty()) {
      const auto end = text.find('\n');
      screen.line(escape(text.substr(0, end)));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  // --- the end ---

  net::Awaitable<Expected<void>> finish() {
    PAKE_CO_TRYV(co_await wait_until_written());
    PAKE_CO_TRYV(co_await store_what_was_set_down());
    FileResult<void> synced;
    if (what_->target) {
      PAKE_CO_TRYV(co_await on_worker([&] {
        synced = what_->target->sync_names();
        for (const auto& one : what_->entries | std::views::reverse)
          if (one.kind == EntryKind::folder) what_->target->set_time(one);
      }));
    }
    if (!synced) co_return std::unexpected(Problem{.error = "cannot write: " + synced.error().explain()});
    pending_.clear();
    for (std::uint32_t index = 0; index < what_->fates.size(); ++index)
      if (what_->fates[index] == Fate::open) what_->fates[index] = Fate::missing;
    what_->is_told = true;
    PAKE_CO_TRYV(co_await messages_->write(what_->summary()));
    messages_->end();
    co_return co_await messages_->drain();
  }

  net::Loop& loop_;
  std::shared_ptr<Receivable> what_;
  std::optional<MessageStream> messages_;
  std::optional<ReceivingRules> rules_;
  std::deque<Pending> pending_;
  std::vector<Gathered> gathered_;
  std::size_t gathered_size_ = 0;
  bool is_writing_ = false;
  net::Signal writing_over_{loop_};
  std::uint64_t bytes_set_down_ = 0;
  net::Deadline store_at_{};  // what was set down, at the latest
  bool is_stopped_ = false;   // nothing more is taken
};

}  // namespace

Summary Receivable::summary() const {
  Summary summary;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].kind == EntryKind::folder) continue;
    summary.stored += fates[i] == Fate::stored ? 1 : 0;
    summary.unchanged += fates[i] == Fate::unchanged ? 1 : 0;
    summary.missing += fates[i] == Fate::missing ? 1 : 0;
  }
  if (summary.missing != 0) summary.reason = reason == Missing::nothing ? Missing::cannot_write : reason;
  return summary;
}

net::Awaitable<Expected<void>> receive_over(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                            std::shared_ptr<Receivable> what) {
  const auto run = std::make_shared<ReceivingRun>(loop, std::move(what));
  co_return co_await run->run(std::move(link));
}

}  // namespace pake::cli::files
