#include "lab/crack.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/channel_words.h"
#include "lab/guess.h"
#include "lab/key_search_state.h"
#include "lab/no_pem.h"
#include "lab/recording.h"
#include "lab/search.h"
#include "lab/words.h"
#include "pake/crypto/base64.h"
#include "pake/crypto/rsa.h"
#include "pake/internal/try.h"
#include "process/output.h"
#include "terminal/escape.h"

namespace pake::cli::lab {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t kWordsInPiece = 1024;
constexpr std::size_t kKeysInPiece = 1U << 16U;
constexpr std::size_t kChannelWordsInPiece = 64;
constexpr std::size_t kShownBytes = 12;

std::string_view name_of(CipherMode mode) { return mode == CipherMode::gcm ? "gcm" : "cbc"; }

std::vector<CipherMode> modes_of(Modes modes) {
  switch (modes) {
    case Modes::gcm:
      return {CipherMode::gcm};
    case Modes::cbc:
      return {CipherMode::cbc};
    case Modes::both:
      return {CipherMode::gcm, CipherMode::cbc};
  }
  return {};
}

crypto::AesBlock first_block(Bytes blocks) {
  crypto::AesBlock block{};
  std::ranges::copy(blocks.first(std::min(block.size(), blocks.size())), block.begin());
  return block;
}

std::string hex(Bytes bytes) { return fmt::format("{:02x}", fmt::join(bytes, " ")); }

/// What became of the words, and which of the wrong ones came nearest.
struct WordsTried {
  struct Near {
    std::size_t word = 0;
    std::size_t agrees = 0;
    crypto::AesBlock text{};
  };
  std::uint64_t tried = 0;
  std::uint64_t begin_with_a_dash = 0;  // of the wrong ones
  std::optional<Near> nearest;
  std::optional<std::size_t> word;
  CipherMode mode{};
  std::string pem;
  std::size_t key_bits = 0;

  void add(const WordsTried& more) {
    begin_with_a_dash += more.begin_with_a_dash;
    if (more.nearest && (!nearest || more.nearest->agrees > nearest->agrees)) nearest = more.nearest;
    if (!more.word) return;
    word = more.word;
    mode = more.mode;
    pem = more.pem;
    key_bits = more.key_bits;
  }
};

/// The words of one piece: the first block tells; a word that passes must give a whole key.
WordsTried try_words(const Words& words, std::size_t first, std::size_t count, CipherMode mode, Bytes encrypted_key) {
  WordsTried tried;
  const auto block = first_block(encrypted_key);
  crypto::EightKeys keys{};
  crypto::EightTexts texts{};
  for (std::size_t i = 0; i < count; i += keys.size()) {
    const auto here = std::min(keys.size(), count - i);
    for (std::size_t j = 0; j < here; ++j) keys[j] = cipher_key(as_bytes(words[first + i + j]));
    decrypt_first_blocks(mode, keys, block, texts);
    for (std::size_t j = 0; j < here; ++j) {
      const auto agrees = agrees_with_pem(texts[j]);
      if (agrees == texts[j].size()) {
        const auto text = decrypt(mode, as_bytes(words[first + i + j]), encrypted_key);
        const auto pem = without_padding(text);
        if (const auto key = crypto::RsaPublicKey::from_pem(pem); key && !tried.word) {
          tried.word = first + i + j;
          tried.mode = mode;
          tried.pem = as_text(pem);
          tried.key_bits = key->bits();
          continue;
        }
      }
      if (agrees == 0) continue;
      ++tried.begin_with_a_dash;
      if (!tried.nearest || agrees > tried.nearest->agrees)
        tried.nearest = WordsTried::Near{.word = first + i + j, .agrees = agrees, .text = texts[j]};
    }
  }
  return tried;
}

/// What Ks opens.
struct Opened {
  std::string Ks;
  std::string NC;
  std::string NS;
  bool answered = false;  // message 7 was NS
};

Opened open_with(CipherMode mode, const TenDigits& Ks, const SeedRun& run) {
  Opened opened{.Ks = std::string(as_text(Ks)), .NC = {}, .NS = {}, .answered = false};
  opened.NC = as_text(without_padding(decrypt(mode, Ks, run.E_NC)));
  if (!run.E_NC_NS.empty()) {
    const auto text = decrypt(mode, Ks, run.E_NC_NS);
    const auto both = as_text(without_padding(text));
    if (both.starts_with(opened.NC)) opened.NS = both.substr(opened.NC.size());
  }
  if (!run.E_NS.empty()) {
    const auto text = decrypt(mode, Ks, run.E_NS);
    opened.answered = !opened.NS.empty() && as_text(without_padding(text)) == opened.NS;
  }
  return opened;
}

/// How long the decoding of one RSA key takes, to hold the rate of guesses against.
Seconds time_of_one_decoding(const std::string& pem) {
  constexpr int kTimes = 64;
  const auto begun = Clock::now();
  for (int i = 0; i < kTimes; ++i)
    if (!crypto::RsaPublicKey::from_pem(as_bytes(pem))) return {};
  return (Clock::now() - begun) / kTimes;
}

class Crack {
 public:
  explicit Crack(const CrackOptions& options) : options_(options), output_(STDOUT_FILENO) {}

