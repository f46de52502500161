#include "pake/client/record.h"

#include <array>
#include <chrono>
#include <utility>

#include "pake/internal/try.h"
#include "pake/net/account_stream.h"
#include "pake/net/clock.h"
#include "pake/net/coroutine.h"
#include "pake/proto/opaque/client.h"

namespace pake::client {
namespace {

using namespace std::chrono_literals;
using channel::RecordRefusal;
using channel::RecordRefused;
using What = RecordFailure::What;

constexpr auto kStep = 15s;    // a message there, the answer back
constexpr auto kCommit = 30s;  // the server's store

template <class T>
using Made = std::expected<T, RecordFailure>;

std::unexpected<RecordFailure> fail(What what) { return std::unexpected(RecordFailure{.what = what}); }

class Registration {
 public:
  Registration(net::Loop& loop, net::Workers& workers, net::ChannelLink& link, std::unique_ptr<net::Stream> stream,
               channel::Suite suite, const NewRecord& record, Rng& rng)
      : loop_(loop),
        workers_(workers),
        link_(link),
        stream_(std::move(stream)),
        suite_(suite),
        id_(static_cast<opaque::SuiteId>(suite)),
        record_(record),
        rng_(rng) {}

  net::Awaitable<Made<RecordMade>> run() {
    PAKE_CO_TRY(auto registered, co_await register_anew());
    if (record_.accept_export_key && !record_.accept_export_key(registered.export_key)) {
      co_await send_last(RecordRefused{.code = RecordRefusal::declined});
      co_return fail(What::declined);
    }
    PAKE_CO_TRYV(co_await prove(registered));
    PAKE_CO_TRYV(co_await next<channel::RecordStored>(kCommit));
    stream_.stream().shutdown_write();
    co_return RecordMade{.suite = suite_,
                         .ksf = ksf_,
                         .server_public_key = std::move(registered.server_public_key),
                         .export_key = std::move(registered.export_key)};
  }

 private:
  [[nodiscard]] std::unexpected<RecordFailure> cut(const net::Error& error) const {
    return std::unexpected(RecordFailure{.what = What::cut, .error = error, .may_be_stored = is_proved_});
  }

  template <class Message>
  net::Awaitable<Made<Message>> next(net::Clock::duration patience) {
    auto read = co_await stream_.read(net::after(patience));
    if (!read && read.error() == net::Error::Kind::run_failed) co_return fail(What::malformed);
    if (!read) co_return cut(read.error());
    if (auto* const message = std::get_if<Message>(&*read)) co_return *message;
    if (auto* const refused = std::get_if<RecordRefused>(&*read))
      co_return std::unexpected(RecordFailure{.what = What::refused, .refusal = *refused});
    co_return fail(What::malformed);
  }

  net::Awaitable<Made<void>> send(Buffer message) {
    const auto sent = co_await stream_.write(std::move(message), net::after(kStep));
    if (!sent) co_return cut(sent.error());
    co_return Made<void>();
  }

  net::Awaitable<void> send_last(RecordRefused message) {
    static_cast<void>(co_await stream_.write(message.encode(), net::after(kStep)));
    stream_.stream().shutdown_write();
  }

  net::Awaitable<Made<crypto::Digest>> stretch(const crypto::KsfJob& job) {
    std::optional<Result<crypto::Digest>> stretched;
    const auto ran = co_await workers_.run(loop_, [&] { stretched.emplace(job.run()); });
    if (!ran) co_return cut(ran.error());
    if (!*stretched) co_return fail(What::no_memory);
    co_return std::move(**stretched);
  }

  [[nodiscard]] SecretBuffer password() const { return SecretBuffer::copy_of(record_.password.reveal()); }
  [[nodiscard]] opaque::Identities identities() const { return {.client = as_bytes(record_.name)}; }

