#include "pair/pairing.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <span>
#include <utility>

#include "files/channel.h"
#include "login/remembering.h"
#include "network/problems.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/stream.h"
#include "pipe/exported.h"
#include "process/output.h"

namespace pake::cli::pair {
namespace {

constexpr const char* kService = "pair";
constexpr channel::InternalLabel kKeptLabel{"pair"};
constexpr std::chrono::seconds kAnswer{30};  // of the other side, each time
constexpr std::chrono::seconds kLastWord{5};

static_assert(pipe::ExportedKey::kSize == client::kPairedKeySize);

enum class Step : std::uint8_t { ready = 1, done = 2 };

Problem not_the_same() {
  return {.exit_code = kExitUsage,
          .error = "the two sides want different things: each keeps the key, or each prints it under the same label",
          .hint = "start both again, each with --name, or each with the same --export LABEL; nothing was kept"};
}

class Pairing {
 public:
  Pairing(std::shared_ptr<net::ChannelLink> link, Destination destination, Side side)
      : link_(std::move(link)), destination_(std::move(destination)), side_(side) {}

  net::Awaitable<Expected<void>> run() {
    PAKE_CO_TRYV(co_await take_stream());
    if (auto prepared = prepare(); !prepared) co_return failed(std::move(prepared));
    PAKE_CO_TRYV(co_await tell(Step::ready));
    PAKE_CO_TRYV(co_await hear(Step::ready));
    if (auto kept = keep(); !kept) co_return failed(std::move(kept));
    has_kept_ = true;
    PAKE_CO_TRYV(co_await tell(Step::done));
    PAKE_CO_TRYV(co_await hear(Step::done));
    stream_->shutdown_write();
    co_return Expected<void>();
  }

  /// How it ended, in words.
  [[nodiscard]] Expected<void> said(Expected<void> outcome) const {
    if (outcome) {
      say_note(is_printed() ? "the key is printed, and the other side has printed it too"
                            : fmt::format("the key is in {}, and the other side has kept it too", destination_.path));
    } else if (has_kept_ && !is_printed()) {
      outcome.error().hint = fmt::format(
          "the key is in {}, but the other side may have none: pair again, with --overwrite", destination_.path);
    } else if (has_kept_) {
      outcome.error().hint = pipe::kOneSided;
    } else if (outcome.error().hint.empty()) {
      outcome.error().hint = "this side has kept no key, and the code is used up: start both again";
    }
    return outcome;
  }

 private:
  [[nodiscard]] bool is_printed() const { return !destination_.label.empty(); }

  Expected<void> failed(Expected<void> outcome) {
    link_->delivery_failed();
    return outcome;
  }

  net::Awaitable<Expected<void>> take_stream() {
    if (side_ == Side::types_code) {
      auto opened = link_->open(kService, as_bytes(destination_.label));
      if (!opened) co_return std::unexpected(channel_cut());
      stream_ = std::move(*opened);
      co_return Expected<void>();
    }
    auto accepted = co_await link_->accept(net::after(kAnswer));
    if (!accepted) co_return std::unexpected(channel_cut());
    stream_ = std::move(accepted->stream);
    if (accepted->service != kService) {
      stream_->reset(channel::ResetCode::no_such_service);
      co_return std::unexpected(
          Problem{.exit_code = kExitProtocol, .error = "the other side runs another command than pake pair"});
    }
    if (as_text(accepted->argument) != destination_.label) {
      stream_->reset(channel::ResetCode::not_allowed);
      static_cast<void>(co_await link_->accept(net::after(kLastWord)));  // the other side ends first, and knows why
      co_return std::unexpected(not_the_same());
    }
    co_return Expected<void>();
  }

  Expected<void> prepare() {
    if (is_printed()) {
      PAKE_TRY(printed_, pipe::exported_key(*link_, destination_.label));
      return {};
    }
    const auto key = pipe::ExportedKey::make([&](std::span<std::uint8_t, pipe::ExportedKey::kSize> out) {
      if (!link_->export_keying_material(kKeptLabel, {}, out)) std::abort();  // the lengths are constants
    });
    if (auto written = destination_.place->write(key.reveal()); !written)
      return std::unexpected(cannot_keep(written.error()));
    return {};
  }

  Expected<void> keep() {
    if (is_printed()) return pipe::print_key(*printed_);
    if (auto kept = destination_.place->keep(); !kept) return std::unexpected(cannot_keep(kept.error()));
    return {};
  }

  net::Awaitable<Expected<void>> tell(Step step) {
    const std::array message = {static_cast<std::uint8_t>(step)};
    const auto sent = co_await stream_->write_all(message, net::after(kAnswer));
    if (!sent) co_return std::unexpected(problem_of(sent.error()));
    co_return Expected<void>();
  }

  net::Awaitable<Expected<void>> hear(Step step) {
    std::array<std::uint8_t, 1> message{};
    const auto count = co_await stream_->read_some(message, net::after(kAnswer));
    if (!count && count.error() == net::Error::Kind::closed) co_return std::unexpected(channel_cut());
    if (!count) co_return std::unexpected(problem_of(count.error()));
    if (message.front() != static_cast<std::uint8_t>(step))
      co_return std::unexpected(
          Problem{.exit_code = kExitProtocol, .error = "the other side sent what has no place in a pairing"});
    co_return Expected<void>();
  }

  static Problem problem_of(const net::Error& error) {
    const bool is_other = error == net::Error::Kind::reset && error.reset_code == channel::ResetCode::not_allowed;
    return is_other ? not_the_same() : stream_ended(error);
  }

  std::shared_ptr<net::ChannelLink> link_;
  Destination destination_;
  Side side_;
  std::unique_ptr<net::Stream> stream_;
  std::optional<pipe::ExportedKey> printed_;
  bool has_kept_ = false;
};

}  // namespace

Problem cannot_keep(const client::MemoryFailure& failure) {
  if (failure.error == EEXIST)
    return {.exit_code = kExitStore,
            .error = fmt::format("{} has come into being meanwhile, and stays as it is", failure.path.string())};
  return {.exit_code = kExitStore,
          .error = fmt::format("cannot keep the key in {}: {}", failure.path.string(), explain_errno(failure.error))};
}

Expected<client::PairedKeys> paired_keys() {
  const auto directory = login::state_directory();
  if (!directory)
    return std::unexpected(Problem{.exit_code = kExitStore,
                                   .error = "there is no place to keep the key in",
                                   .hint = "set HOME or XDG_STATE_HOME"});
  return client::PairedKeys(*directory / "pairs");
}

net::Awaitable<Expected<void>> leave_key(net::Loop& loop, std::shared_ptr<net::ChannelLink> link,
                                         Destination destination, Side side) {
  const auto pairing = std::make_shared<Pairing>(link, std::move(destination), side);
  auto result = co_await files::run_channel(
      loop, link, [pairing](const std::shared_ptr<net::ChannelLink>&) { return pairing->run(); });
  co_return pairing->said(std::move(result.outcome));
}

}  // namespace pake::cli::pair