  Expected<int> run() {
    say_note(
        "this is a laboratory: it opens a recording of one's own run, to show why the protocol of 1992 is broken; what "
        "others have said is not yours to open");
    const auto connection = options_.connection == 0 ? std::nullopt : std::optional<std::uint64_t>(options_.connection);
    PAKE_TRY(const auto recording, read_recording(*options_.recording, connection));
    PAKE_TRY(const int exit_code, std::holds_alternative<SeedRun>(recording)
                                      ? open_seed(std::get<SeedRun>(recording))
                                      : try_on_channel(std::get<ChannelRun>(recording)));
    if (options_.json) output_.line(json_.dump(-1, ' ', /*ensure_ascii=*/true));
    PAKE_TRYV(output_.outcome());
    return exit_code;
  }

 private:
  /// A heading, and lines beside and below it.
  void tell(std::string_view heading, std::string_view line) {
    if (!options_.json) output_.line(fmt::format("{:<12} {}", heading, line));
  }
  /// A text of the recording: escaped for people, and in JSON as NAME_hex if it is no UTF-8.
  static void set(nlohmann::ordered_json& object, const std::string& name, std::string_view text) {
    if (is_utf8(text))
      object[name] = text;
    else
      object[name + "_hex"] = fmt::format("{:02x}", fmt::join(as_bytes(text), ""));
  }

  Expected<int> open_seed(const SeedRun& run) {
    auto modes = modes_of(options_.modes);
    std::optional<std::string> word;
    json_["protocol"] = "rsa-eke";
    tell("recording", fmt::format("RSA-EKE of 1992, user {}", escape(as_text(run.user))));
    set(json_, "user", as_text(run.user));
    if (!options_.without_words) {
      PAKE_TRY(const auto words, Words::read(*options_.words));
      const auto end = find_word(words, modes, run);
      if (end.signal != 0) return kExitSignal + end.signal;
      tell_words(words, end);
      if (!tried_.word) {
        tell_chat(run);
        return kExitFailed;
      }
      modes = {tried_.mode};
      word = words[*tried_.word];
      if (options_.no_pem) {
        PAKE_TRYV(plot_without_pem(words, *word));
        return kExitOk;
      }
    }
    if (!options_.word_only) {
      PAKE_TRY(const int exit_code, find_Ks_of(run, modes));
      if (exit_code != kExitOk && (options_.without_words || exit_code >= kExitSignal)) {
        tell_chat(run);
        return exit_code;
      }
    }
    tell_chat(run);
    return kExitOk;
  }

  SearchEnd find_word(const Words& words, const std::vector<CipherMode>& modes, const SeedRun& run) {
    std::mutex mutex;
    const auto pieces = (words.size() + kWordsInPiece - 1) / kWordsInPiece;
    const auto end = search(
        {.count = pieces, .units = kWordsInPiece, .total = words.size(), .name = "words", .threads = options_.threads},
        [&](std::uint64_t piece) {
          const auto first = static_cast<std::size_t>(piece) * kWordsInPiece;
          const auto count = std::min(kWordsInPiece, words.size() - first);
          bool is_found = false;
          for (const auto mode : modes) {
            const auto tried = try_words(words, first, count, mode, run.encrypted_key);
            const std::lock_guard lock(mutex);
            tried_.add(tried);
            is_found = is_found || tried.word.has_value();
          }
          return is_found;
        });
    tried_.tried = std::min<std::uint64_t>(end.units_tried, words.size());
    return end;
  }

