#include "lab/residues.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/plot.h"
#include "lab/search.h"
#include "lab/text_file.h"
#include "network/problems.h"
#include "pake/crypto/base64.h"
#include "pake/crypto/rng.h"
#include "pake/internal/try.h"
#include "pake/net/coroutine.h"
#include "pake/net/endpoint.h"
#include "pake/net/loops.h"
#include "pake/proto/eke/rsa_eke.h"
#include "process/output.h"
#include "process/run.h"
#include "terminal/escape.h"

namespace pake::cli::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;
constexpr std::size_t kMostWordsShown = 10;

/// What one run showed.
struct Run {
  Buffer encrypted_e;
  Buffer encrypted_c;
};

bool is_loopback(const net::Address& address) {
  const auto* tcp = std::get_if<net::TcpAddress>(&address);
  return tcp != nullptr && (tcp->host == "127.0.0.1" || tcp->host == "::1");
}

class Attack {
 public:
  Attack(const ResiduesOptions& options, Words words, net::Loops& loops)
      : options_(options),
        words_(std::move(words)),
        sieve_(words_, options.mode),
        loops_(loops),
        output_(STDOUT_FILENO, [&loops] { loops.cancel(); }),
        modulus_(crypto::CubeModulus::generate()) {}

  net::Awaitable<Expected<void>> run() {
    auto opened = net::Listener::open(loops_.main(), options_.address);
    if (!opened) co_return std::unexpected(cannot_listen(options_.address, opened.error()));
    auto listener = std::move(*opened);
    const auto address = net::to_string(listener.address());
    say("note", fmt::format("listening on {}", address));
    say_note(fmt::format("each run is:  pake eke connect {} --form paper", address));
    tell(0);
    while (left_.size() <= options_.runs && sieve_.left() > 1) {
      auto stream = co_await listener.accept(loops_.main(), net::kNever);
      if (!stream) co_return std::unexpected(Problem{.error = "cannot accept: " + stream.error().explain()});
      const auto run = co_await lure(**stream);
      if (!run) {
        say_error("this run showed nothing: the connecting side spoke something else, or was silent");
        continue;
      }
      sieve_.observe(modulus_, run->encrypted_e, run->encrypted_c);
      tell(left_.size());
    }
    co_return finish();
  }

  [[nodiscard]] int exit_code() const { return sieve_.left() == 1 ? kExitOk : kExitFailed; }

 private:
  // The name, which is not looked at; n and random bytes; the answer.
  net::Awaitable<std::optional<Run>> lure(net::Stream& stream) {
    std::array<std::uint8_t, pake::eke::kMaxUserName> name{};
    const auto deadline = net::after(kPatience);
    if (!co_await stream.read_some(name, deadline)) co_return std::nullopt;
    Run run;
    run.encrypted_e.resize(pake::eke::kPaperNumber);
    rng_.fill(run.encrypted_e);
    auto offer = crypto::base64_encode(modulus_.modulus());
    const auto exponent = crypto::base64_encode(run.encrypted_e);
    offer.insert(offer.end(), exponent.begin(), exponent.end());
    if (!co_await stream.write_all(offer, deadline)) co_return std::nullopt;
    Buffer answer(pake::eke::kPaperNumberText);
    for (std::size_t got = 0; got < answer.size();) {
      const auto count = co_await stream.read_some(MutableBytes(answer).subspan(got), deadline);
      if (!count) co_return std::nullopt;
      got += *count;
    }
    auto blocks = crypto::base64_decode(answer);
    if (!blocks || blocks->size() != pake::eke::kPaperNumber) co_return std::nullopt;
    run.encrypted_c = *std::move(blocks);
    co_return run;
  }

