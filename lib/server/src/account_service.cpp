#include "account_service.h"

#include <array>
#include <expected>
#include <utility>
#include <vector>

#include "pake/channel/handshake.h"
#include "pake/internal/try.h"
#include "pake/net/account_stream.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/proto/opaque/server.h"
#include "pake/store/bucket.h"
#include "pake/store/sealing.h"
#include "registration.h"

namespace pake::server {
namespace {

using namespace std::chrono_literals;
using channel::RecordPurpose;
using channel::RecordRefusal;
using channel::RecordRefused;
using store::StoreErrc;

constexpr auto kStep = 10s;
constexpr auto kStretchingStep = 90s;  // the client stretches before this message

/// Why there is no new record: what the client is told.
template <class T>
using Made = std::expected<T, RecordRefused>;

std::unexpected<RecordRefused> refuse(RecordRefusal code) { return std::unexpected(RecordRefused{.code = code}); }

std::string_view action_of(RecordPurpose purpose) {
  switch (purpose) {
    case RecordPurpose::enrol:
      return "user.enrol";
    case RecordPurpose::change_password:
      return "user.passwd";
    case RecordPurpose::migrate:
      return "user.migrate";
  }
  std::unreachable();
}

class Registration {
 public:
  Registration(std::shared_ptr<State> state, net::Loop& loop, AccountChannel& channel,
               std::unique_ptr<net::Stream> stream)
      : state_(std::move(state)), loop_(loop), channel_(channel), stream_(std::move(stream)) {}

  net::Awaitable<bool> run() {
    const auto made = co_await make();
    const auto refused = made ? std::optional<RecordRefused>() : made.error();
    auto last = made ? channel::RecordStored{}.encode() : refused->encode();
    static_cast<void>(co_await stream_.write(std::move(last), net::after(kStep)));
    stream_.stream().shutdown_write();
    log(refused);
    co_return made.has_value();
  }

 private:
  net::Awaitable<Made<void>> make() {
    PAKE_CO_TRYV(co_await begin());
    PAKE_CO_TRYV(co_await prove());
    co_return co_await commit();
  }

  template <class Message>
  net::Awaitable<Made<Message>> next(net::Clock::duration patience) {
    auto read = co_await stream_.read(net::after(patience));
    if (!read) co_return refuse(RecordRefusal::refused);
    auto* const message = std::get_if<Message>(&*read);
    if (message == nullptr) co_return refuse(RecordRefusal::refused);
    co_return *message;
  }

  [[nodiscard]] bool may(RecordPurpose purpose) const {
    if (channel_.by == EnteredBy::code) return purpose == RecordPurpose::enrol;
    // What writes a credential needs a channel that was opened by password in this run.
    return channel_.by == EnteredBy::password && purpose != RecordPurpose::enrol;
  }

  // RecordRequest -> RecordAnswer. The answer is charged before it is given, and never given back.
  net::Awaitable<Made<void>> begin() {
    PAKE_CO_TRY(const auto request, co_await next<channel::RecordRequest>(kStep));
    purpose_ = request.purpose;
    if (!may(purpose_) || as_text(request.name) != channel_.user || channel_.has_answered)
      co_return refuse(RecordRefusal::not_allowed);
    auto& accounts = *state_->accounts;
    parameters_ = accounts.current_parameters(wall_now());
    suite_ = static_cast<channel::Suite>(parameters_.suite);
    if (request.suite != suite_)
      co_return std::unexpected(RecordRefused{.code = RecordRefusal::other_suite, .suite = suite_});
    const auto keyring = accounts.keyring();
    const auto* const member = keyring->find(parameters_.epoch, parameters_.suite);
    const auto ksf = crypto::decode_ksf_profile(parameters_.ksf_profile);
    if (member == nullptr || !ksf) co_return refuse(RecordRefusal::unavailable);
    keys_ = member->keys;
    ksf_ = *ksf;
    const auto asked = to_buffer(request.registration_request);  // a view of what the next read overwrites
    PAKE_CO_TRYV(co_await charge(*keyring));
    channel_.has_answered = true;
    // Its bucket has been charged above, for good: there is no outcome to hear of.
    const auto response = opaque::create_registration_response(asked, *keys_, identifier(), GuessPermit(nullptr));
    if (!response) co_return refuse(RecordRefusal::refused);
    co_return co_await send(
        channel::RecordAnswer{.suite = suite_, .ksf = ksf_, .registration_response = *response}.encode());
  }

