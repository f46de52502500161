// L, the side that listens: `client.py` of the seed.
#include <algorithm>
#include <utility>

#include "cipher.h"
#include "pake/internal/try.h"
#include "run.h"

namespace pake::eke {
namespace {

using Read = std::expected<std::size_t, Failure>;

/// E(PK) for the largest key that is accepted, and one block more, by which a larger one is recognised.
constexpr std::size_t kMaxMessage3 = message_size(crypto::kRsaMaxPemSize + crypto::kAesBlockSize);

Failure failure_of(crypto::RsaKeyError error) noexcept {
  switch (error) {
    case crypto::RsaKeyError::not_pem:
      return Failure::bad_pem;
    case crypto::RsaKeyError::too_small:
      return Failure::key_too_small;
    case crypto::RsaKeyError::too_large:
      return Failure::key_too_large;
    case crypto::RsaKeyError::even_modulus:
      return Failure::even_modulus;
    case crypto::RsaKeyError::bad_exponent:
      return Failure::bad_exponent;
  }
  std::unreachable();
}

bool is_base64_character(std::uint8_t c) noexcept {
  return ('A' <= c && c <= 'Z') || ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '+' || c == '/' || c == '=';
}

/// NC NS.
Secret<2 * kDigits> join(Bytes NC, Bytes NS) {
  return Secret<2 * kDigits>::make(
      [&](std::span<std::uint8_t, 2 * kDigits> out) { std::ranges::copy(NS, std::ranges::copy(NC, out.begin()).out); });
}

class ListenerRun final : public Run {
 public:
  ListenerRun(const ListenerConfig& config, GuessPermit permit, Rng& rng) noexcept
      : Run(config.observer), users_(config.users), mode_(config.mode), permit_(std::move(permit)), rng_(rng) {}

  [[nodiscard]] Incoming incoming() const noexcept override {
    switch (awaited_) {
      case Awaited::user:
        return {.at_least = 1, .at_most = kMaxUserName, .silence_ends = true};
      case Awaited::PK:
        return {.at_least = message_size(1), .at_most = kMaxMessage3, .silence_ends = true};
      case Awaited::NC:
      case Awaited::NS:
        return {.at_least = message_size(kDigits), .at_most = message_size(kDigits), .silence_ends = false};
    }
    std::unreachable();
  }

 private:
  enum class Awaited : std::uint8_t { user, PK, NC, NS };

  Read read(Bytes bytes, Arrived arrived) override {
    switch (awaited_) {
      case Awaited::user:
        return read_user(bytes, arrived);
      case Awaited::PK:
        return read_PK(bytes, arrived);
      case Awaited::NC:
        return read_NC(bytes);
      case Awaited::NS:
        return read_NS(bytes);
    }
    std::unreachable();
  }

  void forget() noexcept override {
    password_ = nullptr;
    Ks_ = {};
    NS_ = {};
  }

  // Message 1: the user name. Message 2: whether we know it.
  Read read_user(Bytes bytes, Arrived arrived) {
    const auto user = as_text(bytes);
    password_ = users_.find(user);
    const bool is_whole = (password_ != nullptr && !users_.begins_longer(user)) || arrived == Arrived::silence ||
                          bytes.size() == kMaxUserName;
    if (!is_whole) return 0;
    if (password_ == nullptr) {
      send(to_buffer(as_bytes("no")));
      end(Failure::unknown_user);
      return bytes.size();
    }
    learnt(Value::user, bytes);
    send(to_buffer(as_bytes("yes")));
    awaited_ = Awaited::PK;
    return bytes.size();
  }

