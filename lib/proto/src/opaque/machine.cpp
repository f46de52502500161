#include "pake/proto/opaque/machine.h"

#include <expected>
#include <optional>
#include <utility>
#include <variant>

#include "key_schedule.h"
#include "pake/internal/try.h"
#include "pake/proto/issued_job.h"
#include "pake/proto/opaque/client.h"
#include "pake/proto/opaque/server.h"

namespace pake::opaque {
namespace {

bool is_suite(SuiteId suite) { return decode_suite_id(static_cast<std::uint8_t>(suite)).has_value(); }

/// What the four machines share: one message at a time, each of a known size, and one job, which gives an Output.
template <class Interface, class Output>
class Run : public Interface {
 public:
  [[nodiscard]] Want want() const noexcept final { return want_; }
  [[nodiscard]] std::optional<Errc> error() const noexcept final { return error_; }

  [[nodiscard]] Result<Buffer> take_message() final {
    if (want_ != Want::send) return misuse();
    want_ = after_message_;
    return std::move(message_);
  }

  [[nodiscard]] Incoming incoming() const noexcept final {
    return {.at_least = expected_, .at_most = expected_, .silence_ends = false};
  }

  [[nodiscard]] Result<std::size_t> receive(Bytes bytes, Arrived /*arrived*/) final {
    if (want_ != Want::receive) return misuse();
    const auto size = expected_;
    if (bytes.size() < size) return 0;
    PAKE_TRYV(settle(on_message(bytes.first(size))));
    return size;
  }

  [[nodiscard]] Status provide_record(std::optional<Bytes>) override { return misuse(); }

  [[nodiscard]] Result<std::unique_ptr<Job>> take_job() final {
    auto job = job_ ? job_->issue() : fail(Errc::misuse);
    if (!job) return misuse();
    return job;
  }

  [[nodiscard]] Status resume(std::unique_ptr<Job> job) final {
    auto output = job_ ? job_->take_back(std::move(job)) : fail(Errc::misuse);
    if (!output) return misuse();
    job_.reset();
    return settle(on_job(*std::move(output)));
  }

  [[nodiscard]] Result<SessionKey> take_session_key() final {
    if (want_ != Want::done || session_key_.empty()) return fail(Errc::misuse);
    return std::move(session_key_);
  }

 protected:
  virtual Status on_message(Bytes message) = 0;
  virtual Status on_job(Result<Output> output) = 0;

  void want_message(std::size_t size) {
    expected_ = size;
    want_ = Want::receive;
  }
  void send_then_want_message(Buffer message, std::size_t size) {
    message_ = std::move(message);
    expected_ = size;
    after_message_ = Want::receive;
    want_ = Want::send;
  }
  void send_then_done(Buffer message) {
    message_ = std::move(message);
    after_message_ = Want::done;
    want_ = Want::send;
  }
  void want_decision() { want_ = Want::decision; }
  void want_job(Want what, IssuedJob<Output>::Work work) {
    job_.emplace(std::move(work));
    want_ = what;
  }
  void done() { want_ = Want::done; }
  void keep(SessionKey key) { session_key_ = std::move(key); }

  /// An error of a step ends the run.
  Status settle(Status status) {
    if (!status) end(status.error());
    return status;
  }
  /// For good: nothing that is still out finds anything to go on with.
  void end(Errc error) {
    error_ = error;
    want_ = Want::failed;
    job_.reset();
    message_.clear();
    session_key_ = {};
  }
  /// A call out of turn ends the run; one that is over stays as it ended.
  std::unexpected<Errc> misuse() {
    if (want_ != Want::done && want_ != Want::failed) end(Errc::misuse);
    return fail(Errc::misuse);
  }

 private:
  Want want_ = Want::failed;
  Want after_message_ = Want::failed;
  std::size_t expected_ = 0;
  Buffer message_;
  std::optional<IssuedJob<Output>> job_;
  SessionKey session_key_;
  std::optional<Errc> error_;
};

// --- Clients.

class Client : public Run<ClientMachine, crypto::Digest> {
 public:
  Client(ClientConfig config, Rng& rng) : config_(std::move(config)), rng_(rng) {}

  [[nodiscard]] Result<ExportKey> take_export_key() override {
    if (want() != Want::done || export_key_.empty()) return fail(Errc::misuse);
    return std::move(export_key_);
  }
  [[nodiscard]] Bytes server_public_key() const noexcept override {
    return want() == Want::done ? Bytes(server_public_key_) : Bytes();
  }

 protected:
  virtual Status on_stretched(crypto::Digest stretched) = 0;
  Status on_job(Result<crypto::Digest> output) override {
    PAKE_TRY(auto stretched, std::move(output));
    return on_stretched(std::move(stretched));
  }

