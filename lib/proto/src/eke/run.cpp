#include "run.h"

#include <algorithm>
#include <utility>

namespace pake::eke {

Want Run::want() const noexcept {
  if (!outbox_.empty()) return Want::send;
  switch (outcome_) {
    case Outcome::open:
      return Want::receive;
    case Outcome::done:
      return Want::done;
    case Outcome::failed:
      return Want::failed;
  }
  std::unreachable();
}

std::unexpected<Errc> Run::misuse() noexcept {
  if (outcome_ == Outcome::open) {
    outbox_.clear();
    end(std::nullopt);
  }
  return fail(Errc::misuse);
}

Result<Buffer> Run::take_message() {
  if (want() != Want::send) return misuse();
  return std::exchange(outbox_, {});
}

Result<std::size_t> Run::receive(Bytes bytes, Arrived arrived) {
  if (want() != Want::receive) return misuse();
  const auto [at_least, at_most, silence_ends] = incoming();
  if (bytes.size() < at_least) return 0;
  const auto size = read(bytes.first(std::min(bytes.size(), at_most)), arrived);
  if (size) return *size;
  end(size.error());
  return fail(error_class(size.error()));
}

std::optional<Errc> Run::error() const noexcept {
  if (want() != Want::failed) return std::nullopt;
  return failure_ ? error_class(*failure_) : Errc::misuse;
}

std::optional<Failure> Run::failure() const noexcept { return want() == Want::failed ? failure_ : std::nullopt; }

Result<SessionKey> Run::take_session_key() {
  if (want() != Want::done || !key_) return fail(Errc::misuse);
  auto key = std::move(*key_);
  key_.reset();
  return key;
}

void Run::finish(Bytes Ks) {
  key_ = SessionKey::copy_of(Ks);
  outcome_ = Outcome::done;
  forget();
}

void Run::end(std::optional<Failure> failure) noexcept {
  failure_ = failure;
  outcome_ = Outcome::failed;
  forget();
}

RsaMachine::RsaMachine(std::unique_ptr<Run> run) noexcept : run_(std::move(run)) {}
RsaMachine::~RsaMachine() = default;

Want RsaMachine::want() const noexcept { return run_->want(); }
Result<Buffer> RsaMachine::take_message() { return run_->take_message(); }
Incoming RsaMachine::incoming() const noexcept { return run_->incoming(); }
Result<std::size_t> RsaMachine::receive(Bytes bytes, Arrived arrived) { return run_->receive(bytes, arrived); }
Status RsaMachine::provide_record(std::optional<Bytes> /*stored*/) { return run_->misuse(); }
Result<std::unique_ptr<Job>> RsaMachine::take_job() { return run_->misuse(); }
Status RsaMachine::resume(std::unique_ptr<Job> /*job*/) { return run_->misuse(); }
std::optional<Errc> RsaMachine::error() const noexcept { return run_->error(); }
Result<SessionKey> RsaMachine::take_session_key() { return run_->take_session_key(); }
std::optional<Failure> RsaMachine::failure() const noexcept { return run_->failure(); }

}  // namespace pake::eke
