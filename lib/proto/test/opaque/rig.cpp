#include "rig.h"

#include "pake/internal/try.h"

namespace pake::opaque {
namespace {

/// The steps in order; the first error ends them.
class Walk {
 public:
  Walk(const Rig& rig, Outcome& outcome) : rig_(rig), outcome_(outcome), rng_(rig.seed) {}

  Status run() {
    PAKE_TRY(const auto keys, at("generate", ServerKeys::generate(rig_.suite, rng_)));
    PAKE_TRYV(enroll(keys));
    if (!rig_.other_server_keys_at_login) return login(keys);
    PAKE_TRY(const auto other_keys, at("generate", ServerKeys::generate(rig_.suite, rng_)));
    return login(other_keys);
  }

 private:
  Status enroll(const ServerKeys& keys) {
    PAKE_TRY(auto requested,
             at("create_registration_request",
                ClientRegistration(rig_.suite, secret(rig_.password)).create_registration_request(rng_)));
    auto request = told(requested.registration_request, rig_.lie_in_request);
    PAKE_TRY(auto response, at("create_registration_response",
                               create_registration_response(request, keys, as_bytes(rig_.credential_identifier),
                                                            GuessPermit::uncounted_for_study())));
    response = told(std::move(response), rig_.lie_in_response);
    PAKE_TRY(auto finished,
             at("finalize_registration_request",
                std::move(requested.next)
                    .finalize_registration_request(
                        response, {.identities = rig_.registration.identities(), .ksf = rig_.ksf}, rng_)));
    outcome_.export_key_of_registration = to_buffer(finished.export_key.reveal());
    outcome_.record = told(std::move(finished.record), rig_.lie_in_record);
    return {};
  }

  Status login(const ServerKeys& keys) {
    PAKE_TRY(const auto record, at("record", RegistrationRecord::decode(rig_.suite, outcome_.record)));
    PAKE_TRY(auto started, at("generate_ke1", ClientLogin(rig_.suite, secret(rig_.login_password)).generate_ke1(rng_)));
    outcome_.ke1 = told(std::move(started.ke1), rig_.lie_in_ke1);
    PAKE_TRY(auto answered,
             at("generate_ke2", ServerLogin(rig_.suite, GuessPermit::uncounted_for_study())
                                    .generate_ke2(outcome_.ke1,
                                                  {.record = record,
                                                   .credential_identifier = as_bytes(rig_.login_credential_identifier),
                                                   .context = as_bytes(rig_.server.context),
                                                   .identities = rig_.server.identities()},
                                                  keys, rng_)));
    outcome_.ke2 = told(std::move(answered.ke2), rig_.lie_in_ke2);
    PAKE_TRY(auto finished,
             at("generate_ke3", std::move(started.next)
                                    .generate_ke3(outcome_.ke2, {.context = as_bytes(rig_.client.context),
                                                                 .identities = rig_.client.identities(),
                                                                 .ksf = rig_.login_ksf})));
    outcome_.client_key = to_buffer(finished.session_key.reveal());
    outcome_.export_key = to_buffer(finished.export_key.reveal());
    outcome_.ke3 = told(std::move(finished.ke3), rig_.lie_in_ke3);
    PAKE_TRY(const auto session_key, at("server_finish", std::move(answered.next).server_finish(outcome_.ke3)));
    outcome_.server_key = to_buffer(session_key.reveal());
    return {};
  }

  template <class T>
  Result<T> at(const char* step, Result<T> result) {
    if (!result) {
      outcome_.error = result.error();
      outcome_.failed_at = step;
    }
    return result;
  }

  static Buffer told(Buffer message, const Lie& lie) {
    if (lie) lie(message);
    return message;
  }

  const Rig& rig_;
  Outcome& outcome_;
  testing::SeededRng rng_;
};

}  // namespace

Lie flip_bit(std::size_t bit) {
  return [bit](Buffer& message) {
    message.at(bit / 8) = static_cast<std::uint8_t>(message.at(bit / 8) ^ (1U << bit % 8));
  };
}

Outcome Rig::run() const {
  Outcome outcome;
  static_cast<void>(Walk(*this, outcome).run());
  return outcome;
}

FakeKey fake_key() {
  return FakeKey::make([](MutableBytes out) { std::ranges::fill(out, std::uint8_t{0x5a}); });
}

SecretBuffer secret(std::string_view text) { return SecretBuffer::copy_of(as_bytes(text)); }

}  // namespace pake::opaque
