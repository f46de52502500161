#include "lab/command.h"

#include <memory>
#include <utility>

#include "lab/crack.h"
#include "lab/residues.h"
#include "options/quiet.h"

namespace pake::cli::lab {
namespace {

constexpr const char* kForStudy =
    "A laboratory, for the study of one's own runs: it shows what somebody who listened can do. What others have said "
    "is not yours to open.";

Expected<void> check_crack(const Given& given) {
  const auto usage = [](std::string error, std::string hint) {
    return std::unexpected(Problem{.exit_code = kExitUsage, .error = std::move(error), .hint = std::move(hint)});
  };
  const bool has_words = given.contains("--words");
  const bool without = given.contains("--without-words");
  if (has_words == without)
    return usage(has_words ? "--words and --without-words exclude each other" : "there are no words to try",
                 "--words FILE, a word a line; or --without-words, which tries all ten digits of Ks");
  if (without && given.contains("--no-pem")) return usage("--no-pem needs words", "--words FILE, a word a line");
  if (without && given.contains("--word-only"))
    return usage("--word-only and --without-words exclude each other", "--words FILE, a word a line");
  if (given.contains("-o,--output") && !given.contains("--no-pem"))
    return usage("-o is where the plot of --no-pem is written", "add --no-pem");
  return {};
}

Command crack_command() {
  const auto options = std::make_shared<CrackOptions>();
  return {
      .name = "crack",
      .summary = "Find the password, Ks and the chat in a recorded run of 1992",
      .brief = kForStudy,
      .text =
          {kForStudy,
           "FILE is a trace, as pake eke listen --trace or pake eke connect --trace writes it. Each word is tried on "
           "message 3, which is a public key encrypted under the password: the right word gives text that begins with "
           "-----BEGIN PUBLIC KEY-----, a wrong one noise. Then the ten digits of Ks are tried on message 5, and Ks "
           "opens NC and NS; the chat needs no key.",
           "--without-words tries Ks alone, all ten thousand million of them; with --state it can be interrupted and "
           "goes on.",
           "--no-pem shows how many runs it would take if the key went without its PEM, so that only its odd exponent "
           "and its modulus betrayed a wrong word.",
           "On a trace of pake listen, dial, connect or serve the same words are tried. Every one fits, and the "
           "command says why.",
           "The exit code is 0 if the word was found (with --without-words: Ks), 1 if not."},
      .examples = {"pake lab crack run.trace --words words.txt",
                   "pake lab crack run.trace --words words.txt --no-pem -o runs.svg",
                   "pake lab crack run.trace --without-words --state run.state"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage},
      .settings =
          {{.flag = "FILE", .value = file(options->recording), .help = "The trace of a run", .required = true},
           {.flag = "--words", .value = file(options->words), .help = "The words to try, a line each"},
           {.flag = "--without-words", .value = flag(options->without_words), .help = "Try the ten digits of Ks alone"},
           {.flag = "--word-only", .value = flag(options->word_only), .help = "Do not search for Ks"},
           {.flag = "--no-pem",
            .value = flag(options->no_pem),
            .help = "Then show how many runs it takes if the key goes without PEM"},
           {.flag = "--runs",
            .value = number(options->runs, "N", {.from = 1, .to = 1000}),
            .help = "How many runs --no-pem makes"},
           {.flag = "-o,--output", .value = file(options->output), .help = "Where the plot goes, as SVG"},
           {.flag = "--mode",
            .value = choice<Modes>(options->modes, "MODE",
                                   {{"both", Modes::both}, {"gcm", Modes::gcm}, {"cbc", Modes::cbc}}),
            .help = "The cipher to try: gcm, cbc (an older printing), or both"},
           {.flag = "--state",
            .value = file(options->state),
            .help = "Keeps how far the search for Ks has come; if the file is there, it goes on from there"},
           {.flag = "--connection",
            .value = number(options->connection, "N", {.from = 0, .to = 1'000'000'000}),
            .help = "Which of the trace's connections; 0 is the first of which something can be made"},
           {.flag = "--threads",
            .value = number(options->threads, "N", {.from = 1, .to = 256}),
            .help = "How many threads try; without it one a core"},
           {.flag = "--json", .value = flag(options->json), .help = "One JSON object instead of lines for people"},
           quiet_setting()},
      .check = check_crack,
      .run = [options](const Invocation&) { return crack(*options); },
  };
}

Command residues_command() {
  const auto options = std::make_shared<ResiduesOptions>();
  return {
      .name = "residues",
      .summary = "Attack the paper's own form of 1992's protocol with a modulus made for it",
      .brief = kForStudy,
      .text =
          {kForStudy,
           "In the paper's form of the protocol the modulus goes in clear and the exponent alone under the password. "
           "This listener, which does not know the password, sends a modulus of which few numbers are cubes, and "
           "random bytes for the exponent. Each run of pake eke connect --form paper then rules out a third of the "
           "words: those that make an exponent divisible by 3 of the bytes, but no cube of the answer.",
           "It listens on this machine alone: 127.0.0.1 or [::1].",
           "It ends when one word is left, with exit code 0, or after --runs runs, with 1 if more than one is left."},
      .examples = {"pake lab residues 127.0.0.1:8088 --words words.txt -o runs.svg"},
      .exit_codes = {kExitOk, kExitFailed, kExitUsage},
      .settings = {{.flag = "ADDRESS",
                    .value = address_to_listen(options->address),
                    .help = "Where to listen: 127.0.0.1:PORT or [::1]:PORT (port 0: any free one)"},
                   {.flag = "--words",
                    .value = file(options->words),
                    .help = "The words to try, a line each",
                    .required = true},
                   {.flag = "--runs",
                    .value = number(options->runs, "N", {.from = 1, .to = 10'000}),
                    .help = "How many runs at most"},
                   {.flag = "-o,--output", .value = file(options->output), .help = "Where the plot goes, as SVG"},
                   {.flag = "--mode",
                    .value =
                        choice<CipherMode>(options->mode, "MODE", {{"gcm", CipherMode::gcm}, {"cbc", CipherMode::cbc}}),
                    .help = "The cipher, the same on both sides: gcm or cbc (an older printing)"},
                   {.flag = "--json", .value = flag(options->json), .help = "One JSON object a run"},
                   quiet_setting()},
      .run = [options](const Invocation&) { return residues(*options); },
  };
}

}  // namespace

std::vector<Command> commands() {
  Command lab = {.name = "lab",
                 .summary = "Attacks on the protocol of 1992, in one's own runs: for study",
                 .text = {kForStudy},
                 .examples = {"pake lab crack run.trace --words words.txt"}};
  lab.commands.push_back(crack_command());
  lab.commands.push_back(residues_command());
  std::vector<Command> all;
  all.push_back(std::move(lab));
  return all;
}

}  // namespace pake::cli::lab
