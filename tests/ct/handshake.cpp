// Handshakes of the channel by code and by ticket: the code, the ticket's secret and key, all randomness and everything
// that follows from them are secret until they are sent. A login is OPAQUE's run (opaque.cpp) inside the same machines,
// with a key stretching function in it that is a boundary.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "pake/channel/client_handshake.h"
#include "pake/channel/server_handshake.h"
#include "pake/crypto/backend.h"
#include "secrets.h"

namespace {

using namespace pake;
using namespace pake::channel;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "error: %s\n", what);
  std::exit(EXIT_FAILURE);
}

template <class T>
T must(Result<T> result) {
  require(result.has_value(), "a step failed that cannot fail here");
  return *std::move(result);
}

template <class Secret>
Secret secret() {
  return Secret::make([](MutableBytes out) {
    out[0] = 1;
    mark_secret(out);
  });
}

std::shared_ptr<const TicketKeys> ticket_keys() {
  std::vector<TicketKey> keys(1);
  keys[0].key = secret<crypto::SealKey>();
  return std::make_shared<const TicketKeys>(std::move(keys));
}

Status answer(ServerHandshake& server, Bytes code) {
  if (server.request()->kind == HandshakeKind::resume) return server.decide(TicketAccepted{});
  return server.decide(CodeAnswer{.code = SecretBuffer::copy_of(code), .permit = GuessPermit::uncounted_for_study()});
}

/// Drives both until one is over. Whether both have the channel.
bool run(ClientHandshake& client, ServerHandshake& server, Bytes code) {
  const auto pass = [](auto& from, auto& to) {
    const auto frame = must(from.take_message());
    require(!ct::is_secret(frame), "what is sent is public");
    return to.receive(frame).has_value();
  };
  while (server.want() != Want::done) {
    if (server.want() == Want::decision) {
      require(answer(server, code).has_value(), "the answer is refused");
    } else if (!(client.want() == Want::send ? pass(client, server) : pass(server, client))) {
      return false;
    }
  }
  const auto at_client = must(client.take_keys());
  const auto at_server = must(server.take_keys());
  require(ct_equal(at_client.client.reveal(), at_server.client.reveal()), "the sides have different keys");
  require(ct::is_secret(at_client.client.reveal()), "the keys of secrets are secret");
  require(ct::is_secret(at_server.resumption_secret.reveal()), "all of them");
  return true;
}

bool run_by_code(std::string_view clients, std::string_view servers, Rng& rng) {
  const auto code = ct::secret(as_bytes(clients));
  auto client = must(ClientHandshake::by_code({}, {.selector = as_bytes("1234"), .code = code}, rng));
  ServerHandshake server({}, rng);
  return run(client, server, ct::secret(as_bytes(servers)));
}

bool run_by_ticket(bool knows_the_secret, Rng& rng) {
  const auto keys = ticket_keys();
  auto ticket_secret = secret<ResumptionSecret>();
  auto ticket = must(seal_ticket(*keys, {.name = to_buffer(as_bytes("alice"))}, ticket_secret, rng));
  if (!knows_the_secret) ticket_secret = ResumptionSecret();
  auto client =
      must(ClientHandshake::by_ticket({}, {.ticket = std::move(ticket), .secret = std::move(ticket_secret)}, rng));
  ServerHandshake server({.ticket_keys = keys}, rng);
  return run(client, server, {});
}

}  // namespace

int main() {
  crypto::choose_ristretto255_backend(crypto::RistrettoBackend::libsodium);  // whose crossings boundaries.md counts
  ct::SecretRng rng(1);
  require(run_by_code("acid-zoom-42", "acid-zoom-42", rng), "the same code is refused");
  require(!run_by_code("acid-zoom-42", "acid-zoom-43", rng), "another code was taken");
  require(run_by_ticket(true, rng), "a ticket is refused");
  require(!run_by_ticket(false, rng), "a ticket was taken without its secret");
}