  // Message 3: E_pw(PK). Nothing says where it ends, but both modes decrypt any beginning of it that is whole blocks, a
  // PEM ends with its END line, and only a text that equals its re-encoding is a key: so the first number of blocks (of
  // at most 51, each tried once) that gives a key is the message. Under another password none does; then the message
  // ends with the padding of its Base64, by silence, or if no key is longer.
  Read read_PK(Bytes bytes, Arrived arrived) {
    if (!std::ranges::all_of(bytes, is_base64_character)) return std::unexpected(Failure::bad_base64);
    while (message_size((blocks_tried_ + 1) * crypto::kAesBlockSize) <= bytes.size()) {
      ++blocks_tried_;
      const auto size = message_size(blocks_tried_ * crypto::kAesBlockSize);
      PAKE_TRY(const bool is_PK, answer_PK(bytes.first(size)));
      if (is_PK) return size;
    }
    const bool is_whole_blocks = bytes.size() == message_size(blocks_tried_ * crypto::kAesBlockSize);
    const bool has_ended = arrived == Arrived::silence || bytes.back() == '=' || bytes.size() == kMaxMessage3;
    if (!is_whole_blocks || !has_ended) return 0;
    return std::unexpected(crypto::base64_decode(bytes) ? Failure::bad_pem : Failure::bad_base64);
  }

  // Message 4: E_pw(Base64(RSAES-PKCS1-v1_5(PK, Ks))), if `message` is E_pw(PK).
  // A guess is spent here and not where message 4 is handed out: whoever encrypted PK under a guess learns from our
  // answer, or from its absence, whether the guess was right.
  std::expected<bool, Failure> answer_PK(Bytes message) {
    permit_.spend();
    const auto pem = decrypt(mode_, password_->reveal(), message);
    if (!pem) return false;
    const auto PK = crypto::RsaPublicKey::from_pem(pem->reveal());
    if (!PK && PK.error() == crypto::RsaKeyError::not_pem) return false;
    if (!PK) return std::unexpected(failure_of(PK.error()));
    learnt(Value::pk, pem->reveal());
    auto Ks = random_digits(rng_);
    if (!Ks) return std::unexpected(Failure::no_randomness);
    Ks_ = *std::move(Ks);
    learnt(Value::Ks, Ks_.reveal());
    const auto encrypted = PK->encrypt(Ks_.reveal(), rng_);
    if (!encrypted) return std::unexpected(Failure::no_randomness);
    send(encrypt(mode_, password_->reveal(), crypto::base64_encode(*encrypted)));
    awaited_ = Awaited::NC;
    return true;
  }

  // Message 5: E_Ks(NC). Message 6: E_Ks(NC NS).
  Read read_NC(Bytes message) {
    const auto text = decrypt(mode_, Ks_.reveal(), message);
    if (!text) return std::unexpected(Failure::bad_base64);
    if (text->size() != kDigits || !all_digits(text->reveal())) return std::unexpected(Failure::bad_NC);
    learnt(Value::NC, text->reveal());
    auto NS = random_digits(rng_);
    if (!NS) return std::unexpected(Failure::no_randomness);
    NS_ = *std::move(NS);
    send(encrypt(mode_, Ks_.reveal(), join(text->reveal(), NS_.reveal()).reveal()));
    awaited_ = Awaited::NS;
    return message.size();
  }

  // Message 7: E_Ks(NS).
  Read read_NS(Bytes message) {
    const auto text = decrypt(mode_, Ks_.reveal(), message);
    if (!text) return std::unexpected(Failure::bad_base64);
    if (!ct_equal(text->reveal(), NS_.reveal())) return std::unexpected(Failure::wrong_NS);
    permit_.refund();
    finish(Ks_.reveal());
    return message.size();
  }

  const UserTable& users_;
  CipherMode mode_;
  GuessPermit permit_;
  Rng& rng_;
  Awaited awaited_ = Awaited::user;
  const SecretBuffer* password_ = nullptr;
  std::size_t blocks_tried_ = 0;
  Digits Ks_, NS_;
};

}  // namespace

RsaListener::RsaListener(const ListenerConfig& config, GuessPermit permit, Rng& rng)
    : RsaMachine(std::make_unique<ListenerRun>(config, std::move(permit), rng)) {}

}  // namespace pake::eke