  Status want_ksf(Result<crypto::KsfJob> ksf) {
    PAKE_TRY(auto job, std::move(ksf));
    want_job(Want::ksf, [job = std::move(job)] { return job.run(); });
    return {};
  }
  void keep_keys(ExportKey export_key, Buffer server_public_key) {
    export_key_ = std::move(export_key);
    server_public_key_ = std::move(server_public_key);
  }
  [[nodiscard]] Identities identities() const noexcept {
    return {.client = config_.client_identity, .server = config_.server_identity};
  }
  [[nodiscard]] crypto::KsfParameters ksf() const {
    return config_.ksf.value_or(crypto::ksf_parameters(crypto::kDefaultKsfProfile, size().Nh));
  }
  [[nodiscard]] Sizes size() const noexcept { return sizes(config_.suite); }

  ClientConfig config_;
  Rng& rng_;

 private:
  ExportKey export_key_;
  Buffer server_public_key_;
};

class RegistrationClient final : public Client {
 public:
  RegistrationClient(ClientConfig config, Rng& rng) : Client(std::move(config), rng) {
    if (const auto started = start(); !started) end(started.error());
  }

 private:
  Status start() {
    PAKE_TRYV(check_given(config_.password.reveal()));
    PAKE_TRY(auto requested,
             ClientRegistration(config_.suite, std::move(config_.password)).create_registration_request(rng_));
    step_ = std::move(requested.next);
    send_then_want_message(std::move(requested.registration_request), size().registration_response());
    return {};
  }
  Status on_message(Bytes message) override {
    PAKE_TRY(step_, std::get<AwaitingRegistrationResponse>(std::move(step_))
                        .receive_registration_response(message, {.identities = identities(), .ksf = ksf()}));
    return want_ksf(std::get<StretchingRegistration>(step_).ksf_job());
  }
  Status on_stretched(crypto::Digest stretched) override {
    PAKE_TRY(
        auto finished,
        std::get<StretchingRegistration>(std::move(step_)).finalize_registration_request(std::move(stretched), rng_));
    keep_keys(std::move(finished.export_key), std::move(finished.server_public_key));
    send_then_done(std::move(finished.record));
    return {};
  }

  std::variant<std::monostate, AwaitingRegistrationResponse, StretchingRegistration> step_;
};

class LoginClient final : public Client {
 public:
  LoginClient(ClientConfig config, Rng& rng) : Client(std::move(config), rng) {
    if (const auto started = start(); !started) end(started.error());
  }

 private:
  Status start() {
    PAKE_TRYV(check_given(config_.password.reveal()));
    PAKE_TRY(auto started, ClientLogin(config_.suite, std::move(config_.password)).generate_ke1(rng_));
    step_ = std::move(started.next);
    send_then_want_message(std::move(started.ke1), size().KE2());
    return {};
  }
  Status on_message(Bytes message) override {
    PAKE_TRY(step_, std::get<AwaitingKE2>(std::move(step_))
                        .receive_ke2(message, {.context = config_.context, .identities = identities(), .ksf = ksf()}));
    return want_ksf(std::get<StretchingLogin>(step_).ksf_job());
  }
  Status on_stretched(crypto::Digest stretched) override {
    PAKE_TRY(auto finished, std::get<StretchingLogin>(std::move(step_)).generate_ke3(std::move(stretched)));
    keep_keys(std::move(finished.export_key), std::move(finished.server_public_key));
    keep(std::move(finished.session_key));
    send_then_done(std::move(finished.ke3));
    return {};
  }

  std::variant<std::monostate, AwaitingKE2, StretchingLogin> step_;
};

// --- Servers.

template <class Interface>
class Server : public Run<Interface, KeyOperationAnswer> {
 public:
  Server(ServerConfig config, const KeyRing& ring) : config_(std::move(config)), ring_(ring) {}

 protected:
  virtual Status on_answer(const KeyOperationAnswer& answer) = 0;
  Status on_job(Result<KeyOperationAnswer> output) override {
    PAKE_TRY(const auto answer, std::move(output));
    return on_answer(answer);
  }

  void want_key_operation(KeyJob job) {
    this->want_job(Want::key_operation, [job = std::move(job)] { return job.run(); });
  }
  [[nodiscard]] Sizes size() const noexcept { return sizes(config_.suite); }

  ServerConfig config_;
  const KeyRing& ring_;
};

class RegistrationServer final : public Server<RegistrationServerMachine> {
 public:
  RegistrationServer(ServerConfig config, GuessPermit permit, crypto::KsfProfile ksf, const KeyRing& ring)
      : Server(std::move(config), ring), permit_(std::move(permit)), ksf_(ksf) {
    if (is_suite(config_.suite))
      this->want_message(size().registration_request());
    else
      this->end(Errc::misuse);
  }

  [[nodiscard]] Result<StoredRecord> take_record() override {
    if (want() != Want::done || !record_) return fail(Errc::misuse);
    auto record = *std::move(record_);
    record_.reset();
    return record;
  }