  net::Awaitable<Made<void>> charge(const Keyring& keyring) {
    const bool by_code = channel_.by == EnteredBy::code;
    const auto& rules = state_->config()->guesses;
    const auto& rule = by_code ? rules.registration_by_code : rules.registration_by_name;
    const auto& file = keyring.file();
    const auto bucket = by_code ? registration_bucket_of_code(file, as_bytes(channel_.selector))
                                : registration_bucket_of_name(file, as_bytes(channel_.user));
    auto slot = state_->guesses.take({.target = bucket, .source = bucket, .new_rows = {}}, 1);
    if (!slot) co_return throttled(slot.error());
    auto& store = accounts_store();
    const auto rows = co_await state_->blocking(loop_, [&] { return store.read_buckets({&bucket, 1}); });
    if (!rows || !*rows) co_return unavailable(rows ? &rows->error() : nullptr);
    // Strangers cannot come here, so no source pays for the row.
    const auto now = wall_now();
    if (store::guesses_left(rule, (*rows)->front(), now) < 1)
      co_return throttled(
          {std::chrono::ceil<std::chrono::seconds>(store::wait_until_left(rule, (*rows)->front(), 1, now))});
    const store::Charge one{
        .key = bucket, .refill_interval = rule.refill_interval, .of_an_account = true, .digest = {}, .new_row = {}};
    const auto charged = co_await state_->blocking(loop_, [&] { return store.charge({&one, 1}, wall_now()); });
    if (!charged || !*charged) co_return unavailable(charged ? &charged->error() : nullptr);
    co_return Made<void>();
  }

  // RecordUpload -> RecordChallenge -> RecordProof: the record is good for a login, here and now.
  net::Awaitable<Made<void>> prove() {
    PAKE_CO_TRY(const auto upload, co_await next<channel::RecordUpload>(kStretchingStep));
    if (upload.suite != suite_) co_return refuse(RecordRefusal::refused);
    // Another profile than that of unknown names would tell that this name has an account.
    if (upload.ksf != ksf_) co_return refuse(RecordRefusal::weak_ksf);
    auto record = opaque::RegistrationRecord::decode(keys_->suite(), upload.registration_record);
    if (!record) co_return refuse(RecordRefusal::refused);
    const opaque::StoredRecord stored{
        .suite = keys_->suite(), .ksf = ksf_, .epoch = parameters_.epoch, .record = std::move(*record)};
    record_ = SecretBuffer::copy_of(stored.encode());
    std::array<std::uint8_t, 64> exported{};
    const std::array purpose = {static_cast<std::uint8_t>(purpose_)};
    if (!channel_.link->export_keying_material(channel::kRecordExportLabel, purpose, exported))
      co_return refuse(RecordRefusal::refused);
    const auto context = channel::record_login_context(exported);
    const auto credential = identifier();
    // The permit of the answer that was charged above: whoever proves this record has made it, a moment ago, in this
    // channel, so there is nothing to guess.
    opaque::ServerLogin login(keys_->suite(), GuessPermit(nullptr));
    auto answered = std::move(login).generate_ke2(upload.ke1,
                                                  {.record = stored.record,
                                                   .credential_identifier = credential,
                                                   .context = context,
                                                   .identities = {.client = as_bytes(channel_.user)}},
                                                  *keys_, *state_->rng);
    if (!answered) co_return refuse(RecordRefusal::refused);
    PAKE_CO_TRYV(co_await send(channel::RecordChallenge{.suite = suite_, .ke2 = answered->ke2}.encode()));
    PAKE_CO_TRY(const auto proof, co_await next<channel::RecordProof>(kStretchingStep));
    if (proof.suite != suite_ || !std::move(answered->next).server_finish(proof.ke3))
      co_return refuse(RecordRefusal::refused);
    co_return Made<void>();
  }

