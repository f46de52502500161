#include "paper_connector.h"

#include <algorithm>
#include <utility>

#include "cipher.h"
#include "pake/crypto/modular.h"
#include "pake/internal/try.h"

namespace pake::eke {
namespace {

using Read = std::expected<std::size_t, Failure>;
using Number = Secret<kPaperNumber, struct NumberTag>;

constexpr std::size_t kOnes = 8;  // bytes with which a modulus begins
static_assert(crypto::base64_size(kPaperNumber) == kPaperNumberText && message_size(kPaperNumber) == kPaperNumberText);

/// The number that `message` holds under the password: decrypt() strips what may be its last bytes.
Result<Number> decrypt_number(CipherMode mode, Bytes password, Bytes message) {
  PAKE_TRY(const auto text, decrypt(mode, password, message));
  return Number::make([&](std::span<std::uint8_t, kPaperNumber> number) {
    std::ranges::copy(text.reveal().first(std::min(text.size(), number.size())), number.begin());
  });
}

/// The paper adds one to half of the exponents, which are odd, so that their oddness tells nothing.
Number without_the_added_one(const Number& e) {
  return Number::make([&](std::span<std::uint8_t, kPaperNumber> out) {
    std::ranges::copy(e.reveal(), out.begin());
    unsigned borrow = 1U - (out.back() & 1U);
    for (std::size_t i = out.size(); i-- > 0;) {
      const auto low = unsigned{out[i]} - borrow;
      out[i] = static_cast<std::uint8_t>(low);
      borrow = (low >> 8U) & 1U;
    }
  });
}

class PaperConnectorRun final : public Run {
 public:
  PaperConnectorRun(ConnectorConfig config, Rng& rng)
      : Run(config.observer), config_(std::make_unique<ConnectorConfig>(std::move(config))), rng_(rng) {
    if (config_->user.empty() || config_->user.size() > kMaxUserName)
      end(std::nullopt);
    else
      send(to_buffer(as_bytes(config_->user)));
  }

  [[nodiscard]] Incoming incoming() const noexcept override {
    const auto size = awaited_ == Awaited::key ? 2 * kPaperNumberText : message_size(kDigits);
    return {.at_least = size, .at_most = size, .silence_ends = false};
  }

 private:
  enum class Awaited : std::uint8_t { key, NS, NC };

  Read read(Bytes bytes, Arrived) override {
    switch (awaited_) {
      case Awaited::key:
        return read_key(bytes);
      case Awaited::NS:
        return read_NS(bytes);
      case Awaited::NC:
        return read_NC(bytes);
    }
    std::unreachable();
  }

  void forget() noexcept override {
    config_.reset();
    R_ = {};
    NC_ = {};
  }

  // Message 2: n, E_pw(e). Message 3: E_pw(R^e mod n).
  Read read_key(Bytes message) {
    const auto n = crypto::base64_decode(message.first(kPaperNumberText));
    const auto e = decrypt_number(config_->mode, config_->password.reveal(), message.subspan(kPaperNumberText));
    if (!n || n->size() != kPaperNumber || !e) return std::unexpected(Failure::bad_base64);
    const bool begins_with_ones = std::ranges::all_of(Bytes(*n).first(kOnes), [](auto byte) { return byte == 0xff; });
    const auto group = crypto::ModularGroup::make(*n);
    if (!begins_with_ones || !group) return std::unexpected(Failure::bad_modulus);
    R_ = Number::make([&](MutableBytes out) { rng_.fill(out); });
    const auto R = group->decode(R_.reveal());
    if (!R) return std::unexpected(Failure::no_randomness);  // 2^-64 from a source that works
    const auto c = group->power(*R, without_the_added_one(*e).reveal());
    send(encrypt(config_->mode, config_->password.reveal(), c.reveal()));
    awaited_ = Awaited::NS;
    return message.size();
  }

  // Message 4: E_R(NS). Message 5: E_R(NS NC).
  Read read_NS(Bytes message) {
    const auto NS = decrypt(config_->mode, R_.reveal(), message);
    if (!NS) return std::unexpected(Failure::bad_base64);
    if (NS->size() != kDigits || !all_digits(NS->reveal())) return std::unexpected(Failure::bad_N1_2);
    auto NC = random_digits(rng_);
    if (!NC) return std::unexpected(Failure::no_randomness);
    NC_ = *std::move(NC);
    learnt(Value::NC, NC_.reveal());
    const auto both = Secret<2 * kDigits>::make([&](std::span<std::uint8_t, 2 * kDigits> out) {
      std::ranges::copy(NC_.reveal(), std::ranges::copy(NS->reveal(), out.begin()).out);
    });
    send(encrypt(config_->mode, R_.reveal(), both.reveal()));
    awaited_ = Awaited::NC;
    return message.size();
  }

  // Message 6: E_R(NC).
  Read read_NC(Bytes message) {
    const auto NC = decrypt(config_->mode, R_.reveal(), message);
    if (!NC) return std::unexpected(Failure::bad_base64);
    if (!ct_equal(NC->reveal(), NC_.reveal())) return std::unexpected(Failure::wrong_NC);
    finish(R_.reveal().first(crypto::kAesBlockSize));
    return message.size();
  }

  std::unique_ptr<ConnectorConfig> config_;  // null once the run is over
  Rng& rng_;
  Awaited awaited_ = Awaited::key;
  Number R_;
  Digits NC_;
};

}  // namespace

std::unique_ptr<Run> paper_connector(ConnectorConfig config, Rng& rng) {
  return std::make_unique<PaperConnectorRun>(std::move(config), rng);
}

}  // namespace pake::eke