  void tell_words(const Words& words, const SearchEnd& end) {
    const auto seconds = std::max(end.took.count(), 1e-6);
    const auto rate = static_cast<double>(tried_.tried) / seconds;
    json_["words"] = {{"in_list", words.size()}, {"tried", tried_.tried}, {"per_second", rate}};
    if (!tried_.word) {
      tell("words", fmt::format("{} tried, none fits ({}/s)", grouped(tried_.tried), about(rate)));
      tell_nearest(words);
      return;
    }
    const auto word = words[*tried_.word];
    tell("password", escape(word));
    tell("", fmt::format("word {} of {}; {} tried, {}/s on {} threads, in {}", grouped(*tried_.word + 1),
                         grouped(words.size()), grouped(tried_.tried), about(rate), options_.threads,
                         about_time(end.took)));
    if (word.size() > crypto::kAesBlockSize) tell("", "the cipher takes its first 16 bytes alone");
    const auto decoding = time_of_one_decoding(tried_.pem);
    tell("", fmt::format("the decoding of one RSA key takes {:.1f} us: a word in {:.3f} us needs none, its first block "
                         "tells",
                         decoding.count() * 1e6, 1e6 / rate));
    tell("told by", fmt::format("message 3, decrypted under it (mode {}), begins", name_of(tried_.mode)));
    const auto begin = std::string_view(tried_.pem).substr(0, kPemBegins.size());
    tell("", fmt::format("  {}..  \"{}\"", hex(as_bytes(begin).first(kShownBytes)), escape(begin)));
    tell("", fmt::format("and all of it is the PEM of one RSA key of {} bits, which equals its own encoding",
                         tried_.key_bits));
    tell_nearest(words);
    std::string_view pem = tried_.pem;
    for (bool is_first = true; !pem.empty(); is_first = false) {
      const auto line = pem.substr(0, pem.find('\n'));
      tell(is_first ? "public key" : "", line);
      pem.remove_prefix(std::min(line.size() + 1, pem.size()));
    }
    set(json_, "password", word);
    json_["mode"] = name_of(tried_.mode);
    json_["told_by"] = "message 3 decrypts to the PEM of an RSA key";
    json_["key_decoding_us"] = decoding.count() * 1e6;
    json_["public_key"] = tried_.pem;
    json_["key_bits"] = tried_.key_bits;
  }

  void tell_nearest(const Words& words) {
    json_["wrong_words_that_begin_with_a_dash"] = tried_.begin_with_a_dash;
    if (!tried_.nearest) {
      tell("", "no wrong word gave so much as its first letter, a dash");
      return;
    }
    const auto& near = *tried_.nearest;
    json_["nearest"] = {{"agrees", near.agrees}, {"begins", hex(Bytes(near.text).first(kShownBytes))}};
    set(json_["nearest"], "word", words[near.word]);
    tell("", fmt::format("{} wrong word{} gave a text that begins with a dash, as one of 256 does by chance; the "
                         "nearest is {}, with {} of {} bytes:",
                         grouped(tried_.begin_with_a_dash), tried_.begin_with_a_dash == 1 ? "" : "s",
                         escape(words[near.word]), near.agrees, kPemBegins.size()));
    tell("", fmt::format("  {}..", hex(Bytes(near.text).first(kShownBytes))));
  }

