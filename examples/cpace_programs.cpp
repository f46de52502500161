// CPace between two programs: cpace_programs a|b CODE, each with the other one's stdin and stdout in its own. Both
// print the same key on stderr. A FIFO, `socat` or ssh joins them:
//
//   mkfifo back && ./cpace_programs a 7-walnut-otter < back | ./cpace_programs b 7-walnut-otter > back
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string_view>

#include "pake/cpace.h"

namespace cpace = pake::cpace;

namespace {

// What travels: two bytes of length, then the bytes.
bool put(pake::Bytes bytes) {
  const unsigned char size[2] = {static_cast<unsigned char>(bytes.size() >> 8U),
                                 static_cast<unsigned char>(bytes.size() & 0xffU)};
  return std::fwrite(size, 1, 2, stdout) == 2 && std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() &&
         std::fflush(stdout) == 0;
}

std::optional<pake::Buffer> get() {
  unsigned char size[2];
  if (std::fread(size, 1, 2, stdin) != 2) return std::nullopt;
  pake::Buffer bytes(static_cast<std::size_t>(size[0]) << 8U | size[1]);
  if (std::fread(bytes.data(), 1, bytes.size(), stdin) != bytes.size()) return std::nullopt;
  return bytes;
}

std::optional<cpace::SharedKey> as_a(const cpace::Inputs& inputs, pake::Rng& rng) {
  auto a = cpace::initiate(inputs, {}, rng);
  if (!a || !put(a->Ya)) return std::nullopt;
  const auto Yb = get(), Tb = get();
  if (!Yb || !Tb) return std::nullopt;
  auto finished = std::move(a->next).finish({.Y = *Yb}, *Tb);
  if (!finished || !put(finished->Ta)) return std::nullopt;
  return std::move(finished->key);
}

std::optional<cpace::SharedKey> as_b(const cpace::Inputs& inputs, pake::Rng& rng) {
  pake::GuessBudget guesses(1);
  auto permit = guesses.take();
  const auto Ya = get();
  if (!Ya || !permit) return std::nullopt;
  auto b = cpace::respond(inputs, std::move(*permit), {.Y = *Ya}, {}, rng);
  if (!b || !put(b->Yb) || !put(b->Tb)) return std::nullopt;
  const auto Ta = get();
  if (!Ta) return std::nullopt;
  auto key = std::move(b->next).finish(*Ta);
  if (!key) return std::nullopt;
  return std::move(*key);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;  // a real program does not take a code in its arguments: others see them
  pake::crypto::SystemRng rng;
  const auto names = cpace::lv_cat({pake::as_bytes("example programs"), pake::as_bytes("a"), pake::as_bytes("b")});
  const cpace::Inputs inputs = {.PRS = pake::as_bytes(argv[2]), .CI = names};
  const auto key = std::string_view(argv[1]) == "a" ? as_a(inputs, rng) : as_b(inputs, rng);
  if (!key) {
    std::fputs("the other side did not prove that it knows the code\n", stderr);
    return 1;
  }
  const auto session_key = key->session_key("example programs", 16);
  if (!session_key) return 1;
  for (const auto byte : session_key->reveal()) std::fprintf(stderr, "%02x", byte);  // never do this with a key you use
  std::fputc('\n', stderr);
}
