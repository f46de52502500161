// Private to the room: a machine of the common interface made of steps. Each step is a function of what has come in; it
// says what is to be sent, and what happens after that.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "pake/base/bytes.h"
#include "pake/base/result.h"
#include "pake/proto/issued_job.h"
#include "pake/proto/machine.h"

namespace pake {

struct Then;

/// A message of the peer: step(message), once size_of says that it is whole.
struct ThenReceive {
  std::size_t at_least;
  std::size_t at_most;
  /// Bytes of the message with which `bytes` (at_least of them or more) begin, 0 while it is not whole. Errc::malformed
  /// as soon as it cannot become one of at most at_most bytes. Not set: every message has at_least bytes.
  std::function<Result<std::size_t>(Bytes bytes)> size_of;
  std::move_only_function<Result<Then>(Bytes message)> step;
};
/// The store's answer.
struct ThenRecord {
  std::move_only_function<Result<Then>(std::optional<Bytes> stored)> step;
};
/// A job for another thread, which gives what happens when it is back.
struct ThenStretch {
  IssuedJob<std::move_only_function<Result<Then>()>> job;
};
/// The end.
struct ThenDone {
  SessionKey key;
};

struct Then {
  std::optional<Buffer> send;
  std::variant<ThenReceive, ThenRecord, ThenStretch, ThenDone> next;
};

/// `Interface` is Machine, or what a protocol adds to it.
template <class Interface = Machine>
class StepMachine : public Interface {
 public:
  explicit StepMachine(Result<Then> first) { advance(std::move(first)); }

  [[nodiscard]] Want want() const noexcept override {
    if (error_) return Want::failed;
    if (then_.send) return Want::send;
    if (std::holds_alternative<ThenReceive>(then_.next)) return Want::receive;
    if (std::holds_alternative<ThenRecord>(then_.next)) return Want::decision;
    if (std::holds_alternative<ThenStretch>(then_.next)) return Want::ksf;
    return Want::done;
  }

  [[nodiscard]] Result<Buffer> take_message() override {
    if (want() != Want::send) return misuse();
    return *std::exchange(then_.send, std::nullopt);
  }

  [[nodiscard]] Incoming incoming() const noexcept override {
    if (want() != Want::receive) return {};
    const auto& receive = std::get<ThenReceive>(then_.next);
    return {.at_least = receive.at_least, .at_most = receive.at_most, .silence_ends = false};
  }

  [[nodiscard]] Result<std::size_t> receive(Bytes bytes, Arrived) override {
    if (want() != Want::receive) return misuse();
    auto& receive = std::get<ThenReceive>(then_.next);
    if (bytes.size() < receive.at_least) return 0;
    const auto size = receive.size_of ? receive.size_of(bytes) : Result<std::size_t>(receive.at_least);
    if (!size) {
      end(size.error());
      return size;
    }
    if (*size == 0 || *size > bytes.size()) return 0;
    auto step = std::move(receive.step);
    advance(step(bytes.first(*size)));
    if (error_) return fail(*error_);
    return *size;
  }

  [[nodiscard]] Status provide_record(std::optional<Bytes> stored) override {
    if (want() != Want::decision) return misuse();
    auto step = std::move(std::get<ThenRecord>(then_.next).step);
    return advance(step(stored));
  }

  [[nodiscard]] Result<std::unique_ptr<Job>> take_job() override {
    if (want() != Want::ksf) return misuse();
    auto job = std::get<ThenStretch>(then_.next).job.issue();
    if (!job) return misuse();
    return job;
  }

  [[nodiscard]] Status resume(std::unique_ptr<Job> job) override {
    if (want() != Want::ksf) return misuse();
    auto output = std::get<ThenStretch>(then_.next).job.take_back(std::move(job));
    if (!output) return misuse();
    if (!*output) return advance(fail(output->error()));
    return advance((**output)());
  }

  [[nodiscard]] std::optional<Errc> error() const noexcept override { return error_; }

  [[nodiscard]] Result<SessionKey> take_session_key() override {
    if (want() != Want::done || std::get<ThenDone>(then_.next).key.empty()) return fail(Errc::misuse);
    return std::move(std::get<ThenDone>(then_.next).key);
  }

 private:
  Status advance(Result<Then> then) {
    if (!then) {
      end(then.error());
      return fail(then.error());
    }
    then_ = *std::move(then);
    return {};
  }
  /// For good: what the steps held is wiped.
  void end(Errc error) {
    then_ = Then{.send = std::nullopt, .next = ThenDone{}};
    error_ = error;
  }
  std::unexpected<Errc> misuse() {
    if (want() != Want::done && want() != Want::failed) end(Errc::misuse);
    return fail(Errc::misuse);
  }

  Then then_{.send = std::nullopt, .next = ThenDone{}};
  std::optional<Errc> error_;
};

}  // namespace pake