  // RecordRequest -> RecordAnswer -> the record, which is not sent yet.
  net::Awaitable<Made<opaque::RegistrationFinished>> register_anew() {
    auto requested = opaque::ClientRegistration(id_, password()).create_registration_request(rng_);
    if (!requested) co_return fail(What::malformed);
    PAKE_CO_TRYV(co_await send(channel::RecordRequest{.purpose = record_.purpose,
                                                      .suite = suite_,
                                                      .name = as_bytes(record_.name),
                                                      .registration_request = requested->registration_request}
                                   .encode()));
    PAKE_CO_TRY(const auto answer, co_await next<channel::RecordAnswer>(kStep));
    if (answer.suite != suite_) co_return fail(What::malformed);
    ksf_ = answer.ksf;
    if (compare_strength(ksf_, record_.ksf_floor) < 0 || compare_strength(ksf_, record_.ksf_ceiling) > 0) {
      co_await send_last(RecordRefused{.code = RecordRefusal::declined});
      co_return std::unexpected(RecordFailure{.what = What::weak_ksf, .ksf = ksf_});
    }
    parameters_ = crypto::ksf_parameters(ksf_, opaque::sizes(id_).Nh);
    auto stretching = std::move(requested->next)
                          .receive_registration_response(answer.registration_response,
                                                         {.identities = identities(), .ksf = parameters_});
    if (!stretching) co_return fail(What::malformed);
    const auto job = stretching->ksf_job();
    if (!job) co_return fail(What::malformed);
    PAKE_CO_TRY(auto stretched, co_await stretch(*job));
    auto finished = std::move(*stretching).finalize_registration_request(std::move(stretched), rng_);
    if (!finished) co_return fail(What::malformed);
    co_return std::move(*finished);
  }

  // RecordUpload -> RecordChallenge -> RecordProof: a login by the new record.
  net::Awaitable<Made<void>> prove(const opaque::RegistrationFinished& registered) {
    auto started = opaque::ClientLogin(id_, password()).generate_ke1(rng_);
    if (!started) co_return fail(What::malformed);
    PAKE_CO_TRYV(co_await send(channel::RecordUpload{
        .suite = suite_, .ksf = ksf_, .registration_record = registered.record, .ke1 = started->ke1}
                                   .encode()));
    PAKE_CO_TRY(const auto challenge, co_await next<channel::RecordChallenge>(kStep));
    std::array<std::uint8_t, 64> exported{};
    const std::array purpose = {static_cast<std::uint8_t>(record_.purpose)};
    if (challenge.suite != suite_ || !link_.export_keying_material(channel::kRecordExportLabel, purpose, exported))
      co_return fail(What::malformed);
    const auto context = channel::record_login_context(exported);
    auto stretching =
        std::move(started->next)
            .receive_ke2(challenge.ke2, {.context = context, .identities = identities(), .ksf = parameters_});
    if (!stretching) co_return fail(What::malformed);
    const auto job = stretching->ksf_job();
    if (!job) co_return fail(What::malformed);
    PAKE_CO_TRY(auto stretched, co_await stretch(*job));
    const auto login = std::move(*stretching).generate_ke3(std::move(stretched));
    if (!login || login->server_public_key != registered.server_public_key) {
      co_await send_last(RecordRefused{});
      co_return fail(What::malformed);
    }
    is_proved_ = true;
    co_return co_await send(channel::RecordProof{.suite = suite_, .ke3 = login->ke3}.encode());
  }

  net::Loop& loop_;
  net::Workers& workers_;
  net::ChannelLink& link_;
  net::AccountStream stream_;
  channel::Suite suite_;
  opaque::SuiteId id_;
  const NewRecord& record_;
  Rng& rng_;
  crypto::KsfProfile ksf_{};
  crypto::KsfParameters parameters_;
  bool is_proved_ = false;  // the server may have all that it stores
};

}  // namespace

net::Awaitable<Made<RecordMade>> make_record_on(net::Loop& loop, net::Workers& workers, net::ChannelLink& link,
                                                std::unique_ptr<net::Stream> stream, channel::Suite suite,
                                                NewRecord record, Rng& rng) {
  Registration registration(loop, workers, link, std::move(stream), suite, record, rng);
  co_return co_await registration.run();
}

// A server of another suite says so, once.
net::Awaitable<Made<RecordMade>> make_record(net::Loop& loop, net::Workers& workers, net::ChannelLink& link,
                                             NewRecord record, Rng& rng) {
  auto suite = channel::Suite::opaque_ristretto255;
  for (bool is_second = false;; is_second = true) {
    auto stream = link.open(channel::kAccountService);
    if (!stream) co_return fail(What::cut);
    Registration registration(loop, workers, link, std::move(*stream), suite, record, rng);
    auto made = co_await registration.run();
    const auto& refusal = made ? std::optional<RecordRefused>() : made.error().refusal;
    if (made || is_second || !refusal || !refusal->suite || *refusal->suite == suite) co_return made;
    suite = *refusal->suite;
  }
}

}  // namespace pake::client