  /// @return kExitOk, kExitFailed if none of them fits, or the signal's
  Expected<int> find_Ks_of(const SeedRun& run, const std::vector<CipherMode>& modes) {
    if (run.E_NC.empty()) {
      tell("Ks", "message 5 is not in the recording: nothing says which key is right");
      return kExitFailed;
    }
    const auto block = first_block(run.E_NC);
    PAKE_TRY(auto state, KeySearchState::open(options_.state, run.E_NC, modes));
    const auto rate = keys_per_second(block, modes);
    const auto keys_left = kAllKeys - state.next();
    say_note(fmt::format("Ks: {} of {} keys are to be tried, which takes {} at most ({}/s on {} threads)",
                         grouped(keys_left), grouped(kAllKeys),
                         about_time(Seconds(static_cast<double>(keys_left) / rate)), about(rate), options_.threads));
    std::mutex mutex;
    std::optional<std::pair<CipherMode, TenDigits>> found;
    std::optional<Problem> cannot_keep;
    const auto pieces = (kAllKeys + kKeysInPiece - 1) / kKeysInPiece;
    const auto end = search(
        {.from = state.next() / kKeysInPiece,
         .count = pieces,
         .units = kKeysInPiece,
         .total = kAllKeys,
         .name = "keys",
         .threads = options_.threads},
        [&](std::uint64_t piece) {
          const auto first = piece * kKeysInPiece;
          const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kKeysInPiece, kAllKeys - first));
          for (const auto mode : modes)
            if (const auto Ks = find_Ks(mode, block, first, count)) {
              const std::lock_guard lock(mutex);
              found = {mode, *Ks};
            }
          const std::lock_guard lock(mutex);
          return found.has_value();
        },
        [&](std::uint64_t done_before) {
          const auto kept = state.keep(std::min(done_before * kKeysInPiece, kAllKeys));
          if (!kept && !cannot_keep) cannot_keep = kept.error();
          return !cannot_keep.has_value();
        });
    if (cannot_keep) return std::unexpected(*cannot_keep);
    const auto measured = static_cast<double>(end.units_tried) / std::max(end.took.count(), 1e-6);
    json_["keys"] = {{"tried", end.units_tried}, {"per_second", measured}};
    if (!found) {
      tell("Ks", fmt::format("not found: {} keys tried", grouped(end.units_tried)));
      if (end.signal == 0) return kExitFailed;
      if (options_.state) say_hint("the same command goes on from here");
      return kExitSignal + end.signal;
    }
    const auto opened = open_with(found->first, found->second, run);
    tell("Ks", opened.Ks);
    tell("", fmt::format("{} keys tried, {}/s, in {}; told by message 5, which is ten digits and six zero bytes under "
                         "this key alone",
                         grouped(end.units_tried), about(measured), about_time(end.took)));
    tell("NC", escape(opened.NC));
    tell("NS", opened.NS.empty() ? "(message 6 does not hold it)" : escape(opened.NS));
    if (opened.answered) tell("", "message 7 is NS: both sides took the other for the one who knows the password");
    json_["mode"] = name_of(found->first);
    json_["Ks"] = opened.Ks;
    set(json_, "NC", opened.NC);
    set(json_, "NS", opened.NS);
    return kExitOk;
  }

  [[nodiscard]] double keys_per_second(const crypto::AesBlock& block, const std::vector<CipherMode>& modes) const {
    constexpr std::size_t kSample = 1U << 14U;
    const auto begun = Clock::now();
    for (const auto mode : modes) std::ignore = find_Ks(mode, block, 0, kSample);
    const auto took = std::max(Seconds(Clock::now() - begun).count(), 1e-6);
    return static_cast<double>(kSample) / took * static_cast<double>(options_.threads);
  }

  void tell_chat(const SeedRun& run) {
    auto chat = nlohmann::ordered_json::array();
    bool is_first = true;
    for (const auto& said : run.chat) {
      const std::string_view who = said.by_connector ? "connector" : "listener";
      tell(is_first ? "chat" : "", fmt::format("{}: {}", who, escape(as_text(said.text))));
      nlohmann::ordered_json line = {{"by", who}};
      set(line, "line", as_text(said.text));
      chat.push_back(std::move(line));
      is_first = false;
    }
    if (!run.chat.empty()) tell("", "(in clear on the wire: no key was needed for it)");
    json_["chat"] = std::move(chat);
  }

  Expected<void> plot_without_pem(const Words& words, std::string_view word) {
    PAKE_TRY(const auto partition, partition_without_pem(words, word, tried_.mode, options_.runs));
    tell("without PEM",
         fmt::format("if the key went as two bare numbers, and only an odd exponent and a modulus of 1024 "
                     "bits without a factor below {} betrayed a guess, in mode {}:",
                     kSmallFactors, name_of(tried_.mode)));
    tell("", fmt::format("{:>5} {:>16} {:>16} {:>16} {:>16}", "runs", "odd exponent", "expected", "and modulus",
                         "expected"));
    auto rows = nlohmann::ordered_json::array();
    for (std::size_t run = 0; run < partition.size(); ++run) {
      const auto& row = partition[run];
      tell("", fmt::format("{:>5} {:>16} {:>16.1f} {:>16} {:>16.1f}", run, grouped(row.odd), row.expected_odd,
                           grouped(row.both), row.expected_both));
      rows.push_back({{"runs", run},
                      {"odd", row.odd},
                      {"expected_odd", row.expected_odd},
                      {"both", row.both},
                      {"expected_both", row.expected_both}});
    }
    if (tried_.mode == CipherMode::gcm)
      tell("",
           "In gcm the key stream is the same in every run: a bit that fits once fits always, so the exponent's "
           "oddness halves the words once and never again.");
    json_["without_pem"] = std::move(rows);
    if (options_.output) PAKE_TRYV(write_plot(*options_.output, partition, tried_.mode));
    return {};
  }

  Expected<int> try_on_channel(const ChannelRun& run) {
    const auto guess = ChannelGuess::of(run);
    if (!guess) return std::unexpected(Problem{.exit_code = kExitFailed, .error = guess.error()});
    if (options_.without_words || options_.no_pem)
      return std::unexpected(Problem{.exit_code = kExitUsage,
                                     .error = "this is a recording of today's protocols, which has no Ks and no PEM",
                                     .hint = "pake lab crack FILE --words WORDS"});
    PAKE_TRY(const auto words, Words::read(*options_.words));
    std::atomic<std::uint64_t> fit = 0;
    const auto pieces = (words.size() + kChannelWordsInPiece - 1) / kChannelWordsInPiece;
    const auto end = search({.count = pieces,
                             .units = kChannelWordsInPiece,
                             .total = words.size(),
                             .name = "words",
                             .threads = options_.threads},
                            [&](std::uint64_t piece) {
                              const auto first = static_cast<std::size_t>(piece) * kChannelWordsInPiece;
                              const auto count = std::min(kChannelWordsInPiece, words.size() - first);
                              for (std::size_t i = 0; i < count; ++i)
                                if (guess->fits(words[first + i])) ++fit;
                              return false;
                            });
    if (end.signal != 0) return kExitSignal + end.signal;
    const auto rate = static_cast<double>(end.units_tried) / std::max(end.took.count(), 1e-6);
    const std::string_view protocol = guess->is_code() ? "CPace" : "OPAQUE";
    tell("recording", guess->is_code() ? "a code of two people, by CPace" : "a login by password, by OPAQUE");
    tell("words", fmt::format("{} tried, {} fit, {} are ruled out ({}/s)", grouped(words.size()), grouped(fit),
                              grouped(words.size() - fit), about(rate)));
    tell("on the wire", guess->element());
    tell("why",
         guess->is_code()
             ? "Each word gives a generator g of the group, and what went over the wire is a random multiple y of "
               "the right one."
             : "Each word gives an element H(word) of the group, and what went over the wire is a random multiple "
               "r of the right one.");
    tell("",
         "The group has prime order: every element is a multiple of every other, so for each word there is exactly "
         "one number that gives these bytes.");
    tell("",
         guess->is_code()
             ? "The tags that follow are made with a key that takes y of one side or the other: without it no word "
               "can be held against them."
             : "What follows is encrypted under a key that takes the server's secret too: without it no word can be "
               "held against it.");
    tell("", "What is left is to ask, one word a connection, and the other side counts.");
    json_["protocol"] = protocol;
    json_["words"] = {{"in_list", words.size()}, {"fit", fit.load()}, {"per_second", rate}};
    json_["told_by"] = nullptr;
    return kExitFailed;
  }

  const CrackOptions& options_;
  Output output_;
  nlohmann::ordered_json json_;
  WordsTried tried_;
};

}  // namespace

CrackOptions::CrackOptions() : threads(all_cores()) {}

int crack(const CrackOptions& options) {
  const auto exit_code = Crack(options).run();
  return exit_code ? *exit_code : report(exit_code.error());
}

}  // namespace pake::cli::lab
