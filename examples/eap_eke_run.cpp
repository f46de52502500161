// EAP-EKE: a server and a peer that share a password. The packets are EAP's; what carries them is the application's.
#include <cstdio>

#include "pake/eap_eke.h"

namespace eap_eke = pake::eap_eke;

int main() {
  pake::crypto::SystemRng rng;
  pake::GuessBudget of_server(3), of_peer(3);
  const auto password = pake::as_bytes("correct horse");
  const auto named = [](const char* name) {
    return eap_eke::Config{.identity = {.value = pake::to_buffer(pake::as_bytes(name))}};
  };

  auto server = eap_eke::start(named("server.example"), 1);
  auto peer = eap_eke::AwaitingIdRequest::make(named("alice@example"), password);
  auto servers_permit = of_server.take(), peers_permit = of_peer.take();
  if (!server || !peer || !servers_permit || !peers_permit) return 1;
  auto id = std::move(*peer).receive(server->packet);  // ID/Request -> peer
  if (!id) return 1;
  auto name = std::move(server->next).receive(id->packet);  // ID/Response -> server
  if (!name) return 1;
  auto commit = std::move(name->next).commit(password, std::move(*servers_permit), rng);  // the password of name->peer
  if (!commit) return 1;
  auto committed =
      std::move(id->next).receive(commit->packet, std::move(*peers_permit), rng);  // Commit/Request -> peer
  if (!committed) return 1;
  auto confirm = std::move(commit->next).receive(committed->packet, rng);   // Commit/Response -> server
  if (!confirm) return 1;                                                   // another password
  auto at_peer = std::move(committed->next).receive(confirm->packet, rng);  // Confirm/Request -> peer
  if (!at_peer) return 1;
  auto at_server = std::move(confirm->next).receive(at_peer->packet);  // Confirm/Response -> server
  if (!at_server) return 1;

  const bool same = pake::ct_equal(at_peer->keys.MSK.reveal(), at_server->MSK.reveal());
  std::puts(same ? "server and peer have the same key" : "the keys differ");
  return same ? 0 : 1;
}