  // One transaction: the record is swapped, the invitation ends, the change is written down.
  net::Awaitable<Made<void>> commit() {
    const auto swapped = co_await state_->blocking(loop_, [&] { return swap(); });
    if (!swapped) co_return unavailable(nullptr);
    if (*swapped) {
      ++state_->counters.enrolments;
      channel_.generation = **swapped;
      co_return Made<void>();
    }
    switch (swapped->error().code) {
      case StoreErrc::conflict:
      case StoreErrc::exists:
        co_return refuse(RecordRefusal::conflict);
      case StoreErrc::not_found:
      case StoreErrc::invitation_gone:
        co_return refuse(RecordRefusal::refused);
      default:
        co_return unavailable(&swapped->error());
    }
  }

  store::StoreResult<std::uint64_t> swap() {
    auto& store = accounts_store();
    PAKE_TRY(const auto row, store.find_user(channel_.user));
    if (!row || row->state != store::UserState::enabled)
      return store::fail(StoreErrc::not_found, "the user is gone or disabled");
    if (row->generation != channel_.generation)
      return store::fail(StoreErrc::conflict, "the user's credential has changed meanwhile");
    auto next = store::next_revision(*row, wall_now());
    next.parameters = parameters_;
    if (purpose_ != RecordPurpose::migrate) ++next.generation;
    const auto generation = next.generation;
    PAKE_TRYV(store::seal_user(state_->accounts->keyring()->file(), next, record_.reveal(), *state_->rng));
    store::UserWrite write{.row = std::move(next), .redeemed_selector = {}};
    if (channel_.by == EnteredBy::code) write.redeemed_selector = channel_.selector;
    const store::AuditNote note{.at = wall_now(),
                                .actor = "user",
                                .action = std::string(action_of(purpose_)),
                                .name = channel_.user,
                                .detail = {}};
    // The feed may tell of the change before this returns; it ends the user's other sessions, not this one.
    if (channel_.session) channel_.session->generation = generation;
    auto written = store.write_user(write, note);
    if (written) return generation;
    if (channel_.session) channel_.session->generation = channel_.generation;
    return std::unexpected(std::move(written.error()));
  }

  net::Awaitable<Made<void>> send(Buffer message) {
    if (!co_await stream_.write(std::move(message), net::after(kStep))) co_return refuse(RecordRefusal::refused);
    co_return Made<void>();
  }

  static std::unexpected<RecordRefused> throttled(const Throttled& why) {
    return std::unexpected(RecordRefused{.code = RecordRefusal::throttled,
                                         .suite = {},
                                         .retry_after = static_cast<std::uint32_t>(why.retry_after.count())});
  }
  std::unexpected<RecordRefused> unavailable(const store::StoreError* error) {
    if (error != nullptr) state_->report(*error);
    return refuse(RecordRefusal::unavailable);
  }

  void log(const std::optional<RecordRefused>& refused) {
    // A client that does not take part says nothing.
    const auto level = purpose_ == RecordPurpose{} ? LogLevel::debug : LogLevel::warning;
    state_->log()->write(refused ? level : LogLevel::info, "record",
                         {{.key = "action", .value = purpose_ == RecordPurpose{} ? "none" : action_of(purpose_)},
                          {.key = "user", .value = channel_.user},
                          {.key = "refused", .value = refused ? static_cast<std::int64_t>(refused->code) : 0}});
  }

  store::CredentialStore& accounts_store() { return state_->accounts->store(); }
  Buffer identifier() const { return channel::credential_identifier(as_bytes(channel_.user)); }

  std::shared_ptr<State> state_;
  net::Loop& loop_;
  AccountChannel& channel_;
  net::AccountStream stream_;
  RecordPurpose purpose_{};
  store::CredentialParameters parameters_;
  channel::Suite suite_{};
  crypto::KsfProfile ksf_{};
  std::shared_ptr<const opaque::ServerKeys> keys_;
  SecretBuffer record_;
};

}  // namespace

net::Awaitable<bool> serve_account_stream(std::shared_ptr<State> state, net::Loop& loop, AccountChannel& channel,
                                          std::unique_ptr<net::Stream> stream) {
  Registration registration(std::move(state), loop, channel, std::move(stream));
  co_return co_await registration.run();
}

}  // namespace pake::server