  void tell(std::size_t run) {
    const auto expected = expected_left(words_.size(), run);
    left_.push_back(static_cast<double>(sieve_.left()));
    expected_.push_back(expected);
    if (options_.json)
      output_.line(nlohmann::ordered_json{{"run", run}, {"left", sieve_.left()}, {"expected", expected}}.dump());
    else
      output_.line(fmt::format("run {:>3}: {} words left, {:.1f} expected", run, grouped(sieve_.left()), expected));
  }

  Expected<void> finish() {
    if (!options_.json) {
      const auto& left = sieve_.words_left();
      for (std::size_t i = 0; i < std::min(left.size(), kMostWordsShown); ++i)
        output_.line(fmt::format("{} {}", left.size() == 1 ? "password:" : "perhaps:", escape(words_[left[i]])));
      if (left.empty()) output_.line("none of the words is the password");
    } else if (sieve_.left() == 1) {
      const auto word = words_[sieve_.words_left().front()];
      nlohmann::ordered_json found;
      found[is_utf8(word) ? "password" : "password_escaped"] = is_utf8(word) ? std::string(word) : escape(word);
      output_.line(found.dump(-1, ' ', /*ensure_ascii=*/true));
    }
    PAKE_TRYV(output_.outcome());
    if (!options_.output) return {};
    return replace_file(
        *options_.output,
        plot_words_left("A modulus of the attacker's making: words left against runs",
                        {{.name = "measured", .left = left_, .is_computed = false},
                         {.name = "computed from the modulus", .left = expected_, .is_computed = true}}));
  }

  const ResiduesOptions& options_;
  Words words_;
  Sieve sieve_;
  net::Loops& loops_;
  Output output_;
  crypto::SystemRng rng_;
  crypto::CubeModulus modulus_;
  std::vector<double> left_;
  std::vector<double> expected_;
};

Expected<int> attack(const ResiduesOptions& options) {
  if (!is_loopback(options.address))
    return std::unexpected(
        Problem{.exit_code = kExitUsage,
                .error = "this laboratory listens on 127.0.0.1 or [::1] alone, where one's own programs are",
                .hint = "pake lab residues 127.0.0.1:8088 --words FILE"});
  PAKE_TRY(auto words, Words::read(*options.words));
  say_note(
      "this is a laboratory: it attacks one's own programs on this machine, to show why the protocol of 1992 is "
      "broken");
  int found = kExitFailed;
  PAKE_TRY(const int ended, run_on_loop([&](net::Loops& loops) -> net::Awaitable<Expected<void>> {
             Attack attack(options, std::move(words), loops);
             auto outcome = co_await attack.run();
             found = attack.exit_code();
             co_return outcome;
           }));
  return ended == kExitOk ? found : ended;
}

}  // namespace

bool is_divisible_by_3(Bytes exponent) noexcept {
  // 256 is 1 modulo 3; C takes one from an even exponent.
  unsigned sum = exponent.empty() || (exponent.back() & 1U) != 0 ? 0U : 2U;
  for (const auto byte : exponent) sum += byte;
  return sum % 3 == 0;
}

double expected_left(std::size_t words, std::size_t runs) {
  const auto ruled_out = (1 - std::pow(3.0, -static_cast<double>(crypto::CubeModulus::kPrimes))) / 3;
  return 1 + static_cast<double>(words - 1) * std::pow(1 - ruled_out, static_cast<double>(runs));
}

Sieve::Sieve(const Words& words, CipherMode mode) : words_(words), mode_(mode), left_(words.size()) {
  for (std::size_t i = 0; i < left_.size(); ++i) left_[i] = i;
}

void Sieve::observe(const crypto::CubeModulus& modulus, Bytes encrypted_e, Bytes encrypted_c) {
  std::erase_if(left_, [&](std::size_t i) {
    const auto word = as_bytes(words_[i]);
    return is_divisible_by_3(decrypt(mode_, word, encrypted_e)) &&
           !modulus.is_cube_vartime(decrypt(mode_, word, encrypted_c));
  });
}

int residues(const ResiduesOptions& options) {
  const auto exit_code = attack(options);
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::lab
