// C, the side that connects: `server.py` of the seed.
#include <utility>

#include "cipher.h"
#include "pake/internal/try.h"
#include "paper_connector.h"
#include "run.h"

namespace pake::eke {
namespace {

using Read = std::expected<std::size_t, Failure>;

class ConnectorRun final : public Run {
 public:
  ConnectorRun(ConnectorConfig config, Rng& rng)
      : Run(config.observer), config_(std::make_unique<ConnectorConfig>(std::move(config))), rng_(rng) {
    if (config_->user.empty() || config_->user.size() > kMaxUserName)
      end(std::nullopt);
    else
      send(to_buffer(as_bytes(config_->user)));
  }

  // The seed prints its key when it has connected, before it sends its name.
  Result<Buffer> take_message() override {
    if (want() == Want::send && awaited_ == Awaited::yes) learnt(Value::pk, as_bytes(config_->key.public_pem()));
    return Run::take_message();
  }

  [[nodiscard]] Incoming incoming() const noexcept override {
    switch (awaited_) {
      case Awaited::yes:
        return {.at_least = 2, .at_most = 3, .silence_ends = false};
      case Awaited::Ks:
        return exactly(message_size(inner_size()));
      case Awaited::N1_2:
        return exactly(message_size(2 * kDigits));
    }
    std::unreachable();
  }

 private:
  enum class Awaited : std::uint8_t { yes, Ks, N1_2 };

  static Incoming exactly(std::size_t size) noexcept {
    return {.at_least = size, .at_most = size, .silence_ends = false};
  }
  /// Base64 of an RSA ciphertext.
  [[nodiscard]] std::size_t inner_size() const noexcept {
    return config_ ? crypto::base64_size(config_->key.modulus_size()) : 0;
  }

  Read read(Bytes bytes, Arrived) override {
    switch (awaited_) {
      case Awaited::yes:
        return read_yes(as_text(bytes));
      case Awaited::Ks:
        return read_Ks(bytes);
      case Awaited::N1_2:
        return read_N1_2(bytes);
    }
    std::unreachable();
  }

  void forget() noexcept override {
    config_.reset();
    Ks_ = {};
    NC_ = {};
  }

  // Message 2: whether L knows the user. Message 3: E_pw(PK).
  Read read_yes(std::string_view text) {
    if (text.starts_with("no")) return std::unexpected(Failure::refused_user);
    if (text == "ye") return 0;
    if (text != "yes") return std::unexpected(Failure::unclear_answer);
    send(encrypt(config_->mode, config_->password.reveal(), as_bytes(config_->key.public_pem())));
    awaited_ = Awaited::Ks;
    return text.size();
  }

  // Message 4: E_pw(Base64(RSAES-PKCS1-v1_5(PK, Ks))). Message 5: E_Ks(NC).
  Read read_Ks(Bytes message) {
    const auto inner = decrypt(config_->mode, config_->password.reveal(), message);
    if (!inner) return std::unexpected(Failure::bad_base64);
    const auto ciphertext = crypto::base64_decode(inner->reveal());
    if (!ciphertext) return std::unexpected(Failure::bad_inner_base64);
    const auto text = config_->key.decrypt(*ciphertext);
    if (!text) return std::unexpected(Failure::bad_pkcs1);
    auto Ks = read_digits(text->reveal());
    if (!Ks) return std::unexpected(Failure::bad_Ks);
    Ks_ = std::move(*Ks);
    learnt(Value::Ks, Ks_.reveal());
    auto NC = random_digits(rng_);
    if (!NC) return std::unexpected(Failure::no_randomness);
    NC_ = *std::move(NC);
    learnt(Value::NC, NC_.reveal());
    send(encrypt(config_->mode, Ks_.reveal(), NC_.reveal()));
    awaited_ = Awaited::N1_2;
    return message.size();
  }

  // Message 6: E_Ks(NC NS). Message 7: E_Ks(what followed NC).
  Read read_N1_2(Bytes message) {
    const auto text = decrypt(config_->mode, Ks_.reveal(), message);
    if (!text) return std::unexpected(Failure::bad_base64);
    const auto N1_2 = text->reveal();
    if (N1_2.size() != 2 * kDigits || !all_digits(N1_2)) return std::unexpected(Failure::bad_N1_2);
    learnt(Value::N1_2, N1_2);
    if (!ct_equal(N1_2.first(kDigits), NC_.reveal())) return std::unexpected(Failure::wrong_NC);
    send(encrypt(config_->mode, Ks_.reveal(), N1_2.last(kDigits)));
    finish(Ks_.reveal());
    return message.size();
  }

  std::unique_ptr<ConnectorConfig> config_;  // null once the run is over
  Rng& rng_;
  Awaited awaited_ = Awaited::yes;
  Digits Ks_, NC_;
};

}  // namespace

RsaConnector::RsaConnector(ConnectorConfig config, Rng& rng)
    : RsaMachine(config.form == Form::paper ? paper_connector(std::move(config), rng)
                                            : std::make_unique<ConnectorRun>(std::move(config), rng)) {}

}  // namespace pake::eke
