// What Prometheus and a load balancer ask: /metrics, /healthz and /readyz, on a socket of their own.
#pragma once

#include <string>

#include "pake/net/address.h"
#include "pake/net/error.h"
#include "pake/net/loops.h"

namespace pake::server {

class Server;

/// The metrics of a server, in Prometheus's text format.
[[nodiscard]] std::string metrics_text(Server& server);

/// Answers over HTTP until the loops are cancelled; plain, without authentication: for a loopback address or a network
/// of one's own. Connections that say nothing hold nobody up.
/// @param address  a numeric one
/// @param server   outlives the loops' run
/// @return with the port that the system chose
[[nodiscard]] net::Outcome<net::TcpAddress> serve_metrics(net::Loop& loop, const net::TcpAddress& address,
                                                          Server& server);

}  // namespace pake::server