 private:
  Status on_message(Bytes message) override { return member_ ? on_record(message) : on_request(message); }

  Status on_request(Bytes request) {
    member_ = ring_.current(config_.suite);
    if (member_ == nullptr) return fail(Errc::unavailable);
    PAKE_TRY(auto operation,
             registration_key_operation(config_.suite, request, config_.credential_identifier, std::move(permit_)));
    if (member_->keys->in_memory() == nullptr) {
      want_key_operation({.holder = member_->keys, .operation = std::move(operation)});
      return {};
    }
    PAKE_TRY(const auto answer, member_->keys->answer(operation));
    return on_answer(answer);
  }
  Status on_answer(const KeyOperationAnswer& answer) override {
    PAKE_TRY(auto response, create_registration_response(*member_->keys, answer));
    send_then_want_message(std::move(response), size().registration_record());
    return {};
  }
  Status on_record(Bytes message) {
    PAKE_TRY(auto record, RegistrationRecord::decode(config_.suite, message));
    record_ = StoredRecord{.suite = config_.suite, .ksf = ksf_, .epoch = member_->epoch, .record = std::move(record)};
    done();
    return {};
  }

  GuessPermit permit_;
  crypto::KsfProfile ksf_;
  const KeyRing::Member* member_ = nullptr;
  std::optional<StoredRecord> record_;
};

class LoginServer final : public Server<Machine> {
 public:
  LoginServer(ServerConfig config, GuessPermit permit, const KeyRing& ring, Rng& rng)
      : Server(std::move(config), ring), step_(ServerLogin(config_.suite, std::move(permit))), rng_(rng) {
    if (is_suite(config_.suite))
      this->want_message(size().KE1());
    else
      this->end(Errc::misuse);
  }

  [[nodiscard]] Status provide_record(std::optional<Bytes> stored) override {
    if (want() != Want::decision) return misuse();
    return settle(on_stored(stored));
  }

 private:
  Status on_message(Bytes message) override {
    if (std::holds_alternative<AwaitingKE3>(step_)) return on_ke3(message);
    ke1_ = to_buffer(message);
    want_decision();
    return {};
  }

  Status on_stored(std::optional<Bytes> stored) {
    PAKE_TRY(const auto credential, ring_.credential(config_.credential_identifier, stored));
    const ServerLoginInputs inputs{
        .record = credential.record.record,
        .credential_identifier = config_.credential_identifier,
        .context = config_.context,
        .identities = {.client = config_.client_identity, .server = config_.server_identity}};
    PAKE_TRY(auto answer, std::get<ServerLogin>(std::move(step_)).receive_ke1(ke1_, inputs, credential.keys, rng_));
    if (auto* answered = std::get_if<LoginAnswered>(&answer)) return on_ke2(std::move(*answered));
    step_ = std::get<AwaitingKeyOperation>(std::move(answer));
    PAKE_TRY(auto job, std::get<AwaitingKeyOperation>(step_).key_job());
    want_key_operation(std::move(job));
    return {};
  }
  Status on_answer(const KeyOperationAnswer& answer) override {
    return on_ke2(std::get<AwaitingKeyOperation>(std::move(step_)).generate_ke2(answer));
  }
  Status on_ke2(Result<LoginAnswered> result) {
    PAKE_TRY(auto answered, std::move(result));
    step_ = std::move(answered.next);
    send_then_want_message(std::move(answered.ke2), size().KE3());
    return {};
  }
  Status on_ke3(Bytes message) {
    PAKE_TRY(auto session_key, std::get<AwaitingKE3>(std::move(step_)).server_finish(message));
    keep(std::move(session_key));
    done();
    return {};
  }

  std::variant<ServerLogin, AwaitingKeyOperation, AwaitingKE3> step_;
  Rng& rng_;
  Buffer ke1_;
};

}  // namespace

std::unique_ptr<ClientMachine> registration_client_machine(ClientConfig config, Rng& rng) {
  return std::make_unique<RegistrationClient>(std::move(config), rng);
}

std::unique_ptr<ClientMachine> login_client_machine(ClientConfig config, Rng& rng) {
  return std::make_unique<LoginClient>(std::move(config), rng);
}

std::unique_ptr<RegistrationServerMachine> registration_server_machine(ServerConfig config, GuessPermit permit,
                                                                       crypto::KsfProfile ksf, const KeyRing& ring) {
  return std::make_unique<RegistrationServer>(std::move(config), std::move(permit), ksf, ring);
}

std::unique_ptr<Machine> login_server_machine(ServerConfig config, GuessPermit permit, const KeyRing& ring, Rng& rng) {
  return std::make_unique<LoginServer>(std::move(config), std::move(permit), ring, rng);
}

}  // namespace pake::opaque
